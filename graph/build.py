"""The flows as lists of edges. Nothing is compiled or connected at import; a role of `runtime` compiles them with its checkpointer."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy

from agents.reliability.healing.episode import Stage
from core.domain.errors import Unavailable
from graph import routing, trials
from graph.context import ActionContext, HealingContext, RunContext
from graph.nodes import (
    approve,
    arbitrate,
    close,
    consult,
    execute,
    experiment_inject,
    experiment_journal,
    experiment_recover,
    experiment_steady,
    experiment_undo,
    experiment_validate,
    experiment_verdict,
    experiment_watch,
    healing,
    intake,
    judge,
    observe,
    respond,
    submit,
    supervise,
)
from graph.state import ActionState, HealingState, RunState
from graph.trials import ExperimentContext, ExperimentState

CONSULT_MARGIN_SECONDS = 5.0


def build_run(consult_seconds: float = 60.0) -> StateGraph[RunState, RunContext]:
    """Request to response. The consult node has a deadline of its own behind the context's, for an agent that blocks the loop."""
    flow = StateGraph(RunState, context_schema=RunContext)
    flow.add_node("intake", intake.intake)
    flow.add_node("supervise", supervise.supervise)
    flow.add_node("consult", consult.consult, timeout=consult_seconds + CONSULT_MARGIN_SECONDS, error_handler=consult.failed)
    flow.add_node("arbitrate", arbitrate.arbitrate, defer=True)
    flow.add_node("submit", submit.submit, retry_policy=RetryPolicy(max_attempts=3, retry_on=Unavailable))
    flow.add_node("respond", respond.respond)

    flow.add_edge(START, "intake")
    flow.add_edge("intake", "supervise")
    flow.add_conditional_edges("supervise", _on_the_loop(routing.after_supervise), ["consult", "respond"])
    flow.add_edge("consult", "arbitrate")
    flow.add_conditional_edges("arbitrate", _on_the_loop(routing.after_arbitrate))
    flow.add_edge("submit", "respond")
    flow.add_edge("respond", END)
    return flow


def build_action() -> StateGraph[ActionState, ActionContext]:
    """One action from the judge to its end. The gate works on its own; this flow follows the ledger and waits for people."""
    flow = StateGraph(ActionState, context_schema=ActionContext)
    flow.add_node("judge", judge.judge)
    flow.add_node("approve", approve.approve)
    flow.add_node("execute", execute.execute)
    flow.add_node("observe", observe.observe)
    flow.add_node("close", close.close)

    flow.add_edge(START, "judge")
    flow.add_conditional_edges("judge", _on_the_loop(routing.after_judge))
    flow.add_edge("approve", "judge")
    flow.add_conditional_edges("execute", _on_the_loop(routing.after_execute))
    flow.add_edge("observe", "close")
    flow.add_edge("close", END)
    return flow


def build_experiment() -> StateGraph[ExperimentState, ExperimentContext]:
    """One experiment, from its reasons to its verdict. How it goes back is on record before anything is done."""
    flow = StateGraph(ExperimentState, context_schema=ExperimentContext)
    flow.add_node("validate", experiment_validate.validate)
    flow.add_node("steady", experiment_steady.steady)
    flow.add_node("journal", experiment_journal.journal)
    flow.add_node("inject", experiment_inject.inject)
    flow.add_node("watch", experiment_watch.watch)
    flow.add_node("undo", experiment_undo.undo)
    flow.add_node("recover", experiment_recover.recover)
    flow.add_node("verdict", experiment_verdict.verdict)

    flow.add_edge(START, "validate")
    flow.add_conditional_edges("validate", _on_the_loop(trials.after_validate), ["steady", "verdict"])
    flow.add_conditional_edges("steady", _on_the_loop(trials.after_steady), ["journal", "verdict"])
    flow.add_edge("journal", "inject")
    flow.add_conditional_edges("inject", _on_the_loop(trials.after_inject), ["watch", "undo"])
    flow.add_conditional_edges("watch", _on_the_loop(trials.after_watch), ["watch", "undo"])
    flow.add_conditional_edges("undo", _on_the_loop(trials.after_undo), ["recover", "verdict"])
    flow.add_edge("recover", "verdict")
    flow.add_edge("verdict", END)
    return flow


def build_healing() -> StateGraph[HealingState, HealingContext]:
    """One sick node to its end. Each step waits for its transition, which is a checkpoint; what it submits is judged like all else."""
    flow = StateGraph(HealingState, context_schema=HealingContext)
    flow.add_node("confirm", healing.through(Stage.SUSPECTED))
    flow.add_node("cordon", healing.through(Stage.CONFIRMED))
    flow.add_node("empty", healing.through(Stage.CORDONED))
    flow.add_node("release", healing.through(Stage.DRAINED, Stage.FENCED))
    flow.add_node("replace", healing.through(Stage.RELEASED))
    flow.add_node("verify", healing.through(Stage.REPLACED))
    flow.add_node("close", healing.close)

    flow.add_edge(START, "confirm")
    flow.add_conditional_edges("confirm", _on_the_loop(routing.unless_ended("cordon")), ["cordon", "close"])
    flow.add_conditional_edges("cordon", _on_the_loop(routing.unless_ended("empty")), ["empty", "close"])
    flow.add_conditional_edges("empty", _on_the_loop(routing.unless_ended("release")), ["release", "close"])
    flow.add_conditional_edges("release", _on_the_loop(routing.unless_ended("replace")), ["replace", "close"])
    flow.add_conditional_edges("replace", _on_the_loop(routing.unless_ended("verify")), ["verify", "close"])
    flow.add_edge("verify", "close")
    flow.add_edge("close", END)
    return flow


def _on_the_loop(branch: Callable[[Any], Any]) -> Callable[[Any], Awaitable[Any]]:
    """LangGraph asks a plain function in a thread of its own; a pure one needs none, and a simulation can have none."""

    @wraps(branch)
    async def asked(state: Any) -> Any:
        return branch(state)

    return asked
