"""Read the last standing once more, so that what is reported equals the ledger."""

from langgraph.runtime import Runtime

from graph.context import ActionContext
from graph.state import ActionState


async def close(state: ActionState, runtime: Runtime[ActionContext]) -> ActionState:
    standing = await runtime.context.gate.standing(state["action_id"])
    return ActionState(standing=standing.state.value, note=standing.note)
