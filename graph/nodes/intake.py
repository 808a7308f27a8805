"""Take a request in: secrets are taken out of its text before anything is stored, and its words are bounded."""

from langgraph.runtime import Runtime

from core.domain.request import Request
from core.domain.values import bounded
from graph.context import RunContext
from graph.state import SCHEMA, RunState

LONGEST_TEXT = 2000


async def intake(state: RunState, runtime: Runtime[RunContext]) -> RunState:
    request = Request.model_validate(state["request"], strict=False)
    clean = request.model_copy(update={"text": bounded(runtime.context.redact(request.text), LONGEST_TEXT)})
    return RunState(schema=SCHEMA, request=clean.model_dump(mode="json"))
