"""Wait for people. Only the interrupt: this node runs again from its first line when it is resumed."""

from langgraph.types import interrupt
from pydantic import BaseModel, ConfigDict

from graph.state import ActionState


class Answer(BaseModel):
    """What the approval service says when it resumes. The ledger, not this, is what the judge reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action_id: str
    state: str


async def approve(state: ActionState) -> ActionState:
    answer = interrupt({"action_id": state["action_id"]}, response_schema=Answer)
    return ActionState(answer=Answer.model_validate(answer).model_dump())
