"""One look while the fault stands, and whether it goes on. The flow comes back here until the time is over or something ends it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from langgraph.runtime import Runtime

from agents.reliability.experiments import probing
from core.domain.outcome import ActionState as Stands
from core.policy import experiments
from core.policy.experiments import Experiment
from graph.trials import ExperimentContext, ExperimentState

HELD = (Stands.APPLIED, Stands.VERIFIED)


async def watch(state: ExperimentState, runtime: Runtime[ExperimentContext]) -> ExperimentState:
    context, experiment = runtime.context, experiments.again(state["name"], state["spec"])
    context.laboratory.beat(state["actions"])
    seen = [probing.Seen(**row) for row in await context.laboratory.look(state)]
    known: Any = state["tallies"]
    tallies: Any = probing.counted(known, seen, context.clock.now())
    ended = await _ended(experiment, state, tallies, context)
    over = bool(ended) or context.clock.now() >= datetime.fromisoformat(state["since"]) + timedelta(seconds=experiment.seconds)
    if over:
        context.laboratory.release(state["actions"])
    else:
        context.laboratory.beat(state["actions"])
        await asyncio.sleep(context.pause_seconds)
    return ExperimentState(tallies=tallies, ended=ended, over=over)


async def _ended(experiment: Experiment, state: ExperimentState, tallies: Any, context: ExperimentContext) -> str:
    """Why it ends now, before its time; empty to go on."""
    if said := context.laboratory.stopped(state):
        return said
    if words := probing.broken(experiment, tallies):
        return f"a critical probe failed: {words}"
    for name in state["actions"]:
        standing = await context.gate.standing(name)
        if standing.state not in HELD:
            return f"{name} did not stay applied ({standing.state.value}): {standing.note}"
    left = await context.laboratory.budget(state)
    if left is not None and left < experiment.abort.budget:
        return f"{left} % of the error budget is left"
    return ""
