"""Everything back: leases given up, what was not applied yet cancelled, and each action followed to its end.

The executor does it, with the undo permits that were minted before the fault. This step only waits, and says what was left.
"""

import asyncio
from datetime import timedelta

from langgraph.runtime import Runtime

from core.domain.errors import InvalidInput
from core.domain.outcome import TERMINAL
from core.domain.outcome import ActionState as Stands
from core.domain.submitting import Standing
from graph.trials import ExperimentContext, ExperimentState

PATIENCE = timedelta(minutes=10)
"""For an executor that does not answer. Pods that were deleted are waited for no longer than their own check."""


async def undo(state: ExperimentState, runtime: Runtime[ExperimentContext]) -> ExperimentState:
    context = runtime.context
    start, found = context.clock.now(), await _standings(state, context)
    while (open_ones := [row for row in found if row.state not in TERMINAL]) and context.clock.now() - start < PATIENCE:
        context.laboratory.release([row.action_id for row in open_ones])
        for row in open_ones:
            await context.gate.cancel(row.action_id, by=state["by"], reason="the experiment is over")
        await asyncio.sleep(context.pause_seconds)
        found = await _standings(state, context)
    left = [
        f"{row.action_id} is {row.state.value}: {row.note}" for row in found if row.state not in TERMINAL or row.state is Stands.ESCALATED
    ]
    seconds = round((context.clock.now() - start).total_seconds())
    context.laboratory.record("experiment.undone", state["id"], {"left": left, "seconds": seconds})
    return ExperimentState(leftovers=left, undone_seconds=seconds)


async def _standings(state: ExperimentState, context: ExperimentContext) -> list[Standing]:
    """Of those that were submitted: a fault that ended early leaves the rest of its parts unsaid."""
    found = []
    for name in state["actions"]:
        try:
            found.append(await context.gate.standing(name))
        except InvalidInput:
            continue
    return found
