"""Which small defects are made, one at a time and in place; and how a child is told from the one that made it."""

import ast
import os
import time
from pathlib import Path

import alterations
import forking
import pytest
import selecting

CASES = [
    ("return a < b", ["a < b → a <= b", "return a < b → return None"]),
    ("return a in b", ["a in b → a not in b", "return a in b → return None"]),
    ("return not a", ["not a → a", "return not a → return None"]),
    ("return True", ["True → False"]),
    ("return None", []),
    ("x = 5", ["5 → 6"]),
    ("x = 'text'", []),
    ("x = a + b", ["a + b → a - b"]),
    ("if a: pass", ["a → not a"]),
    ("if a and b: pass", ["a and b → b", "a and b → a"]),
    ("if a == 1: pass", ["a == 1 → a != 1", "1 → 2"]),
    ("x = [y for y in z if y]", ["y → not y", "without if y"]),
    ("raise Refused(f'{a + 1} of 5')", ["without raise Refused(f'{a + 1} of 5')"]),
    ("self.x = y", ["without self.x = y"]),
    ("x += y", ["without x += y"]),
    ("await send(x)", ["without await send(x)"]),
    ("log.info('%s', 5)", []),
    ("x = bounded(y, 200)", []),
    ("x: int = 7", ["7 → 8"]),
    ("for y in z:\n  continue", ["without continue"]),
    ("try: pass\nexcept ValueError: x = 0", ["ValueError is not handled", "0 → 1"]),
    ("try: pass\nexcept ValueError: raise Refused() from None", ["without raise Refused() from None"]),
    ("match x:\n  case 1: pass\n  case _: pass", ["without case 1"]),
]


@pytest.mark.parametrize(("body", "expected"), CASES, ids=[case[0][:40] for case in CASES])
def test_a_slip_of_the_pen_is_made_and_a_sentence_is_left_alone(body: str, expected: list[str]) -> None:
    source = "async def f(self, a, b, z):\n" + "\n".join(f"    {line}" for line in body.splitlines())
    assert sorted(mutant.text for mutant in alterations.mutants(source)) == sorted(expected)


SOURCE = '''"""A module."""
LIMIT = 5

class Box:
    """A box."""
    size: int = 3

    @property
    def full(self) -> bool:
        """Whether."""
        return self.size > LIMIT

def outer(x: int = 1) -> int:
    def inner(y):
        return y + x
    return inner(x)
'''


def test_a_mutant_differs_in_one_place_and_its_lines_stay() -> None:
    found = alterations.mutants(SOURCE)
    assert [mutant.unit for mutant in found] == ["Box.full"] * 2 + ["outer"] * 3 + [alterations.MODULE] * 3
    texts = {ast.unparse(alterations.altered(SOURCE, mutant.number)) for mutant in found}
    assert len(texts | {ast.unparse(ast.parse(SOURCE))}) == len(found) + 1
    assert [mutant.line for mutant in found if mutant.unit == "Box.full"] == [11, 11]


def test_a_unit_is_the_same_under_other_comments_docstrings_and_lines_and_another_after_a_change() -> None:
    told = alterations.digests(SOURCE)
    assert alterations.digests(SOURCE.replace("A box.", "Another.").replace("LIMIT = 5\n", "# why\n\nLIMIT = 5\n")) == told
    changed = alterations.digests(SOURCE.replace("y + x", "y - x"))
    assert {unit for unit in told if changed[unit] != told[unit]} == {"outer"}
    changed = alterations.digests(SOURCE.replace("LIMIT = 5", "LIMIT = 6"))
    assert {unit for unit in told if changed[unit] != told[unit]} == {alterations.MODULE}


def full(size: int) -> bool:
    return size > 3


def test_a_function_that_others_hold_already_runs_the_mutant() -> None:
    file = Path(full.__code__.co_filename)
    source = file.read_text(encoding="utf-8")
    mutant = next(mutant for mutant in alterations.mutants(source) if mutant.unit == "full" and mutant.text == "size > 3 → size >= 3")
    job = forking.Job("here", file, source, mutant, (), 10.0)
    held, before = full, full.__code__
    try:
        assert forking.Functions([file]).exchange(job) == 1
        assert (held(3), held(2)) == (True, False)
    finally:
        full.__code__ = before
    assert not full(3)


@pytest.mark.parametrize(
    ("code", "happened"), [(forking.KILLED, "killed"), (forking.SURVIVED, "survived"), (forking.UNFIT, "unfit"), (-9, "killed")]
)
def test_a_child_says_by_its_end_what_happened(tmp_path: Path, code: int, happened: str) -> None:
    def work() -> int:
        if code < 0:
            os.kill(os.getpid(), -code)
        return code

    assert forking.forked(work, 30.0, tmp_path / "scratch") == happened
    assert not (tmp_path / "scratch").exists()


def test_a_child_that_does_not_end_is_ended(tmp_path: Path) -> None:
    def work() -> int:
        time.sleep(60)
        return forking.SURVIVED

    began = time.monotonic()
    assert forking.forked(work, 0.2, tmp_path / "scratch") == "timeout"
    assert time.monotonic() - began < 20


def test_the_test_file_of_the_modules_name_is_asked_first() -> None:
    files = ["tests/graph/test_run.py", "tests/gate/test_audit.py", "tests/gate/test_executing.py", "tests/gate/test_fields.py"]
    assert sorted(files, key=lambda file: selecting.distance("gate.executing.fields", file)) == files[::-1]


def test_one_case_of_each_test_comes_before_the_second_of_any() -> None:
    assert selecting.varied(["a[1]", "a[2]", "b", "c[1]", "c[2]"]) == ["a[1]", "b", "c[1]", "a[2]", "c[2]"]
