"""`day2 network`: the network policies that a namespace could have. Prints, and writes nothing."""

from pathlib import Path
from typing import Annotated

import typer

from interfaces.cli.commands.looking import SOURCE
from interfaces.cli.exits import Exit
from interfaces.cli.sessions import begin, run

network = typer.Typer(help="Who may talk to whom: network policies out of known connections.", rich_markup_mode=None, no_args_is_help=True)


@network.command("policies")
def policies(
    context: typer.Context,
    source: Annotated[Path | None, typer.Option("--from", help=SOURCE, show_default=False)] = None,
) -> None:
    """The smallest NetworkPolicies by which every known connection of a namespace goes on and all else is cut, as YAML. Nothing is applied.

    Known are services that variables of pods name, entrances from outside, what the API server calls, and DNS. Not known, and so cut:
    scrapes of metrics, calls to the outside, names in ConfigMaps. Each set is simulated first; one that would break a known connection,
    or leave more open, is not printed, and the command exits 2. Without -n: every namespace with pods but the cluster's own.
    """
    from runtime.roles import looking
    from runtime.services import guarding

    session = begin(context)
    with session.waiting(f"reading {source or 'the cluster'}"):
        closed = run(looking.closed(session.settings, session.flags.namespaces, source))
    documents = [document for one in closed if one.sound for document in one.policies]
    listed = {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": documents}
    session.show(listed, view=lambda screen, _: screen.line(guarding.text(documents).rstrip("\n")) if documents else None, name="kind")
    for one in closed:
        if one.sound:
            session.say(f"{one.namespace}: {len(one.policies)} policies; {len(one.flows)} known connections go on, all else is cut")
        else:
            told = [*(f"breaks {each}" for each in one.broken), *(f"leaves open {each}" for each in one.open)]
            session.say(f"{one.namespace}: not printed, for in the simulation it {'; '.join(told[:5])}")
        for each in one.unknown[:10]:
            session.say(f"  {each}", "dim")
    session.hint("next: keep them in git, and apply them first where an hour without a connection is no harm")
    if any(not one.sound for one in closed):
        raise typer.Exit(Exit.DIFFERS)
