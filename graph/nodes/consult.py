"""Ask one agent. A late or failing one becomes a finding: a run never hangs on an agent, and never hides that one is missing."""

import asyncio

from langgraph.errors import NodeError
from langgraph.runtime import Runtime

from core.domain.errors import Day2Error
from core.domain.request import Request
from core.domain.values import bounded
from graph.context import RunContext
from graph.state import ConsultTask, Plain, RunState


async def consult(state: ConsultTask, runtime: Runtime[RunContext]) -> RunState:
    request = Request.model_validate(state["request"], strict=False)
    seconds = runtime.context.consult_seconds
    try:
        async with asyncio.timeout(seconds):
            answer = await runtime.context.consulting.consult(state["agent"], request)
    except TimeoutError:
        answer = missing(state["agent"], f"no answer within {seconds:g} s")
    except Day2Error as error:
        answer = missing(state["agent"], str(error))
    return RunState(consultations=[answer])


async def failed(state: ConsultTask, error: NodeError) -> RunState:
    """Called by LangGraph for what the node did not expect: the agent's own defect."""
    return RunState(consultations=[missing(state["agent"], f"{type(error.error).__name__}: {error.error}")])


def missing(agent: str, reason: str) -> Plain:
    """A consultation that did not happen."""
    text = bounded(reason, 250)
    return {"agent": agent, "findings": [], "proposals": [], "coverage": {"run": [], "not_run": [{"check": f"{agent} (all)", "reason": text}]}, "failed": text}
