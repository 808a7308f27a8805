#!/usr/bin/env python3
"""Builds the real control plane's programs from pinned Go modules, once, into a cache; finds them again for the tests.

`make control-plane` runs this file; the rig and the tests' conftest ask `find`. Only the standard library is used, so that any
Python runs it. What is pinned stands in `gomod/<module>/go.mod` and `go.sum`; their hash names the cache folder, so another pin is
another folder, and a build that was stopped goes on where it was. Helm, which renders the chart of `deploy/`, and Alertmanager have a
folder of their own each.

Exit codes: 0 all there, 3 no Go on this machine, 1 a build failed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

MODULES = Path(__file__).resolve().parent / "gomod"
NO_GO = 3
GO_WANTED = "1.26"
PARALLEL = 2
"""Go builds this many packages at once: more starves the machine that somebody is working on."""


class Binary(NamedTuple):
    """One program: the folder under `gomod/` that pins it and the Go package that is built.

    `lacks` is a file that its release makes with tools of another language, and that Go wants there: a line of text stands in for it.
    """

    name: str
    module: str
    package: str
    lacks: str = ""


BINARIES = (
    Binary("etcd", "control-plane", "go.etcd.io/etcd/server/v3"),
    Binary("kube-apiserver", "control-plane", "k8s.io/kubernetes/cmd/kube-apiserver"),
    Binary("kube-controller-manager", "control-plane", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    Binary("kube-scheduler", "control-plane", "k8s.io/kubernetes/cmd/kube-scheduler"),
    Binary("kubectl", "control-plane", "k8s.io/kubernetes/cmd/kubectl"),
    Binary("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    Binary("prometheus", "prometheus", "github.com/prometheus/prometheus/cmd/prometheus"),
    Binary("promtool", "prometheus", "github.com/prometheus/prometheus/cmd/promtool"),
    Binary("metrics-server", "metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server"),
    Binary("helm", "helm", "helm.sh/helm/v4/cmd/helm"),
    Binary("alertmanager", "alertmanager", "github.com/prometheus/alertmanager/cmd/alertmanager", lacks="ui/app/dist/index.html"),
)
APART = frozenset({"helm", "alertmanager"})
"""Modules that are no part of the control plane: another pin of theirs builds none of it again."""
NAMES = tuple(binary.name for binary in BINARIES)


def cache_folder(environ: Mapping[str, str] = os.environ, module: str = "") -> Path:
    """Where the built programs of exactly these pins live, outside the checkout: of the control plane, or of a module that stands apart."""
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".cache")
    return Path(base) / "day2ops" / "controlplane" / pins_hash(module=module)


def pins_hash(modules: Path = MODULES, module: str = "") -> str:
    """16 hex digits over every go.mod and go.sum that counts for it, names included."""
    digest = hashlib.sha256()
    every = sorted([*modules.glob("*/go.mod"), *modules.glob("*/go.sum")])
    for path in (path for path in every if (path.parent.name == module if module in APART else path.parent.name not in APART)):
        digest.update(f"{path.relative_to(modules).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def find(name: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The program to use: the one in KUBEBUILDER_ASSETS if it is there, else the built one, else None."""
    assets = environ.get("KUBEBUILDER_ASSETS")
    module = next((binary.module for binary in BINARIES if binary.name == name), "")
    folders = [*([Path(assets)] if assets else []), cache_folder(environ, module)]
    return next((folder / name for folder in folders if os.access(folder / name, os.X_OK)), None)


def missing(names: Sequence[str] = NAMES, environ: Mapping[str, str] = os.environ) -> list[str]:
    return [name for name in names if find(name, environ) is None]


def command(binary: Binary, target: Path, go: str = "go", modfile: Path | None = None) -> list[str]:
    """The one build line, the same for each; Kubernetes is told its version, which its API then answers."""
    flags = ["-s", "-w"]
    if version := kubernetes_version(binary):
        major, minor, _ = version.removeprefix("v").split(".", 2)
        for name, value in (("gitVersion", version), ("gitMajor", major), ("gitMinor", minor)):
            flags += ["-X", f"k8s.io/component-base/version.{name}={value}"]
    return [
        go,
        "build",
        "-p",
        str(PARALLEL),
        "-mod=readonly",
        *([f"-modfile={modfile}"] if modfile else []),
        "-buildvcs=false",
        "-trimpath",
        "-ldflags",
        " ".join(flags),
        "-o",
        str(target),
        binary.package,
    ]


def kubernetes_version(binary: Binary, modules: Path = MODULES) -> str | None:
    if not binary.package.startswith("k8s.io/kubernetes/"):
        return None
    pin = re.search(r"^\s*k8s\.io/kubernetes (v[0-9.]+)", (modules / binary.module / "go.mod").read_text(), re.MULTILINE)
    return pin.group(1) if pin else None


def build(binary: Binary) -> float:
    """Seconds it took. The program appears under its name only when it is whole: written aside, then renamed."""
    started, folder = time.monotonic(), cache_folder(module=binary.module)
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{binary.name}.{os.getpid()}"
    environ = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
    with tempfile.TemporaryDirectory(prefix=f".{binary.name}.", dir=folder) as room:
        modfile = completed(binary, Path(room), environ) if binary.lacks else None
        try:
            subprocess.run(niced(command(binary, aside, modfile=modfile)), cwd=MODULES / binary.module, env=environ, check=True)
            aside.replace(folder / binary.name)
        finally:
            aside.unlink(missing_ok=True)
    return time.monotonic() - started


def completed(binary: Binary, room: Path, environ: Mapping[str, str], go: str = "go") -> Path:
    """A go.mod with the same pins, but for the program's own module: a copy, which go.sum has vouched for, with the file that it lacks."""
    pinned = MODULES / binary.module
    name = next(name for name in required(pinned) if binary.package.startswith(f"{name}/"))
    asked = [go, "mod", "download", "-json", name]
    found = json.loads(subprocess.run(asked, cwd=pinned, env=environ, check=True, stdout=subprocess.PIPE).stdout)
    copy = room / "module"
    shutil.copytree(found["Dir"], copy, copy_function=shutil.copyfile)
    for folder in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
        folder.chmod(0o755)  # Go's own cache is read-only
    there = copy / binary.lacks
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text("not built here\n")
    shutil.copyfile(pinned / "go.sum", room / "go.sum")
    (room / "go.mod").write_text(f"{(pinned / 'go.mod').read_text()}\nreplace {name} => {copy}\n")
    return room / "go.mod"


def required(folder: Path) -> list[str]:
    """The modules that a go.mod names, the longest first: one path may begin as another does."""
    found = re.findall(r"^\s*(?:require )?(\S+) v\S+", (folder / "go.mod").read_text(), re.MULTILINE)
    return sorted(found, key=len, reverse=True)


def niced(line: list[str]) -> list[str]:
    return ["nice", "-n", "10", *line] if shutil.which("nice") else line


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Two builds at once would do the work twice; the second waits and then finds everything there."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build_missing(folder: Path) -> int:
    with alone(folder):
        todo = [binary for binary in BINARIES if find(binary.name) is None]
        for binary in BINARIES:
            if binary not in todo:
                print(f"  {binary.name:<24} there", flush=True)
                continue
            try:
                print(f"  {binary.name:<24} {build(binary):.0f} s", flush=True)
            except subprocess.CalledProcessError as error:
                print(
                    f"  {binary.name:<24} failed, go build exited {error.returncode} (its words are above); run this again to go on",
                    file=sys.stderr,
                )
                return 1
    return 0


def main() -> int:
    folder = cache_folder()
    absent = missing()
    if absent and shutil.which("go") is None:
        print(
            f"Go is not on this machine's PATH, and {', '.join(absent)} are not built.\n"
            f"  Install Go {GO_WANTED} or later (https://go.dev/doc/install, or your package manager), then: make control-plane\n"
            "  Or set KUBEBUILDER_ASSETS to a folder that holds the programs.",
            file=sys.stderr,
        )
        return NO_GO
    if absent:
        print(f"Building the control plane from pinned Go modules: about 14 minutes on two cores, once. Into {folder}", flush=True)
    return build_missing(folder)


if __name__ == "__main__":
    raise SystemExit(main())
