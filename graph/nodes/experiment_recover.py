"""Does the hypothesis hold again once the fault is gone? Two looks in a row say so, within the time that people gave it."""

import asyncio
from datetime import timedelta

from langgraph.runtime import Runtime

from agents.reliability.experiments import probing
from core.policy import experiments
from graph.trials import ExperimentContext, ExperimentState

LOOKS = 2


async def recover(state: ExperimentState, runtime: Runtime[ExperimentContext]) -> ExperimentState:
    context, experiment = runtime.context, experiments.again(state["name"], state["spec"])
    start, good, known = context.clock.now(), 0, False
    while good < LOOKS and context.clock.now() - start < timedelta(seconds=experiment.recovery):
        seen = [probing.Seen(**row) for row in await context.laboratory.look(state)]
        good = 0 if probing.holds(experiment, seen) else good + 1
        known = all(row.outcome != "no_data" for row in seen)
        await asyncio.sleep(context.pause_seconds)
    seconds = round((context.clock.now() - start).total_seconds())
    return ExperimentState(recovered=True if good >= LOOKS else False if known else None, recovered_seconds=seconds)
