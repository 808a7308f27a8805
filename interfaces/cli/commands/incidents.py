"""`day2 incident`: what alerts of others were joined to, and what was found about it. They only read."""

from typing import Annotated

import typer

from interfaces.cli.sessions import begin

incident = typer.Typer(help="Incidents that alerts of others were joined to.", rich_markup_mode=None, no_args_is_help=True)


@incident.command("list")
def show_incidents(
    context: typer.Context, state: Annotated[str, typer.Option("--state", help="open, lapsed or resolved; without it: all")] = ""
) -> None:
    """Incidents, newest first."""
    from core.domain.incidents import STATES
    from interfaces.rendering import incidents

    if state not in ("", *STATES):
        raise typer.BadParameter(f"--state is one of {', '.join(STATES)}")
    session = begin(context)
    found = session.answer({"state": state})
    session.show(incidents.listed(found), columns=incidents.COLUMNS)
    if not found:
        session.hint("no incident; point an Alertmanager here: docs/api.md")


@incident.command("get")
def get(context: typer.Context, name: Annotated[str, typer.Argument(metavar="ID", help="inc-..., from day2 incident list")]) -> None:
    """One incident: its timeline, its alerts, and what its run found, from cause to symptom."""
    from interfaces.rendering import incidents

    session = begin(context)
    session.show(incidents.document(session.answer({"incident": name})), view=incidents.view)
