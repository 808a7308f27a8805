"""Brings uv: the user's own when it is new enough, else the pinned one, installed under `.cache/` and touching nothing outside.

A machine may lack any one of pip, venv and ensurepip, and its pip may refuse to install (PEP 668). `pip install --target` is not
refused, needs no venv, and any pip on the PATH can do it, since uv's wheel fits every Python; a venv's own pip is the other way.
"""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from package_index import for_pip
from problems import SetupError

OLDEST = (0, 8, 0)  # the oldest seen to check the hashes of build requirements too


def find(root: Path, environ: Mapping[str, str]) -> Path | None:
    """A uv that is here already: `$UV`, the one on the PATH, or ours from an earlier run. None if each is absent or too old."""
    named = environ.get("UV") or shutil.which("uv", path=environ.get("PATH"))
    for candidate in (Path(named) if named else None, pinned_path(root)):
        if candidate and (version := version_of(candidate)) and version >= OLDEST:
            return candidate
    return None


def bring(root: Path, environ: Mapping[str, str]) -> Path:
    """Installs the pinned uv, whole or not at all: into a folder of its own that is renamed when it is complete.

    Raises `SetupError` with the mend when there is no pip in any form, or when pip could not get it.
    """
    target = pinned_path(root).parent.parent
    target.parent.mkdir(parents=True, exist_ok=True)
    for left_over in target.parent.glob("uv-half-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="uv-half-", dir=target.parent) as scratch:
        half, tried = Path(scratch) / "uv", []
        for pip in pips(Path(scratch)):
            finished = subprocess.run(
                [*pip, "install", "--quiet", "--no-user", "--target", str(half), "--no-deps", "--only-binary", ":all:",
                 "--require-hashes", "-r", str(root / "requirements" / "uv.txt")],
                env=for_pip(environ), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
            )  # fmt: skip
            if finished.returncode == 0 and version_of(half / "bin" / "uv"):
                shutil.rmtree(target, ignore_errors=True)
                half.rename(target)
                return pinned_path(root)
            shutil.rmtree(half, ignore_errors=True)
            tried.append(finished.stderr.strip()[-1000:])
    raise missing(tried)


def pips(scratch: Path) -> Iterator[list[str]]:
    """Ways to run pip, the most likely first; the venv is made only when asked for, and only succeeds where ensurepip is."""
    if importlib.util.find_spec("pip"):
        yield [sys.executable, "-m", "pip"]
    yield from ([found] for name in ("pip3", "pip") if (found := shutil.which(name)))
    made = subprocess.run([sys.executable, "-m", "venv", str(scratch / "venv")], capture_output=True, check=False)
    if made.returncode == 0:
        yield [str(scratch / "venv" / "bin" / "python"), "-m", "pip"]


def missing(tried: list[str]) -> SetupError:
    """What to say when uv could not be brought."""
    if tried:
        return SetupError(
            f"{tried[0]}\npip could not get uv. Mend: check the package index and proxy that pip uses, or install uv, then run make again"
        )
    mends = {
        "apt-get": "sudo apt-get install python3-venv",
        "dnf": "sudo dnf install python3-pip",
        "apk": "apk add py3-pip",
        "brew": "brew install uv",
    }
    mend = next((line for tool, line in mends.items() if shutil.which(tool)), "install pip for this Python")
    lacking = f"{sys.executable} ({platform.python_version()}) has neither pip nor ensurepip, and there is no uv"
    return SetupError(f"{lacking}. Mend: {mend}, then run make again", 2)


def pinned_version(root: Path) -> str:
    """The version that requirements/uv.txt pins."""
    found = re.search(r"^uv==([0-9.]+)", (root / "requirements" / "uv.txt").read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise SetupError("requirements/uv.txt pins no uv: check it out again")
    return found.group(1)


def pinned_path(root: Path) -> Path:
    return root / ".cache" / f"uv-{pinned_version(root)}" / "bin" / "uv"


def version_of(uv: Path) -> tuple[int, ...] | None:
    """What `uv --version` says, or None when it does not run (absent, another machine's, a half copy)."""
    if not os.access(uv, os.X_OK):
        return None
    try:
        said = subprocess.run([str(uv), "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"uv (\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(part) for part in found.groups()) if found else None
