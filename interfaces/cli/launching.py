"""From words to a command, and from what went wrong to one line, its mend and an exit code. Called by `interfaces.cli.main`."""

import contextlib
import difflib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer

from core.domain.errors import Day2Error
from interfaces.cli import exits, scopes
from interfaces.cli.app import command_tree
from interfaces.cli.exits import Exit
from interfaces.cli.flags import SWITCHES, VALUED, Flags, UsageMistake, hoisted


def launch(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    flags, words = Flags(), list(arguments)
    try:
        flags, words = hoisted(arguments)
        scoped = scopes.defaults(command_tree(), flags.scoped()) if flags.scoped() else None
        answer = command_tree().main(args=words, prog_name="day2", standalone_mode=False, obj=flags, default_map=scoped)
        sys.stdout.flush()
    except UsageMistake as error:
        return _usage(str(error), words, error.mend)
    except typer.TyperException as error:
        message = error.format_message().partition(" Did you mean")[0].partition(" (Possible options")[0]
        return _usage(message + _nearest_flag(message, words), words)
    except (typer.Abort, KeyboardInterrupt):
        answer = Exit.INTERRUPTED
    except Day2Error as error:
        return _explain(error, flags)
    except (BrokenPipeError, SystemExit):  # `day2 audit list | head`: the reader has enough; typer answers that by itself with an exit
        _silence_stdout()
        return Exit.DONE
    except OSError as error:
        return _system(error, flags)
    if answer == Exit.INTERRUPTED:  # typer turns Ctrl-C into this answer
        print("interrupted; nothing that was sent is forgotten: day2 action list", file=sys.stderr)
    return int(answer) if isinstance(answer, int) else Exit.DONE


def _usage(message: str, words: Sequence[str], mend: str = "") -> int:
    name = " ".join(_path(words))
    advice = mend or f"day2 {f'{name} ' if name else ''}--help"
    print(f"error: {message}{_suggestion(words)}\nmend:  {advice}", file=sys.stderr)
    return Exit.USAGE


def _path(words: Sequence[str]) -> list[str]:
    """The leading words that are commands."""
    names, found = command_tree().commands, []
    for word in words:
        if word not in names:
            break
        found.append(word)
        names = getattr(names[word], "commands", {})
    return found


def _suggestion(words: Sequence[str]) -> str:
    """A mistyped command gets the nearest one; it is never run by itself."""
    known = _path(words)
    names = command_tree().commands
    for word in known:
        names = getattr(names[word], "commands", {})
    typed = words[len(known)] if len(words) > len(known) else ""
    if not names or typed in names:
        return ""
    near = difflib.get_close_matches(typed, list(names), n=1) if typed and not typed.startswith("-") else []
    return f" Did you mean `day2 {' '.join([*known, near[0]])}`?" if near else ""


def _nearest_flag(message: str, words: Sequence[str]) -> str:
    """A mistyped flag gets the nearest of the global ones and of the command's own."""
    _, said, typed = message.partition("No such option: ")
    if not said or not typed.startswith("--"):
        return ""
    command: Any = command_tree()
    for word in _path(words):
        command = command.commands[word]
    own = [name for parameter in command.params for name in parameter.opts if name.startswith("--")]
    near = difflib.get_close_matches(typed, [*own, *VALUED, *SWITCHES], n=1)
    return f". Did you mean `{near[0]}`?" if near else ""


def _explain(error: Day2Error, flags: Flags) -> int:
    print(f"error: {error}", file=sys.stderr)
    if error.mend:
        print(f"mend:  {error.mend}", file=sys.stderr)
    _trace(error, flags)
    return exits.of_error(error)


def _system(error: OSError, flags: Flags) -> int:
    """The machine said no: a full disk, a file that may not be written."""
    place = f"{error.filename}: " if error.filename else ""
    print(f"error: {place}{error.strerror or error}\nmend:  check the path, its permissions and the free space there", file=sys.stderr)
    _trace(error, flags)
    return Exit.ERROR


def _trace(error: Exception, flags: Flags) -> None:
    if flags.verbose > 1:
        traceback.print_exception(error)


def _silence_stdout() -> None:
    """The interpreter flushes once more at its end, and must not complain then."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
