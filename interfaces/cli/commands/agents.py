"""`day2 agent`: who exists, what they may propose, whether they live; drain, suspend, resume, serve."""

from typing import Annotated

import typer

from interfaces.cli.sessions import begin
from interfaces.cli.sessions import run as run_async

agent = typer.Typer(help="Agents: who exists, what they may propose, whether they live.", rich_markup_mode=None, no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="finops, reliability, security or scaling", metavar="NAME")]


@agent.command("list")
def list_agents(context: typer.Context) -> None:
    """All agents with their leases; without a running registry, those that this command would ask."""
    from interfaces.rendering import records

    session = begin(context)
    members, source = session.answer()
    session.show(records.agent_list(members, source=source), columns=records.AGENT_COLUMNS, name="name")
    if source != "registry":
        session.hint("no registry runs here; these agents work inside each command: day2 serve")


@agent.command("get")
def get_agent(context: typer.Context, name: Name) -> None:
    """One agent with its checks, and the rights that its proposals need."""
    from interfaces.rendering import records
    from runtime.roles import console

    session = begin(context)
    session.show(records.agent_document(console.chosen(session.answer().members, name)), view=records.agent_view, name="name")


@agent.command("card")
def show_card(context: typer.Context, name: Name) -> None:
    """Its agent card, in the form of A2A 1.0."""
    from interfaces.rendering import envelopes, records
    from runtime.roles import console

    session = begin(context)
    document = records.card_document(console.chosen(session.answer().members, name))
    session.show(
        document, view=lambda screen, found: screen.line(envelopes.text(found["card"], ascii_only=screen.ascii_only)), name="digest"
    )


@agent.command("drain")
def drain_agent(context: typer.Context, name: Name) -> None:
    """Let it finish its work, and give it no more."""
    _move(context, name, "draining")


@agent.command("suspend")
def suspend_agent(context: typer.Context, name: Name) -> None:
    """Ask it nothing until it is resumed, also after a restart."""
    _move(context, name, "suspended")


@agent.command("resume")
def resume_agent(context: typer.Context, name: Name) -> None:
    """Give it work again."""
    _move(context, name, "ready")


@agent.command("serve")
def serve_agent(context: typer.Context, name: Name) -> None:
    """Run one agent as a process of its own, with its own lease."""
    from runtime.roles import console

    run_async(console.serve_agent(begin(context).settings, name))


def _move(context: typer.Context, name: str, state: str) -> None:
    from interfaces.rendering import records
    from runtime.roles import console

    session = begin(context)
    session.show(records.agent_document(run_async(console.move_agent(session.settings, name, state))), view=records.agent_view, name="name")
