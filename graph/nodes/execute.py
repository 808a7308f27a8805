"""Wait until the executor has taken the action, or the judge has it back."""

from langgraph.runtime import Runtime

from core.domain.outcome import ActionState as Standing
from graph.context import ActionContext
from graph.state import ActionState

WITH_THE_EXECUTOR = (Standing.PERMITTED, Standing.CLAIMED, Standing.SENDING, Standing.UNKNOWN)


async def execute(state: ActionState, runtime: Runtime[ActionContext]) -> ActionState:
    standing = await runtime.context.gate.until(state["action_id"], *WITH_THE_EXECUTOR)
    return ActionState(standing=standing.state.value, note=standing.note)
