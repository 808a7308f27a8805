"""`day2 incident`: what alerts of others were joined to, and what was found about it. They only read."""

from typing import Annotated

import typer

from interfaces.cli.sessions import begin

incident = typer.Typer(help="Incidents that alerts of others were joined to.", rich_markup_mode=None, no_args_is_help=True)


@incident.command("list")
def show_incidents(
    context: typer.Context, state: Annotated[str, typer.Option("--state", help="open or resolved; without it: both")] = ""
) -> None:
    """Incidents, newest first."""
    from interfaces.rendering import incidents

    if state not in ("", "open", "resolved"):
        raise typer.BadParameter("--state is open or resolved")
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
