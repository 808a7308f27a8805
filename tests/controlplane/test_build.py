import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.controlplane import build

SCRIPT = Path(build.__file__)
FAKE_GO = """#!/bin/sh
if [ "$1 $2" = "mod download" ]; then printf '{"Dir": "%s"}' "$GO_DOWNLOADED"; exit; fi
echo "$@" >> "$GO_CALLS"
case "$*" in *"$GO_FAILS"*) exit 1;; esac
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\n' > "$2"; chmod +x "$2"
"""


@pytest.fixture
def fake_go(tmp_path: Path) -> dict[str, str]:
    """An environment whose `go` writes down how it was called, and an empty cache."""
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(FAKE_GO)
    go.chmod(0o755)
    calls = tmp_path / "calls"
    calls.touch()
    downloaded = tmp_path / "downloaded"
    (downloaded / "cmd").mkdir(parents=True)
    (downloaded / "cmd" / "main.go").write_text("package main\n")
    for path in (downloaded / "cmd" / "main.go", downloaded / "cmd", downloaded):
        path.chmod(0o444 if path.is_file() else 0o555)
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    return {**cache, "PATH": f"{go.parent}:/usr/bin:/bin", "GO_CALLS": str(calls), "GO_FAILS": "nothing", "GO_DOWNLOADED": str(downloaded)}


def run(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT)], env=environ, capture_output=True, text=True, check=False)


def calls(environ: dict[str, str]) -> list[str]:
    return Path(environ["GO_CALLS"]).read_text().splitlines()


def test_every_program_is_built_once_and_told_with_its_seconds(fake_go: dict[str, str]) -> None:
    first = run(fake_go)
    assert (first.returncode, len(calls(fake_go))) == (0, len(build.BINARIES))
    assert "about 14 minutes on two cores, once" in first.stdout.splitlines()[0]
    assert [re.sub(r" +[0-9]+ s$", "", line).strip() for line in first.stdout.splitlines()[1:]] == list(build.NAMES)
    assert build.missing(environ=fake_go) == []
    again = run(fake_go)
    assert len(calls(fake_go)) == len(build.BINARIES)
    assert [line.split() for line in again.stdout.splitlines()] == [[name, "there"] for name in build.NAMES]


def test_a_failed_build_leaves_no_half_program_and_the_next_run_goes_on(fake_go: dict[str, str]) -> None:
    failed = run({**fake_go, "GO_FAILS": "cmd/kwok"})
    assert failed.returncode == 1
    assert "kwok" in failed.stderr
    assert "run this again" in failed.stderr
    built = sorted(path.name for path in build.cache_folder(fake_go).iterdir())
    assert built == sorted([".lock", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"])
    Path(fake_go["GO_CALLS"]).write_text("")
    assert run(fake_go).returncode == 0
    assert [Path(call.split(" -o ")[1].split()[0]).name.split(".")[1] for call in calls(fake_go)] == list(build.NAMES[5:])


def test_a_build_is_one_pinned_command_with_a_bounded_share_of_the_machine(fake_go: dict[str, str]) -> None:
    run(fake_go)
    assert all("-p 2 -mod=readonly" in call for call in calls(fake_go))


def test_without_go_it_says_what_to_install(fake_go: dict[str, str], tmp_path: Path) -> None:
    answer = run({**fake_go, "PATH": str(tmp_path / "nowhere")})
    assert answer.returncode == build.NO_GO
    assert "Install Go" in answer.stderr
    assert "KUBEBUILDER_ASSETS" in answer.stderr


def test_programs_that_somebody_has_are_used_and_only_the_others_built(fake_go: dict[str, str], tmp_path: Path) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    for name in ("etcd", "kube-apiserver"):
        (assets / name).touch(mode=0o755)
    (assets / "kubectl").touch(mode=0o644)
    environ = {**fake_go, "KUBEBUILDER_ASSETS": str(assets)}
    assert build.find("etcd", environ) == assets / "etcd"
    assert build.find("kubectl", environ) is None, "a file that cannot be run is no program"
    run(environ)
    assert len(calls(fake_go)) == len(build.BINARIES) - 2
    assert build.find("kubectl", environ) == build.cache_folder(environ) / "kubectl"


def test_another_pin_is_another_folder(tmp_path: Path) -> None:
    module = tmp_path / "one"
    module.mkdir()
    (module / "go.mod").write_text("module one\n")
    (module / "go.sum").write_text("a v1 h1:x=\n")
    before = build.pins_hash(tmp_path)
    assert build.pins_hash(tmp_path) == before
    (module / "go.sum").write_text("a v2 h1:x=\n")
    assert build.pins_hash(tmp_path) != before


@pytest.mark.parametrize("apart", sorted(build.APART))
def test_another_pin_of_what_stands_apart_builds_no_control_plane_again(tmp_path: Path, apart: str) -> None:
    for name in ("control-plane", apart):
        (tmp_path / name).mkdir()
        (tmp_path / name / "go.mod").write_text(f"module {name}\n")
    plane, other = build.pins_hash(tmp_path), build.pins_hash(tmp_path, apart)
    (tmp_path / apart / "go.mod").write_text("module other\n\ngo 1.26.0\n")
    assert build.pins_hash(tmp_path) == plane
    assert build.pins_hash(tmp_path, apart) != other
    (tmp_path / "control-plane" / "go.mod").write_text("module other\n")
    assert build.pins_hash(tmp_path) != plane


@pytest.mark.parametrize("binary", build.BINARIES, ids=lambda binary: binary.name)
def test_each_program_is_pinned_with_its_sums(binary: build.Binary) -> None:
    folder = build.MODULES / binary.module
    assert binary.package in (folder / "go.mod").read_text().split()
    assert (folder / "go.sum").stat().st_size > 0


@pytest.mark.parametrize("binary", [binary for binary in build.BINARIES if binary.lacks], ids=lambda binary: binary.name)
def test_what_a_module_lacks_is_laid_into_a_copy_and_all_pins_stay(fake_go: dict[str, str], tmp_path: Path, binary: build.Binary) -> None:
    room, pinned = tmp_path / "room", build.MODULES / binary.module
    room.mkdir()
    made = build.completed(binary, room, fake_go, go=str(tmp_path / "bin" / "go"))
    before, replaced = (pinned / "go.mod").read_text(), made.read_text()
    assert replaced.startswith(before)
    name, _, copy = replaced.removeprefix(before).strip().removeprefix("replace ").partition(" => ")
    assert binary.package.startswith(f"{name}/")
    assert (Path(copy) / "cmd" / "main.go").read_text() == "package main\n"
    assert (Path(copy) / binary.lacks).read_text()
    assert (room / "go.sum").read_bytes() == (pinned / "go.sum").read_bytes()
    assert not (Path(fake_go["GO_DOWNLOADED"]) / binary.lacks).exists()
    assert f"-modfile={made}" in build.command(binary, tmp_path / "x", modfile=made)


def test_only_kubernetes_programs_are_told_a_version() -> None:
    told = {binary.name for binary in build.BINARIES if "gitVersion=v1.37" in " ".join(build.command(binary, Path("x")))}
    assert told == {"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"}


def test_the_cache_lies_outside_the_checkout() -> None:
    assert not build.cache_folder({"HOME": "/somewhere/else"}).is_relative_to(build.MODULES.parents[2])
    assert build.cache_folder({"XDG_CACHE_HOME": "/x", "HOME": "/y"}).is_relative_to("/x/day2ops")
    assert os.environ.get("XDG_CACHE_HOME") or Path.home() in build.cache_folder().parents
