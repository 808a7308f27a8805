"""Each part of the fault through the gate, one after the other. What is applied already is held by the lease meanwhile.

Runs again from its first line after a crash: the same actions have the same ids, and the ledger knows them.
"""

import asyncio

from langgraph.runtime import Runtime

from agents.reliability.experiments import probing
from core.actions.catalogue import parse_proposal
from core.domain.outcome import TERMINAL
from core.domain.outcome import ActionState as Stands
from core.domain.proposal import Proposal
from core.domain.submitting import Standing
from core.policy import experiments
from graph.nodes.submit import submitted
from graph.trials import ExperimentContext, ExperimentState

DONE = (Stands.APPLIED, Stands.VERIFIED)
SELDOM = 10
"""Pauses between two looks while people decide."""


async def inject(state: ExperimentState, runtime: Runtime[ExperimentContext]) -> ExperimentState:
    context, applied, ended = runtime.context, list[str](), ""
    for row in state["proposals"]:
        proposal = parse_proposal(row)
        standing = await _done(proposal, state, applied, context)
        if standing.state in DONE:
            applied.append(proposal.action.id)
            continue
        ended = f"{proposal.action.sentence()} is {standing.state.value}: {standing.note}"
        break
    context.laboratory.record("experiment.injected", state["id"], {"applied": applied, "ended": ended})
    return ExperimentState(injected=bool(applied), ended=ended, over=bool(ended), since=context.clock.now().isoformat())


async def _unsteady(state: ExperimentState, context: ExperimentContext, number: int) -> str:
    """Now and then, while people decide: what does not hold any more is not broken further."""
    if number % SELDOM:
        return ""
    experiment = experiments.again(state["name"], state["spec"])
    words = probing.holds(experiment, [probing.Seen(**row) for row in await context.laboratory.look(state)])
    return f"the hypothesis does not hold any more: {words[0]}" if words else ""


async def _done(proposal: Proposal, state: ExperimentState, applied: list[str], context: ExperimentContext) -> Standing:
    """Where it stands once it is applied or has ended. People may take their time; a stop is heard meanwhile."""
    standing, number = await submitted(context.gate, proposal, state["by"]), 0
    while standing.state not in DONE and standing.state not in TERMINAL and standing.state is not Stands.UNDOING:
        context.laboratory.beat(applied)
        number += 1
        if said := context.laboratory.stopped(state) or (not applied and await _unsteady(state, context, number)):
            await context.gate.cancel(proposal.action.id, by=state["by"], reason=said)
        await asyncio.sleep(context.pause_seconds)
        standing = await context.gate.standing(proposal.action.id)
    return standing
