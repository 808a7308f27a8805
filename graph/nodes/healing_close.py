"""Put the end on record once more: a kill may have come between the last transition and its checkpoint."""

from langgraph.runtime import Runtime

from graph.context import HealingContext
from graph.healing import episode_of
from graph.state import HealingState


async def close(state: HealingState, runtime: Runtime[HealingContext]) -> HealingState:
    runtime.context.record(episode_of(state))
    return state
