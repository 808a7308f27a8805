"""Does the hypothesis hold before anything is done? A fault in what is broken already tells nothing."""

import asyncio

from langgraph.runtime import Runtime

from agents.reliability.experiments import probing
from core.policy import experiments
from graph.trials import ExperimentContext, ExperimentState

LOOKS = 2


async def steady(state: ExperimentState, runtime: Runtime[ExperimentContext]) -> ExperimentState:
    experiment = experiments.again(state["name"], state["spec"])
    for number in range(LOOKS):
        if number:
            await asyncio.sleep(runtime.context.pause_seconds)
        seen = [probing.Seen(**row) for row in await runtime.context.laboratory.look(state)]
        if words := probing.holds(experiment, seen):
            return ExperimentState(unsteady=list(words))
    return ExperimentState(unsteady=[])
