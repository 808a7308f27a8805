"""Who asks for the real control plane gets it or is told why not; who does not ask never waits for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KUBEBUILDER", "PYTEST"))}
    line = [sys.executable, "-m", "pytest", "-q", *arguments]
    return subprocess.run(line, cwd=ROOT, env={**kept, **environ}, capture_output=True, text=True, check=False)


def test_asked_for_and_not_built_ends_the_session_with_what_to_do(tmp_path: Path) -> None:
    answer = run("tests/cluster/test_rig.py", "-m", "cluster", XDG_CACHE_HOME=str(tmp_path))
    assert answer.returncode == 3
    assert "kube-apiserver" in answer.stdout + answer.stderr
    assert "run `make control-plane`" in answer.stdout + answer.stderr


def test_programs_that_somebody_chose_not_to_have_are_skipped_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "etcd").touch(mode=0o755)
    one = "tests/cluster/test_rig.py::test_a_job_completes"
    answer = run(one, "-m", "cluster", XDG_CACHE_HOME=str(tmp_path / "cache"), KUBEBUILDER_ASSETS=str(tmp_path))
    assert answer.returncode == 0
    assert "1 skipped" in answer.stdout
    assert "KUBEBUILDER_ASSETS lacks kube-apiserver" in answer.stdout


def test_a_run_that_does_not_ask_leaves_the_cluster_tests_out() -> None:
    elsewhere = [f"--ignore={path}" for path in (ROOT / "tests").iterdir() if path.name not in ("cluster", "conftest.py")]
    answer = run("tests", "--collect-only", *elsewhere)
    assert "deselected" in answer.stdout
    assert "test_rig.py" not in answer.stdout


def test_naming_the_path_is_asking() -> None:
    answer = run("tests/cluster/test_rig.py", "--collect-only")
    assert answer.returncode == 0
    assert "test_a_job_completes" in answer.stdout
