"""Each row of the threat model names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if re.match(r"\| T\d+ \|", line)]
_NAMED = re.compile(r"`(tests/[^`]+)`")


def named_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def missing(cell: str) -> list[str]:
    """What a row names and is not there; a row that names nothing misses a test."""
    named = _NAMED.findall(cell)
    found = []
    for name in named:
        file, _, test = name.partition("::")
        if not (ROOT / file).is_file() or test not in named_in(ROOT / file):
            found.append(name)
    return found or ([] if named else ["a test"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0]))
def test_a_threat_is_held_by_a_test_that_exists(row: list[str]) -> None:
    assert len(row) == 6
    assert missing(row[-1]) == []


def test_threats_are_numbered_without_gaps() -> None:
    assert [row[0] for row in ROWS] == [f"T{number}" for number in range(1, len(ROWS) + 1)]
    assert len(ROWS) >= 45


@pytest.mark.parametrize(
    "cell", ["by hope", "`tests/gate/test_keys.py`", "`tests/gate/test_keys.py::test_that_nobody_wrote`", "`tests/nowhere.py::test_x`"]
)
def test_a_promise_without_a_proof_is_noticed(cell: str) -> None:
    assert missing(cell)
