"""The Makefile: `make` alone lists its verbs, every verb is listed, and the pages name only verbs that exist."""

import os
import re
import subprocess
from pathlib import Path

import pytest

INNER = {"lint", "types", "contracts", "dev"}


def verbs(root: Path) -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def made(root: Path, *arguments: str) -> str:
    done = subprocess.run(["make", "--no-print-directory", *arguments], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_make_alone_lists_every_verb_on_a_line_of_its_own(root: Path) -> None:
    lines = made(root).splitlines()
    listed = {line.split()[1] for line in lines}
    assert listed == verbs(root) - INNER - {"help"}
    assert max(map(len, lines)) <= 80
    assert min(len(line.split()) for line in lines) >= 5, "each verb says what it does"


@pytest.mark.parametrize(
    "verb", ["demo", "test", "check", "test-cluster", "test-bypass", "control-plane", "bench", "eval", "lock", "clean"]
)
def test_the_verb_exists(root: Path, verb: str) -> None:
    assert verb in verbs(root)


def test_every_verb_is_phony_so_a_folder_of_its_name_does_not_hide_it(root: Path) -> None:
    phony = re.search(r"^\.PHONY: (.+)$", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony is not None
    assert set(phony.group(1).split()) == verbs(root)


def test_check_runs_the_formatter_the_linter_the_types_the_contracts_and_the_tests(root: Path) -> None:
    would_run = made(root, "--dry-run", "check")
    for part in ("ruff format --check", "ruff check", "mypy", "importlinter", "pytest"):
        assert part in would_run


def test_the_tests_run_in_parallel_and_without_a_cluster(root: Path) -> None:
    would_run = made(root, "--dry-run", "test")
    assert f"-n {os.cpu_count() + 1} " in would_run, "one more than cores: tests of processes wait as much as they compute"
    assert '-m "not cluster and not slow and not browser"' in would_run


def test_no_test_is_left_out_of_a_check(root: Path) -> None:
    """What `make test` leaves to others is run by others: slow ones by `check`, the cluster's and the browser's by their own."""
    said = re.findall(r'-m "([^"]+)"', made(root, "--dry-run", "check"))
    assert said == ["not cluster and not slow and not browser", "slow and not cluster and not browser"]
    assert re.findall(r"-m (\w+)", made(root, "--dry-run", "test-browser"))[-1] == "browser"
    assert "make test-browser" in (root / ".ci" / "run").read_text(encoding="utf-8")


def test_arguments_reach_the_command(root: Path) -> None:
    assert "day2 demo --fast --seed 7" in made(root, "--dry-run", "demo", "ARGS=--fast --seed 7")


def test_clean_removes_what_git_ignores_and_nothing_else(checkout) -> None:
    for name in (".venv/x", ".venv-demo/x", ".cache/x", ".mypy_cache/x", "core/__pycache__/x.pyc"):
        (checkout.root / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout.root / name).touch()
    before = {path for path in checkout.root.rglob("*") if path.is_file()}
    assert checkout.make("clean").returncode == 0
    gone = {str(path.relative_to(checkout.root)).split("/")[0] for path in before if not path.exists()}
    assert gone == {".venv", ".venv-demo", ".cache", ".mypy_cache", "core"}
    assert (checkout.root / "core" / "__init__.py").exists()


def test_pages_and_scripts_name_only_verbs_that_exist(texts: dict[Path, str], root: Path) -> None:
    pages = {path: text for path, text in texts.items() if path.suffix == ".md" or path.parts[0] == ".ci"}
    named = {
        (str(path), verb)
        for path, text in pages.items()
        for verb in re.findall(r"(?:`|^\s*(?:\$ )?|step )make ([a-z][a-z-]*)", text, re.MULTILINE)
    }
    assert {(path, verb) for path, verb in named if verb not in verbs(root)} == set()


def test_ci_is_a_bash_script_that_stops_at_the_first_failure(root: Path) -> None:
    script = root / ".ci" / "run"
    lines = script.read_text(encoding="utf-8")
    assert script.stat().st_mode & 0o100
    assert "set -euo pipefail" in lines
    assert re.findall(r"^step make (.+)$", lines, re.MULTILINE) == [
        "check",
        "eval-quick",
        "mutation ARGS=--changed",
        "sim",
        "control-plane",
        "test-cluster",
    ]
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
