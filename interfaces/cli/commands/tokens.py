"""`day2 token`: what machines are known by at the API. The secret is printed once."""

from typing import Annotated

import typer

from interfaces.cli import flags
from interfaces.cli.sessions import begin

token = typer.Typer(help="API tokens of machines: made, listed, revoked.", rich_markup_mode=None, no_args_is_help=True)


@token.command("add")
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="what it is called in every record: token:NAME; never given twice")],
    role: Annotated[list[str], typer.Option("--role", help="viewer, operator, approver, admin or sender; may be repeated")],
    lasts: Annotated[str, typer.Option("--for", metavar="30d", help="how long; without it: until it is revoked")] = "",
) -> None:
    """Make a token. It is shown now and never again: only its digest is kept. A machine decides nothing, whatever its role."""
    from datetime import timedelta

    from interfaces.rendering import tokens
    from runtime.roles import machines

    session = begin(context)
    span = timedelta(seconds=flags.seconds(lasts)) if lasts else None
    made, now = machines.issue(session.settings, name, role, lasts=span)
    session.show(tokens.issued(made, now), view=tokens.issued_view, name="name")
    session.hint("keep it where the machine finds it; it is not shown again")


@token.command("list")
def show_tokens(context: typer.Context) -> None:
    """All tokens, also those that are over, with their last use."""
    from interfaces.rendering import tokens
    from runtime.roles import machines

    session = begin(context)
    found, now = machines.listed(session.settings)
    session.show(tokens.listed(found, now), columns=tokens.COLUMNS, name="name")
    if not found:
        session.hint("there is no token")


@token.command("revoke")
def revoke(context: typer.Context, name: Annotated[str, typer.Argument(help="its name, from day2 token list")]) -> None:
    """End a token now. Open streams of it end within seconds."""
    from interfaces.rendering import tokens
    from runtime.roles import machines

    session = begin(context)
    found, now = machines.revoke(session.settings, name)
    session.show(tokens.listed(found, now), columns=tokens.COLUMNS, name="name")
