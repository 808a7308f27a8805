"""What can write to a cluster can be read in an afternoon: the judge, the executor and the webhook with all they reach."""

import ast
from collections.abc import Iterable
from pathlib import Path

import grimp
import pytest

LIMIT = 7_350
"""Lines of code, without blanks, comments and docstrings. The design's goal is 4,000 in all: a ratchet on the way there."""
WRITERS_LIMIT = 4_000
"""For the two that write or open a write; see decision 23."""
WRITERS = ("executor", "webhook")
ROLES = ("judge", *WRITERS)


@pytest.fixture(scope="module")
def graph(packages: tuple[str, ...]) -> grimp.ImportGraph:
    return grimp.build_graph(*packages, cache_dir=None)


def closure(graph: grimp.ImportGraph, modules: Iterable[str]) -> set[str]:
    """The modules, and every module of ours that they import, however indirectly, also inside functions."""
    reached = {module for module in modules if module in graph.modules}
    return reached.union(*(graph.find_upstream_modules(module) for module in reached))


def lines_of(root: Path, module: str) -> int:
    place = root.joinpath(*module.split("."))
    file = place.with_suffix(".py") if place.with_suffix(".py").exists() else place / "__init__.py"
    text = file.read_text(encoding="utf-8")
    prose = {line for node in ast.walk(ast.parse(text)) for line in documentation(node)}
    return sum(
        1 for number, line in enumerate(text.splitlines(), 1) if line.strip() and not line.strip().startswith("#") and number not in prose
    )


def documentation(node: ast.AST) -> range:
    """The lines of the docstring of a module, class or function."""
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or not node.body:
        return range(0)
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return range(first.lineno, (first.end_lineno or first.lineno) + 1)
    return range(0)


def test_judge_and_executor_have_a_composition_root_each(graph: grimp.ImportGraph) -> None:
    assert {"runtime.roles.judge", "runtime.roles.executor"} <= graph.modules


@pytest.mark.parametrize(("roles", "limit"), [(ROLES, LIMIT), (WRITERS, WRITERS_LIMIT)], ids=["all", "writers"])
def test_the_trusted_base_does_not_grow(graph: grimp.ImportGraph, root: Path, roles: Iterable[str], limit: int) -> None:
    sizes = {module: lines_of(root, module) for module in closure(graph, (f"runtime.roles.{role}" for role in roles))}
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:15]
    assert sum(sizes.values()) <= limit, f"{sum(sizes.values())} lines in {len(sizes)} modules; the largest: {largest}"
