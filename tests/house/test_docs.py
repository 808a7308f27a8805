"""The pages are kept true: links lead somewhere, and the paths, modules and names they mention exist."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from runtime.settings import known_keys

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CHECKED = ("README.md", "CHANGELOG.md")


@pytest.fixture(scope="module")
def pages(texts: dict[Path, str]) -> dict[Path, str]:
    """The pages that people read: those under docs/, README and CHANGELOG, their code blocks left out."""
    return {
        path: FENCE.sub("", text)
        for path, text in texts.items()
        if path.suffix == ".md" and (path.parts[0] == "docs" or str(path) in CHECKED)
    }


def test_links_between_pages_lead_to_a_file_and_its_heading(pages: dict[Path, str], root: Path) -> None:
    dead = [f"{path}: {target}" for path, text in pages.items() for target in LINK.findall(text) if not leads_somewhere(root, path, target)]
    assert dead == [], "\n".join(dead)


def leads_somewhere(root: Path, page: Path, target: str) -> bool:
    if re.match(r"[a-z]+:", target):
        return True
    name, _, heading = target.partition("#")
    file = (root / page.parent / name) if name else root / page
    if not file.exists():
        return False
    return not heading or heading in headings(file.read_text(encoding="utf-8"))


def headings(text: str) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    found = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


def test_paths_that_pages_mention_exist(pages: dict[Path, str], root: Path, packages: tuple[str, ...]) -> None:
    first = {*packages, "tests", "docs", "toolchain", "requirements", "benchmarks", "deploy", ".ci"}
    gone = [
        f"{path}: {word}"
        for path, text in pages.items()
        for word in CODE.findall(text)
        if re.fullmatch(r"[\w.*<>-]+(?:/[\w.*<>-]*)+", word) and word.split("/")[0] in first and not matches(root, word)
    ]
    assert gone == [], "\n".join(gone)


def matches(root: Path, word: str) -> bool:
    pattern = re.sub(r"<[^>]*>", "*", word).rstrip("/")
    return any(root.glob(pattern))


def test_modules_and_names_that_pages_mention_exist(pages: dict[Path, str], root: Path, packages: tuple[str, ...]) -> None:
    dotted = re.compile(rf"(?:{'|'.join(packages)})(?:\.\w+)+(?:\(\))?")
    gone = [
        f"{path}: {word}"
        for path, text in pages.items()
        for word in CODE.findall(text)
        if dotted.fullmatch(word)
        and not word.endswith((".py", ".yaml", ".md", ".db", ".json", ".jsonl"))
        and word not in known_keys()  # a setting, such as gate.guard
        and not named(root, word.removesuffix("()"))
    ]
    assert gone == [], "\n".join(gone)


def named(root: Path, word: str) -> bool:
    """True when `a.b.C.d` is a package, a module, or a name at a module's top and its attributes."""
    parts = word.split(".")
    for length in range(len(parts), 0, -1):
        place = root.joinpath(*parts[:length])
        file = place.with_suffix(".py") if place.with_suffix(".py").exists() else place / "__init__.py"
        if file.exists():
            rest = parts[length:]
            return not rest or rest[0] in top_names(ast.parse(file.read_text(encoding="utf-8")))
        if place.is_dir() and length == len(parts):
            return True
    return False


def top_names(tree: ast.Module) -> set[str]:
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            found |= {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
    return found


def test_the_changelog_speaks_of_what_is_new(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## ", text, re.MULTILINE)
    assert re.search(r"^- \w", text, re.MULTILINE)


def test_the_licence_is_the_one_that_the_project_declares(root: Path) -> None:
    declared = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["license"]
    assert declared == "Apache-2.0"
    assert "Apache License" in (root / "LICENSE").read_text(encoding="utf-8")


def test_the_readme_shows_the_two_commands(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\s*(?:\$ )?(make [a-z-]+)", text, re.MULTILINE)
    assert {"make demo", "make test"} <= set(commands)


def test_decisions_are_numbered_without_gaps_or_doubles(root: Path) -> None:
    numbers = sorted(path.name[:4] for path in (root / "docs" / "decisions").glob("*.md"))
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


@pytest.mark.parametrize(
    ("word", "exists"),
    [("core.domain", True), ("core.domain.verdict", True), ("core.nowhere", False), ("core.domain.verdict.Nothing", False)],
)
def test_a_name_is_looked_up_in_its_module(root: Path, word: str, exists: bool) -> None:
    assert named(root, word) is exists
