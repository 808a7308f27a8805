"""Command lines as people write them: taken out of pages and help screens, and parsed by the real tree of commands without being run."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import typer

from interfaces.cli import scopes
from interfaces.cli.app import command_tree
from interfaces.cli.flags import hoisted

BLOCK = re.compile(r"^```([a-z]*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELLS = ("console", "sh", "bash")
PROGRAMS = ("day2", "make")
ENDS = re.compile(r"^[|&;()<>]+$")


def blocks(page: str) -> Iterator[tuple[str, list[str]]]:
    """The language of every fenced block, and its lines, those that a backslash parts as one."""
    for language, text in BLOCK.findall(page):
        yield language, re.sub(r"\\\n\s*", " ", text).splitlines()


def shown(page: str) -> Iterator[str]:
    """Every line that a reader would type, without the prompt."""
    for language, lines in blocks(page):
        if language == "console":
            yield from (line[2:].strip() for line in lines if line.startswith("$ "))
        elif language in SHELLS:
            yield from (line.strip() for line in lines)


def commands(line: str) -> Iterator[list[str]]:
    """Each call of ours in a line: after a pipe, after `--` (kubectl exec), behind variables, and inside `sh -c '...'`. Redirections go."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    begins = True
    for word in [*lexer, ";"]:
        if ENDS.match(word):
            if words:
                yield words
            words, begins = [], not set(word) & {"<", ">"}
        elif words:
            words.append(word)
        elif begins and word in PROGRAMS:
            words = [word]
        elif " " in word and re.search(rf"\b(?:{'|'.join(PROGRAMS)}) ", word):
            yield from commands(word)
        else:
            begins = word == "--" or bool(re.match(r"[A-Z0-9_]+=", word))


def parsed(words: list[str]) -> Any:
    """The context in which the command would begin: it exists, its options exist, its arguments are of their kind.

    Raises UsageMistake or a TyperException where they are not. Nothing is run, but what an option itself does, such as --help.
    """
    flags, rest = hoisted(words)
    tree = command_tree()
    context: Any = typer.Context(
        tree, info_name="day2", obj=flags, default_map=scopes.defaults(tree, flags.scoped()), **tree.context_settings
    )
    command: Any = tree
    while hasattr(command, "commands"):
        word = rest.pop(0) if rest else ""
        if word not in command.commands:
            raise typer.BadParameter(f"no command {word!r} in {' '.join(words)!r}")
        command, over = command.commands[word], context.lookup_default(word, call=False)
        if hasattr(command, "commands"):
            context = typer.Context(command, info_name=word, parent=context, default_map=over)
        else:
            context = command.make_context(word, rest, parent=context)
    scopes.check(context, flags)
    return context
