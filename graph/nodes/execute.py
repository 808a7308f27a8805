"""Wait until the executor has taken the action, or the judge has it back."""

from langgraph.runtime import Runtime

from core.domain.outcome import ActionState as Standing
from graph.context import ActionContext
from graph.state import ActionState


async def execute(state: ActionState, runtime: Runtime[ActionContext]) -> ActionState:
    standing = await runtime.context.gate.until(state["action_id"], Standing.PERMITTED, Standing.CLAIMED, Standing.SENDING, Standing.UNKNOWN)
    return ActionState(standing=standing.state.value, note=standing.note)
