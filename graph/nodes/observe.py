"""Wait for the end of verification, and of the undo where it missed."""

from langgraph.runtime import Runtime

from core.domain.outcome import ActionState as Standing
from graph.context import ActionContext
from graph.state import ActionState


async def observe(state: ActionState, runtime: Runtime[ActionContext]) -> ActionState:
    standing = await runtime.context.gate.until(state["action_id"], Standing.APPLIED, Standing.UNDOING)
    return ActionState(standing=standing.state.value, note=standing.note)
