"""Where a run or an action goes next. Pure: each branch is decided by the state alone, and the state carries no permission."""

from collections.abc import Callable
from typing import Literal

from langgraph.types import Send

from agents.reliability.healing.episode import ENDS, Stage
from core.domain.outcome import TERMINAL
from core.domain.outcome import ActionState as Standing
from graph.state import ActionState, ConsultTask, HealingState, RunState


def after_supervise(state: RunState) -> list[Send] | Literal["respond"]:
    """Every chosen agent at once; nobody chosen is an answer too."""
    if not state["chosen"]:
        return "respond"
    return [Send("consult", ConsultTask(agent=choice["agent"], request=state["request"])) for choice in state["chosen"]]


def after_arbitrate(state: RunState) -> Literal["submit", "respond"]:
    return "submit" if state["winners"] and state["request"]["act"] else "respond"


def after_judge(state: ActionState) -> Literal["approve", "execute", "close"]:
    standing = Standing(state["standing"])
    if standing is Standing.NEEDS_APPROVAL:
        return "approve"
    return "close" if standing in TERMINAL else "execute"


def after_execute(state: ActionState) -> Literal["judge", "observe", "close"]:
    """An expired permit brings the action back before the judge."""
    standing = Standing(state["standing"])
    if standing in (Standing.SUBMITTED, Standing.APPROVED, Standing.NEEDS_APPROVAL):
        return "judge"
    return "close" if standing in TERMINAL else "observe"


def unless_ended(following: str) -> Callable[[HealingState], str]:
    """To the next step of a healing, or to its close: recovered, held by a guard, or a person's by now."""

    def after_step(state: HealingState) -> str:
        return "close" if Stage(state["episode"]["stamps"][-1]["stage"]) in ENDS else following

    return after_step
