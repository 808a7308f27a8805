"""The repository as the house tests see it: its root, its texts, and small checkouts to bring up an environment in."""

import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "toolchain"))

import environment  # noqa: E402  the folder above is where its scripts live
import uv_tool  # noqa: E402

NOT_OURS = {
    ".git",
    ".cache",
    ".day2",
    ".mypy_cache",
    ".ruff_cache",
    ".import_linter_cache",
    ".hypothesis",
    "__pycache__",
    "dist",
    "node_modules",
}
PACKAGES = ("core", "agents", "gate", "tools", "simulator", "registry", "graph", "runtime", "evals", "interfaces")
DOOR = """import os, pathlib, sys


def main():
    print("door", sys.argv[1:], pathlib.Path(__file__).resolve().parents[2])
    print("seen", os.environ.get("OPENAI_API_KEY"), os.environ.get("KUBECONFIG"))
"""


def our_files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_OURS and not name.startswith(".venv") and not name.endswith(".egg-info")]
        yield from (Path(folder) / name for name in names if not name.endswith(".pyc"))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def packages() -> tuple[str, ...]:
    return PACKAGES


@pytest.fixture(scope="session")
def files() -> list[Path]:
    """Every file of ours, wherever it came from: what git would add, without asking git."""
    return sorted(our_files(ROOT))


@pytest.fixture(scope="session")
def texts(files: list[Path]) -> dict[Path, str]:
    """Path below the root → text, for the files that are text."""
    found = {}
    for path in files:
        try:
            found[path.relative_to(ROOT)] = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):  # binary, or another test's passing file
            continue
    return found


@pytest.fixture(scope="session")
def sources(texts: dict[Path, str]) -> dict[Path, str]:
    """The Python of the product's own packages."""
    return {path: text for path, text in texts.items() if path.suffix == ".py" and path.parts[0] in PACKAGES}


@pytest.fixture(scope="session")
def uv() -> Path:
    """The uv that make would use here; brought as make brings it if there is none."""
    with environment.alone(ROOT):
        return uv_tool.find(ROOT, os.environ) or uv_tool.bring(ROOT, os.environ)


@dataclass(frozen=True)
class Checkout:
    """A small day2ops: the real toolchain, Makefile and build lock; a door that prints; a demo group of one package."""

    root: Path
    tools: Path
    variables: Mapping[str, str]

    def make(self, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return self.run("make", "--no-print-directory", *arguments, **extra)

    def run(self, *command: str, **extra: str) -> subprocess.CompletedProcess[str]:
        variables = {**self.variables, **extra}
        return subprocess.run(command, cwd=self.root, env=variables, capture_output=True, text=True, timeout=100, check=False)

    def locks(self, name: str) -> None:
        """Makes the demo group this one distribution, as the real lock pins it."""
        (self.root / "requirements" / "demo.txt").write_text(pinned(name), encoding="utf-8")

    def python_is(self, script: str) -> None:
        """Puts a `python3` of the test's making on the PATH: the whole machine's only one."""
        for name in ("python3", "python"):
            (self.tools / name).unlink(missing_ok=True)
        (self.tools / "python3").write_text(script, encoding="utf-8")
        (self.tools / "python3").chmod(0o755)


@pytest.fixture
def checkout_in(tmp_path: Path, uv: Path) -> Callable[[str], Checkout]:
    """Makes a checkout in a folder of a given name, with a PATH that holds nothing but what make itself needs."""

    def build(name: str) -> Checkout:
        place = tmp_path / name
        copy_checkout(place)
        tools = tmp_path / "tools"
        tools.mkdir()
        for tool in ("sh", "make", "dirname", "uname", "rm", "find", "awk"):
            (tools / tool).symlink_to(shutil.which(tool) or pytest.fail(f"{tool} is not here"))
        (tools / "python3").symlink_to(base_python())
        home = tmp_path / "home"
        home.mkdir()
        cache = subprocess.run([str(uv), "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
        kept = {
            name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_")) or name.lower().endswith("_proxy")
        }
        # The downloads are this user's, so that a test costs no network; everything else is the test's own.
        downloads = {"UV_CACHE_DIR": cache, "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip"))}
        made = Checkout(place, tools, {**kept, **downloads, "PATH": str(tools), "HOME": str(home), "UV": str(uv)})
        made.locks("idna")
        return made

    return build


@pytest.fixture
def checkout(checkout_in: Callable[[str], Checkout]) -> Checkout:
    return checkout_in("day2ops")


class Listener(http.server.ThreadingHTTPServer):
    """A server that answers 404 to everything and remembers what it was asked: an index or a proxy that has nothing."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Refusing)
        self.heard: list[str] = []
        self.address = f"127.0.0.1:{self.server_address[1]}"


class Refusing(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Listener)
        self.server.heard.append(f"{self.command} {self.path}")
        self.send_error(404)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  the name of the standard library
        """Silent."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def copy_checkout(place: Path) -> None:
    shutil.copytree(ROOT / "toolchain", place / "toolchain", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, place / name)
    for package in PACKAGES:
        (place / package).mkdir()
        (place / package / "__init__.py").write_text("", encoding="utf-8")
    (place / "interfaces" / "cli").mkdir()
    (place / "interfaces" / "cli" / "__init__.py").write_text(DOOR, encoding="utf-8")
    (place / "requirements").mkdir()
    for name in ("build.txt", "uv.txt"):
        shutil.copy(ROOT / "requirements" / name, place / "requirements" / name)


def pinned(name: str) -> str:
    """One distribution's lines out of the demo's lock."""
    lock = (ROOT / "requirements" / "demo.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{name}==.*\n(?:    --hash=.*\n)+", lock, re.MULTILINE)
    assert found, f"{name} is not in the demo's lock"
    return found.group()


def base_python() -> str:
    """The Python behind the environment that runs the tests: the one a person would have."""
    return os.path.realpath(sys.executable)
