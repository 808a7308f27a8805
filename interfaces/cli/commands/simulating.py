"""`day2 sim`: live through simulated worlds, and say which promise was broken."""

from typing import Annotated

import typer

from interfaces.cli.exits import Exit
from interfaces.cli.sessions import begin


def sim(
    context: typer.Context,
    seed: Annotated[int, typer.Option("--seed", min=0, help="of the first world; the same seed lives through the same world")] = 1,
    count: Annotated[int, typer.Option("--count", min=1, max=1_000_000, help="how many worlds, seed by seed")] = 1,
    steps: Annotated[bool, typer.Option("--steps", help="print everything that happened, with its virtual time")] = False,
) -> None:
    """The roles in worlds where processes die and networks lie: no cluster, nothing is written. Exits 1 on a broken promise."""
    from evals.simulation import running
    from interfaces.rendering import simulations

    session = begin(context)
    outcomes = list(running.many(range(seed, seed + count)))
    session.show(simulations.document(outcomes, steps=steps), columns=simulations.COLUMNS, view=simulations.view, name="seed")
    if not all(outcome.kept for outcome in outcomes):
        raise typer.Exit(Exit.ERROR)
