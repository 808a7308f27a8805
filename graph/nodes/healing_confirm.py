"""Wait for a second, independent sign that the node is ill, or for its end."""

from langgraph.runtime import Runtime

from agents.reliability.healing.episode import Stage
from graph.context import HealingContext
from graph.healing import carried
from graph.state import HealingState


async def confirm(state: HealingState, runtime: Runtime[HealingContext]) -> HealingState:
    return await carried(state, runtime.context, Stage.SUSPECTED)
