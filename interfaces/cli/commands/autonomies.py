"""`day2 autonomy`: how far agents may go by themselves, and why."""

from typing import Annotated

import typer

from interfaces.cli.sessions import begin

autonomy = typer.Typer(
    help="Autonomy: what agents may do by themselves, and the record behind it.", rich_markup_mode=None, no_args_is_help=True
)


@autonomy.command("show")
def show_autonomy(
    context: typer.Context,
    capability: Annotated[str, typer.Argument(help="an action kind; all where none is named", show_default=False)] = "",
) -> None:
    """Each level with what people granted, the outcomes that count, the bound, and the next step."""
    from interfaces.rendering import trust

    session = begin(context)
    found, cluster = session.answer({"namespaces": session.flags.namespaces, "capability": capability})
    session.show(trust.listed(found, cluster=cluster), columns=trust.COLUMNS, name="capability")
    if not found:
        session.hint("no capability was granted where an objective speaks: day2 config explain policy.objectives")
