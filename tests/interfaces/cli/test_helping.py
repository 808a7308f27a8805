"""Help screens: every command has its sentence, examples that parse, variables, exit codes and where to go on."""

import contextlib
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer

from interfaces.cli.app import command_tree
from interfaces.cli.flags import hoisted
from interfaces.cli.helping import ENDS, EXAMPLES

Day2 = Callable[..., Any]


def leaves(group: Any = None, above: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in (group or command_tree()).commands.items():
        path = f"{above} {name}".strip()
        if hasattr(command, "commands"):
            yield from leaves(command, path)
        else:
            yield path, command


COMMANDS = dict(leaves())


def test_the_tables_name_commands_that_are_there() -> None:
    assert set(EXAMPLES) | set(ENDS) <= set(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS)
def test_help_has_at_least_three_examples_in_the_order_that_people_read(day2: Day2, path: str) -> None:
    out = day2(*path.split(), "--help").out
    assert len([line for line in out.splitlines() if line.startswith(f"    day2 {path}")]) >= 3
    places = [out.index(word) for word in ("Examples:", "Options:", "Environment:", "Exit codes:", "Documentation:", "Bugs:")]
    assert places == sorted(places)


@pytest.mark.parametrize(("path", "line"), [(path, line) for path, lines in EXAMPLES.items() for line in lines])
def test_every_example_is_a_command_line_that_parses(path: str, line: str) -> None:
    words = shlex.split(line.partition(" > ")[0].partition(" 2>")[0])
    _, rest = hoisted(words[1:])
    assert rest[: len(path.split())] == path.split()
    command = COMMANDS[path]
    with contextlib.suppress(typer.Exit):
        command.make_context(path, rest[len(path.split()) :], **command_tree().context_settings)
