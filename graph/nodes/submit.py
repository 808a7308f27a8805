"""Put the winners before the judge, no more than the run may write. Submitting twice is as once: the intent key stops duplicates."""

from langgraph.runtime import Runtime

from core.actions.catalogue import parse_proposal
from core.domain.errors import InvalidInput
from core.domain.outcome import ActionState as Stands
from core.domain.proposal import Leash, Proposal
from core.domain.request import Request
from core.domain.submitting import GateDoor, Standing
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
        proposal = leashed(proposal, request.leash)
        standing = await submitted(runtime.context.gate, proposal, request.by)
        done.append({"action_id": standing.action_id, "state": standing.state.value, "note": standing.note})
    return RunState(submitted=done)


def leashed(proposal: Proposal, leash: Leash) -> Proposal:
    """What the run may not do, no proposal of it may: nor does it wait longer than the run's window is open."""
    ends = min(proposal.expires_at, leash.until) if leash.until else proposal.expires_at
    return proposal.model_copy(update={"leash": leash, "expires_at": ends})


async def submitted(gate: GateDoor, proposal: Proposal, by: str) -> Standing:
    """Where the action stands. After a crash it may be in the ledger already: then that is its standing, not the refusal of a second."""
    standing = await gate.submit(proposal, by=by)
    if standing.state is not Stands.CANCELLED:
        return standing
    try:
        return await gate.standing(proposal.action.id)
    except InvalidInput:
        return standing  # another action with the same wish is open; this one was not stored
