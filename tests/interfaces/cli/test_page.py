"""docs/cli.md says what the command line does."""

import re
from pathlib import Path

from interfaces.cli.app import command_tree
from interfaces.cli.exits import MEANINGS

REPOSITORY = Path(__file__).parents[3]
PAGE = (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8")


def test_every_command_is_on_the_page() -> None:
    missing = [name for name in command_tree().commands if not re.search(rf"day2 (?:\w+\\\|)*{name}\b|\\\|{name}\b", PAGE)]
    assert missing == []


def test_every_command_inside_a_group_is_on_the_page() -> None:
    lines = {name: " ".join(line for line in PAGE.splitlines() if f"`day2 {name} " in line) for name in command_tree().commands}
    missing = [
        f"{name} {inner}"
        for name, group in command_tree().commands.items()
        for inner in getattr(group, "commands", {})
        if not re.search(rf"\b{inner}\b", lines.get(name, ""))
    ]
    assert missing == []


def test_the_exit_codes_on_the_page_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert [(int(code), meaning.replace("`", "")) for code, meaning in rows] == [(int(code), meaning) for code, meaning in MEANINGS.items()]


def test_every_command_that_some_message_recommends_exists() -> None:
    """A mend that names a command which is not there is a dead end."""
    tree = command_tree().commands
    wrong = []
    for folder in ("agents", "core", "graph", "interfaces", "registry", "runtime", "simulator", "tools"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            for found in re.finditer(
                r"""["'`:,|] ?day2 ([a-z][a-z-]*)(?: ([a-z-]+))?(?=[ "'`,;|)}]|$)""", path.read_text(encoding="utf-8")
            ):
                group, inner = tree.get(found[1]), found[2]
                if group is None or (hasattr(group, "commands") and inner and inner not in group.commands):
                    wrong.append(f"{path.relative_to(REPOSITORY)}: day2 {found[1]} {inner or ''}".rstrip())
    assert wrong == []
