"""Let the pods leave, as their disruption budgets allow; or fence the node, where no kubelet would end them."""

from langgraph.runtime import Runtime

from agents.reliability.healing.episode import Stage
from graph.context import HealingContext
from graph.healing import carried
from graph.state import HealingState


async def empty(state: HealingState, runtime: Runtime[HealingContext]) -> HealingState:
    return await carried(state, runtime.context, Stage.CORDONED)
