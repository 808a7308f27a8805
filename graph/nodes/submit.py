"""Put the winners before the judge, no more than the run may write. Submitting twice is the same as once: the intent key stops duplicates."""

from langgraph.runtime import Runtime

from core.actions.catalogue import parse_proposal
from core.domain.request import Request
from graph.context import RunContext
from graph.state import Plain, RunState


async def submit(state: RunState, runtime: Runtime[RunContext]) -> RunState:
    request = Request.model_validate(state["request"], strict=False)
    done: list[Plain] = []
    for row in state["winners"]:
        proposal = parse_proposal(row)
        if len(done) >= request.budget.writes:
            done.append({"action_id": proposal.action.id, "state": "held", "note": f"the run may submit {request.budget.writes} actions"})
            continue
        standing = await runtime.context.gate.submit(proposal, by=request.by)
        done.append({"action_id": standing.action_id, "state": standing.state.value, "note": standing.note})
    return RunState(submitted=done)
