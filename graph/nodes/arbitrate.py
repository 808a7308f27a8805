"""Let one proposal win where several touch the same thing or draw on the same capacity; the others are told why."""

from langgraph.runtime import Runtime

from core.actions.catalogue import parse_proposal
from core.domain.finding import Severity
from graph.context import RunContext
from graph.state import RunState


async def arbitrate(state: RunState, runtime: Runtime[RunContext]) -> RunState:
    consultations = sorted(state["consultations"], key=lambda answer: str(answer["agent"]))
    proposals = tuple(parse_proposal(row) for answer in consultations for row in answer["proposals"])
    severity_of = {str(row["id"]): Severity(row["severity"]) for answer in consultations for row in answer["findings"]}
    result = await runtime.context.arbitrate(proposals, severity_of)
    return RunState(
        winners=[proposal.model_dump(mode="json") for proposal in result.winners],
        held=[{"proposal": held.proposal.model_dump(mode="json"), "by": held.by, "reason": held.reason} for held in result.held],
    )
