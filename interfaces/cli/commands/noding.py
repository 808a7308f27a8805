"""`day2 nodes`: health, healings under way, and the times that healings took."""

from typing import Annotated

import typer

from interfaces.cli.sessions import begin
from interfaces.cli.sessions import run as run_async

nodes = typer.Typer(help="Nodes: their health, what heals them, and how long that took.", rich_markup_mode=None, no_args_is_help=True)


@nodes.command("list")
def list_nodes(context: typer.Context) -> None:
    """All nodes: the first thing that is wrong, since when, and the healing that is under way or was last."""
    from interfaces.rendering import nodes as rendering
    from runtime.roles import nursing

    session = begin(context)
    session.show(rendering.node_list(run_async(nursing.standings(session.settings))), columns=rendering.NODE_COLUMNS, name="name")


@nodes.command("heal")
def heal(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NODE")],
    reason: Annotated[str, typer.Option("--reason", help="what is wrong with it; counts as one sign, and a second one is waited for")],
) -> None:
    """Begin a healing: confirm, cordon, drain or fence, replace, verify.

    Each step is an action that is judged, and waits for people where they are to decide: day2 approvals. The controller of day2 serve
    carries it on, also after a restart.
    """
    from interfaces.rendering import nodes as rendering
    from runtime.roles import nursing

    session = begin(context)
    session.show(rendering.episode_document(run_async(nursing.heal(session.settings, name, reason))), view=rendering.episode_view)
    session.hint("next: day2 nodes episodes; what waits for people: day2 approvals; it is carried on by: day2 serve")


@nodes.command("episodes")
def episodes(context: typer.Context) -> None:
    """Every healing, and the times over all: to notice, to contain, to mend; median and p90, the unfinished ones counted as unfinished."""
    from interfaces.rendering import nodes as rendering
    from runtime.roles import nursing

    session = begin(context)
    document = rendering.episode_list(*nursing.episodes(session.settings))
    session.show(document, columns=rendering.EPISODE_COLUMNS)
    for line in rendering.times_lines(document):
        session.hint(line)
