"""Makes the Python environment of a lock group, if it is not ready: `sh toolchain/python.sh toolchain/environment.py GROUP`.

`dev` becomes `.venv`, each other group `.venv-GROUP`. Everything comes out of `requirements/GROUP.txt`, checked against its hashes.
An environment is ready when its marker says so, and the marker is written last: what an interrupt leaves behind is made again.
The Makefile calls this before each verb; when nothing is to do it prints nothing and takes a few milliseconds.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import uv_tool
from package_index import for_uv
from problems import SetupError
from steps import Steps, run

ROOT = Path(__file__).resolve().parent.parent
GROUPS = ("run", "demo", "executor", "dev")
INDEX_MEND = "Mend: check the package index and proxy that pip or uv uses here, then run make again"


def main(arguments: Sequence[str]) -> int:
    """Exit codes: 0 ready, 1 an installation failed, 2 this machine or the command lacks something, 130 interrupted."""
    if len(arguments) != 1 or arguments[0] not in GROUPS:
        print(f"usage: environment.py {'|'.join(GROUPS)}", file=sys.stderr)
        return 2
    try:
        ensure(ROOT, arguments[0], os.environ)
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return problem.exit_code
    except OSError as refused:
        print(f"{refused}. Mend: free the disk or the rights of {ROOT} (each user needs a checkout of their own)", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; nothing half-made will be used: run make again", file=sys.stderr)
        return 130
    return 0


def ensure(root: Path, group: str, environ: Mapping[str, str]) -> None:
    """Makes the group's environment unless it is ready. Two at a time wait for each other."""
    venv, key = folder(root, group), key_of(root, group)
    if marker_of(venv) == key:
        return
    with alone(root):
        if marker_of(venv) != key:
            make(root, group, venv, key, environ)


def make(root: Path, group: str, venv: Path, key: Mapping[str, str], environ: Mapping[str, str]) -> None:
    steps, lock = Steps(total=4), root / "requirements" / f"{group}.txt"
    uv = uv_tool.find(root, environ)
    steps.next("uv, which installs the rest" if uv is None else "uv is here")
    uv = uv or uv_tool.bring(root, environ)
    environment = for_uv(environ, root)

    line = steps.next(f"Python {platform.python_version()} in {venv.name}")
    reusable = same_interpreter(marker_of(venv), key)
    (venv / MARKER).unlink(missing_ok=True)
    if not reusable:
        shutil.rmtree(venv, ignore_errors=True)
        checked(
            [str(uv), "venv", "--quiet", "--python", sys.executable, str(venv)], environment, line, "this Python cannot make environments"
        )

    python = venv / "bin" / "python"
    line = steps.next(f"{count(lock)} packages, each checked by its hash")
    checked(
        [str(uv), "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", "--compile-bytecode", str(lock)],
        environment,
        line,
        INDEX_MEND,
    )

    line = steps.next("day2ops itself")
    install = [
        str(uv),
        "pip",
        "install",
        "--quiet",
        "--python",
        str(python),
        "--no-deps",
        "--build-constraint",
        str(root / "requirements" / "build.txt"),
    ]
    checked([*install, "--editable", str(root)], environment, line, INDEX_MEND)
    compile_sources(root, python)
    write_marker(venv, key)
    steps.done("ready")


def folder(root: Path, group: str) -> Path:
    return root / (".venv" if group == "dev" else f".venv-{group}")


# The marker: what the environment was made from.

MARKER = "day2ops-ready.json"


def key_of(root: Path, group: str) -> dict[str, str]:
    """What an environment depends on. `python` and `root` differ: it must be made anew; `packages` differs: bring it up to date."""
    digest = hashlib.sha256()
    for name in (f"{group}.txt", "build.txt"):
        digest.update((root / "requirements" / name).read_bytes())
    with (root / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    digest.update(json.dumps([project["build-system"], project["project"], project["tool"]["hatch"]], sort_keys=True).encode())
    interpreter = f"{platform.python_version()} {os.path.realpath(sys.executable)} {platform.machine()}"
    return {"packages": digest.hexdigest(), "python": interpreter, "root": str(root)}


def marker_of(venv: Path) -> dict[str, str] | None:
    """The marker, or None when there is none, it is damaged, or the environment's Python has gone."""
    try:
        made_from = json.loads((venv / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return made_from if isinstance(made_from, dict) and (venv / "bin" / "python").exists() else None


def same_interpreter(made_from: Mapping[str, str] | None, key: Mapping[str, str]) -> bool:
    return made_from is not None and all(made_from.get(part) == key[part] for part in ("python", "root"))


def write_marker(venv: Path, key: Mapping[str, str]) -> None:
    half = venv / f"{MARKER}.half"
    half.write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")
    half.replace(venv / MARKER)


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """One maker per checkout: `make demo` and `make test` in two terminals share `.cache/`. Ends with the process, however it ends."""
    (root / ".cache").mkdir(exist_ok=True)
    with (root / ".cache" / "environment.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another make in this folder", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def checked(command: Sequence[str], environment: Mapping[str, str], line: str, mend: str) -> None:
    """Runs a command; raises `SetupError` when it fails, after what it said itself."""
    if (code := run(command, environment, line)) != 0:
        raise SetupError(f"{line.split('] ')[-1]}: failed (uv says {code}). {mend}")


def count(lock: Path) -> int:
    """How many distributions the lock names. Some are for other systems, so it is an upper bound."""
    return sum("==" in line.split("#")[0] for line in lock.read_text(encoding="utf-8").splitlines() if not line.startswith(" "))


def compile_sources(root: Path, python: Path) -> None:
    """Compiles our own packages, which the installation leaves alone. A file that does not compile is for the tests to say."""
    with (root / "pyproject.toml").open("rb") as file:
        packages = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    present = [str(root / name) for name in packages if (root / name).is_dir()]
    subprocess.run(
        [str(python), "-m", "compileall", "-qq", "-j", "0", *present], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
