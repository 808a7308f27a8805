"""The executor runs on its own lock group: nothing else is installed, and its role still loads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from package_index import for_uv

FOREIGN = {"langgraph", "langchain_core", "redis", "registry", "kubernetes", "fastapi", "cel_expr_python"}


@pytest.fixture(scope="module")
def executor_python(uv: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment that holds requirements/executor.txt and nothing more."""
    venv = tmp_path_factory.mktemp("executor") / "venv"
    variables = for_uv(os.environ, root)
    made = [[str(uv), "venv", "-q", "--python", os.path.realpath(sys.executable), str(venv)]]
    made.append(
        [
            str(uv),
            "pip",
            "sync",
            "-q",
            "--python",
            str(venv / "bin" / "python"),
            "--require-hashes",
            str(root / "requirements" / "executor.txt"),
        ]
    )
    for command in made:
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return venv / "bin" / "python"


def in_executor(python: Path, root: Path, program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    variables = {"PYTHONPATH": str(root), "HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([str(python), "-c", program], cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=60)


def test_at_most_twenty_five_distributions_are_installed(executor_python: Path, root: Path, tmp_path: Path) -> None:
    program = "import importlib.metadata as m; print(len(list(m.distributions())))"
    done = in_executor(executor_python, root, program, tmp_path)
    assert 5 < int(done.stdout) <= 25, done.stderr


@pytest.mark.parametrize("role", ["executor", "webhook"])
def test_the_role_and_all_that_it_reaches_load_there(executor_python: Path, root: Path, tmp_path: Path, role: str) -> None:
    assert (root / "runtime" / "roles" / f"{role}.py").exists(), f"runtime/roles/{role}.py is not written yet"
    program = f"import runtime.roles.{role}, sys; print(sorted({{name.split('.')[0] for name in sys.modules}} & {FOREIGN!r}))"
    done = in_executor(executor_python, root, program, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
