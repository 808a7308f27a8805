"""Have another machine made, where somebody can."""

from langgraph.runtime import Runtime

from agents.reliability.healing.episode import Stage
from graph.context import HealingContext
from graph.healing import carried
from graph.state import HealingState


async def replace(state: HealingState, runtime: Runtime[HealingContext]) -> HealingState:
    return await carried(state, runtime.context, Stage.RELEASED)
