"""README.md shows commands with their real output: each ```console block is `$ command` and what it printed, `...` for lines left out."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
DOOR = "import sys; from interfaces.cli import main; sys.exit(main())"


class Shown(NamedTuple):
    """One command of the README with the lines it is said to print."""

    command: str
    lines: list[str]


@pytest.fixture(scope="module")
def shown(root: Path) -> list[Shown]:
    """What the README shows, in order."""
    found: list[Shown] = []
    for block in BLOCK.findall((root / "README.md").read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Shown(line[2:].strip(), []))
            elif found:
                found[-1].lines.append(line.rstrip())
    return found


def test_both_commands_are_shown_with_output(shown: list[Shown]) -> None:
    assert [one.command.split()[1] for one in shown if one.command.startswith("make ") and one.lines][:2] == ["demo", "test"]


def test_the_first_lines_say_what_it_is_before_anything_else(root: Path) -> None:
    lines = (root / "README.md").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert next(line for line in lines[1:] if line)[0].isalpha(), "the first thing after the title is a sentence"


@pytest.mark.slow
def test_the_demo_prints_what_the_readme_shows(shown: list[Shown], root: Path, tmp_path: Path) -> None:
    demos = [one for one in shown if one.command.startswith("make demo")]
    assert demos, "the README shows no demo"
    wanted = [line for line in demos[0].lines if not re.match(r"\[\d/\d\]|ready in", line)]
    done = subprocess.run(
        [sys.executable, "-c", DOOR, "demo", *arguments(demos[0].command)],
        cwd=tmp_path,
        env={**plain_environment(), "HOME": str(tmp_path), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert left_out(wanted, [line.rstrip() for line in done.stdout.splitlines()]) is None


def arguments(command: str) -> list[str]:
    """`make demo ARGS="--fast --seed 7"` → its arguments; always --fast, which tells the same story sooner."""
    given = re.search(r"ARGS=[\"']?([^\"']*)", command)
    words = given.group(1).split() if given else []
    return words if "--fast" in words else [*words, "--fast"]


def plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in {"PATH", "TMPDIR", "LANG"}}


def left_out(wanted: list[str], printed: list[str]) -> str | None:
    """The first shown line that was not printed where it should be, or None. After `...` the next line may come later."""
    at, jump = 0, True
    for line in wanted:
        if line.strip() in {"...", "…"}:
            jump = True
            continue
        if not line and jump:
            continue
        places = [number for number in range(at, len(printed)) if printed[number] == line] if jump else [at]
        if not places or places[0] >= len(printed) or printed[places[0]] != line:
            return line
        at, jump = places[0] + 1, False
    return None


@pytest.mark.parametrize(
    ("wanted", "printed", "missing"),
    [
        (["a", "b"], ["a", "b", "c"], None),
        (["a", "...", "c"], ["a", "b", "c"], None),
        (["b", "c"], ["a", "b", "c"], None),
        (["a", "c"], ["a", "b", "c"], "c"),
        (["a", "...", "d"], ["a", "b", "c"], "d"),
        (["a", "b"], ["a"], "b"),
    ],
)
def test_a_shown_line_that_is_not_printed_is_found(wanted: list[str], printed: list[str], missing: str | None) -> None:
    assert left_out(wanted, printed) == missing


def test_the_number_of_tests_shown_is_about_the_number_there_are(shown: list[Shown], request: pytest.FixtureRequest, root: Path) -> None:
    said = [re.search(r"(\d+) passed", line) for one in shown if one.command == "make test" for line in one.lines]
    numbers = [int(match.group(1)) for match in said if match]
    assert numbers, "the README shows no result of `make test`"
    whole_suite = request.config.args in (["tests"], [str(root / "tests")]) and not request.config.option.keyword
    if whole_suite:
        assert abs(len(request.session.items) - numbers[0]) <= 0.15 * numbers[0]


def test_the_verbs_shown_are_the_verbs_there_are(shown: list[Shown], root: Path) -> None:
    for one in shown:
        if one.command == "make":
            printed = subprocess.run(["make", "--no-print-directory"], cwd=root, capture_output=True, text=True, check=True).stdout
            assert left_out(one.lines, [line.rstrip() for line in printed.splitlines()]) is None
