"""Pass, fail or inconclusive, with what each failed probe says about the workload; on record, and then it is over."""

from langgraph.runtime import Runtime

from graph.trials import ExperimentContext, ExperimentState


async def verdict(state: ExperimentState, runtime: Runtime[ExperimentContext]) -> ExperimentState:
    return ExperimentState(report=await runtime.context.laboratory.conclude(state))
