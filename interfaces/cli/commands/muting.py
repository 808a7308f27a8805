"""`day2 mute`: findings that a person wants to hear no more of for a while."""

from typing import Annotated

import typer

from interfaces.cli import flags
from interfaces.cli.sessions import begin

mute = typer.Typer(
    help="Mutes: findings that are left out for a while, always with a reason and an end.", rich_markup_mode=None, no_args_is_help=True
)


@mute.command("add")
def add(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="a finding (fnd-...), or a check by its code (REL-101)")],
    reason: Annotated[str, typer.Option("--reason", help="why; everybody who looks sees it")],
    lasts: Annotated[str, typer.Option("--for", metavar="7d", help="how long: 90m, 12h or 7d; at most 30d")],
) -> None:
    """Leave a finding, or all of a check's, out of scans and of what agents propose, for a while.

    A code holds in the namespaces of -n, else everywhere, on every cluster that this data folder is used for. Only on this data folder: who
    uses another still sees it. What follows from a muted finding stays visible, for it is a finding of its own. The judge knows no mutes.
    """
    from datetime import timedelta

    from interfaces.rendering import mutes
    from runtime.roles import looking

    session = begin(context)
    span = timedelta(seconds=flags.seconds(lasts))
    made = looking.mute(session.settings, what, session.flags.namespaces, reason=reason, lasts=span)
    session.show(mutes.document(made, made.at), view=mutes.view)
    session.hint(f"next: day2 mute list; to hear of it again: day2 mute expire {made.id}")


@mute.command("list")
def show_mutes(
    context: typer.Context,
    ended: Annotated[bool, typer.Option("--ended", help="also those that are over")] = False,
) -> None:
    """What is muted, by whom, why, and until when. Those that are over are listed until a scan has told of it; then with --ended only."""
    from interfaces.rendering import mutes
    from runtime.roles import looking

    session = begin(context)
    found, now = looking.mutes_held(session.settings, ended=ended)
    session.show(mutes.listed(found, now), columns=mutes.COLUMNS)
    if not found:
        session.hint("nothing is muted")


@mute.command("expire")
def expire(context: typer.Context, name: Annotated[str, typer.Argument(metavar="ID", help="mute-..., from day2 mute list")]) -> None:
    """End a mute now. The next scan shows again what it covered; the mute itself is kept, with who ended it: day2 mute list --ended."""
    from interfaces.rendering import mutes

    session = begin(context)
    (over,), now = session.answer({"mute": name})
    session.show(mutes.document(over, now), view=mutes.view)
