"""May it begin, and whom does it hit? Nothing is submitted yet."""

from langgraph.runtime import Runtime

from graph.state import SCHEMA
from graph.trials import ExperimentContext, ExperimentState


async def validate(state: ExperimentState, runtime: Runtime[ExperimentContext]) -> ExperimentState:
    planned = await runtime.context.laboratory.plan(state)
    return ExperimentState(
        schema=SCHEMA,
        refused=planned["refused"],
        target=planned["target"],
        proposals=planned["proposals"],
        unsteady=[],
        actions=[],
        tallies={},
        injected=False,
        over=False,
        ended="",
        leftovers=[],
        recovered=None,
    )
