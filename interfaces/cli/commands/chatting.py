"""The chat of the terminal: the same conversation as in Slack and in the console, for the account that types."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from interfaces.cli.exits import Exit
from interfaces.cli.sessions import Session, begin, run

if TYPE_CHECKING:
    from interfaces.chat.sitting import Sitting

PROMPT = "day2> "


def chat(
    context: typer.Context, text: Annotated[list[str] | None, typer.Argument(help="one message; without it, a talk until Ctrl-D")] = None
) -> None:
    """Ask, command and decide in words. A decision shows its card, and asks for a reason and once more before it is kept.

    Questions are worked on by `day2 serve`; what waits and what was decided needs nothing that runs.
    """
    session = begin(context)
    words = " ".join(text or ()).strip()
    if not words and not session.for_people:
        raise typer.BadParameter("-o is for one message: day2 chat TEXT")
    run(_sat(session, words))


async def _sat(session: Session, words: str) -> None:
    from interfaces.chat import sitting

    def question(text: str) -> str | None:
        if not session.interactive:
            return None
        session.err.stream.write(session.err.fitting(text))
        session.err.stream.flush()
        return sys.stdin.readline().rstrip("\n")

    async with sitting.opened(session.settings, session.out, question, patience=session.flags.timeout) as sat:
        if words:
            await sat.said(words, quiet=not session.for_people)
            if not session.for_people:
                session.show(sat.document())
            if sat.failed:
                raise typer.Exit(Exit.ERROR)
            return
        await _talked(session, sat)


async def _talked(session: Session, sat: "Sitting") -> None:
    """Line by line until the end of input; a line that fails says why, and the talk goes on."""
    session.say("Ask in your words; help shows what there is. Ctrl-D ends.", "dim")
    while True:
        if session.interactive:
            session.err.stream.write(PROMPT)
            session.err.stream.flush()
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            await sat.said(line.strip())
