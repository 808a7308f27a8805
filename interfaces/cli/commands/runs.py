"""`day2 run`: what was asked, and what came of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from interfaces.cli.flags import seconds
from interfaces.cli.options import Since, Watch
from interfaces.cli.sessions import begin

if TYPE_CHECKING:
    from interfaces.rendering.envelopes import Json

run = typer.Typer(help="Runs: what was asked, and what came of it.", rich_markup_mode=None, no_args_is_help=True)


@run.command("list")
def list_runs(
    context: typer.Context,
    since: Since = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 200,
    watch: Watch = False,
) -> None:
    """Runs, newest first."""
    from datetime import timedelta

    from interfaces.rendering import records
    from runtime.roles import console
    from runtime.services import running

    session = begin(context)
    with console.record(session.settings) as record:
        start = record.clock.now() - timedelta(seconds=seconds(since)) if since else None

        def look() -> "Json":
            return records.run_list(running.runs(record.ledger, limit, since=start))

        if watch:
            session.follow(look, columns=records.RUN_COLUMNS)
        session.show(look(), columns=records.RUN_COLUMNS)


@run.command("get")
def get_run(context: typer.Context, run_id: Annotated[str, typer.Argument(help="run-...", metavar="RUN")]) -> None:
    """One run with its actions and its way through the audit chain."""
    from interfaces.rendering import records
    from runtime.roles import console
    from runtime.services import running

    session = begin(context)
    with console.record(session.settings) as record:
        session.show(records.run_document(running.get(record.ledger, run_id)), view=records.run_view)
