"""Wait until what ran there runs elsewhere, and stays so."""

from langgraph.runtime import Runtime

from agents.reliability.healing.episode import Stage
from graph.context import HealingContext
from graph.healing import carried
from graph.state import HealingState


async def verify(state: HealingState, runtime: Runtime[HealingContext]) -> HealingState:
    return await carried(state, runtime.context, Stage.REPLACED)
