"""Folders are layers: each package is ours, says what belongs in it, and reads the environment in one place only."""

import ast
import configparser
import importlib.metadata
import importlib.util
import tomllib
from pathlib import Path

import pytest

# Names that say nothing about what is inside.
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "lib", "base"}


def test_each_package_resolves_inside_this_repository(packages: tuple[str, ...], root: Path) -> None:
    for name in packages:
        spec = importlib.util.find_spec(name)
        assert spec is not None, f"{name} is not importable"
        assert spec.origin is not None, f"{name} has no __init__.py"
        assert Path(spec.origin) == root / name / "__init__.py", f"another {name} wins: {spec.origin}"


def test_no_other_distribution_owns_the_name_of_one_of_our_packages(packages: tuple[str, ...]) -> None:
    owners = importlib.metadata.packages_distributions()
    foreign = {name: owners[name] for name in packages if set(owners.get(name, [])) - {"day2ops"}}
    assert foreign == {}


def test_the_packages_are_those_that_the_project_ships_and_the_contracts_cover(packages: tuple[str, ...], root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = configparser.ConfigParser()
    contracts.read(root / ".importlinter", encoding="utf-8")
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == set(packages)
    assert set(project["tool"]["mypy"]["packages"]) == set(packages)
    assert set(contracts["importlinter"]["root_packages"].split()) == set(packages)


def test_every_package_folder_has_a_signpost_and_imports_nothing(sources: dict[Path, str]) -> None:
    bad = []
    for folder in sorted({path.parent for path in sources}):
        text = sources.get(folder / "__init__.py")
        tree = ast.parse(text or "")
        said = ast.get_docstring(tree) or ""
        if "Belongs here:" not in said or "Never here:" not in said:
            bad.append(f"{folder}/__init__.py: no signpost (Belongs here: ... Never here: ...)")
        if len(tree.body) > 1 and not is_door(folder):
            bad.append(f"{folder}/__init__.py: more than its signpost")
    assert bad == [], "\n".join(bad)


def is_door(folder: Path) -> bool:
    """The console script's entry point names a package: `interfaces.cli:main`."""
    return folder == Path("interfaces/cli")


def test_every_module_says_what_it_is_for(sources: dict[Path, str]) -> None:
    silent = [str(path) for path, text in sources.items() if text.strip() and not ast.get_docstring(ast.parse(text))]
    assert silent == [], "\n".join(silent)


def test_the_environment_is_read_in_the_settings_only(sources: dict[Path, str]) -> None:
    places = [
        f"{path}:{line}"
        for path, text in sources.items()
        if path != Path("runtime/settings.py")
        for line in reads_environment(ast.parse(text))
    ]
    assert places == [], "\n".join(places)


def reads_environment(tree: ast.AST) -> list[int]:
    """Lines that touch `os.environ`, `os.getenv` or their relatives, however they were imported."""
    names = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in names and isinstance(node.value, ast.Name) and node.value.id == "os")
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and any(alias.name in names for alias in node.names))
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import os\nos.environ['A']", [2]),
        ("from os import environ", [1]),
        ("import os\nos.getenv('A')", [2]),
        ("request.environ", []),
        ("import os\nos.path", []),
    ],
)
def test_reading_the_environment_is_seen_in_each_form(text: str, found: list[int]) -> None:
    assert reads_environment(ast.parse(text)) == found


def test_no_module_is_named_after_nothing(sources: dict[Path, str]) -> None:
    assert [str(path) for path in sources if {path.stem, *path.parts[:-1]} & VAGUE] == []


def test_test_folders_are_no_packages(root: Path) -> None:
    assert [str(path) for path in (root / "tests").rglob("__init__.py")] == []
