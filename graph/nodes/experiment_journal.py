"""How everything goes back, on record before anything is done. Written twice after a crash, which harms nobody."""

from langgraph.runtime import Runtime

from agents.reliability.experiments import faults
from core.actions.catalogue import parse_proposal
from graph.trials import ExperimentContext, ExperimentState


async def journal(state: ExperimentState, runtime: Runtime[ExperimentContext]) -> ExperimentState:
    proposals = [parse_proposal(row) for row in state["proposals"]]
    runtime.context.laboratory.record("experiment.journal", state["id"], {"undo": faults.journal(proposals)})
    return ExperimentState(actions=[proposal.action.id for proposal in proposals])
