"""Ask the guards of the pool, and close the node to new pods."""

from langgraph.runtime import Runtime

from agents.reliability.healing.episode import Stage
from graph.context import HealingContext
from graph.healing import carried
from graph.state import HealingState


async def cordon(state: HealingState, runtime: Runtime[HealingContext]) -> HealingState:
    return await carried(state, runtime.context, Stage.CONFIRMED)
