"""Wait for the judge. It works in its own process; this node only sees that the action has left its desk."""

from langgraph.runtime import Runtime

from core.domain.outcome import ActionState as Standing
from graph.context import ActionContext
from graph.state import SCHEMA, ActionState


async def judge(state: ActionState, runtime: Runtime[ActionContext]) -> ActionState:
    standing = await runtime.context.gate.until(state["action_id"], Standing.SUBMITTED, Standing.APPROVED)
    return ActionState(schema=SCHEMA, standing=standing.state.value, note=standing.note)
