"""Choose the agents for this request, by who lives and can; nobody is an honest answer."""

from langgraph.runtime import Runtime

from core.domain.request import Request
from graph.context import RunContext
from graph.state import RunState


async def supervise(state: RunState, runtime: Runtime[RunContext]) -> RunState:
    route = await runtime.context.supervising.choose(Request.model_validate(state["request"], strict=False))
    return RunState(
        chosen=[choice._asdict() for choice in route.chosen],
        nobody=route.nobody,
        absent=[choice._asdict() for choice in route.absent],
        usage=route.usage._asdict(),
    )
