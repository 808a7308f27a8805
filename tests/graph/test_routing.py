"""Where a flow goes next, decided by the state alone."""

from typing import Any

import pytest
from langgraph.types import Send

from core.domain.outcome import TERMINAL
from core.domain.outcome import ActionState as Standing
from graph import routing

REQUEST = {"id": "run-1", "act": True}


def test_every_chosen_agent_is_asked_at_once() -> None:
    sends = routing.after_supervise({"request": REQUEST, "chosen": [{"agent": "finops"}, {"agent": "scaling"}]})
    assert isinstance(sends, list)
    assert [(send.node, send.arg["agent"]) for send in sends if isinstance(send, Send)] == [("consult", "finops"), ("consult", "scaling")]


def test_nobody_chosen_is_answered_at_once() -> None:
    assert routing.after_supervise({"request": REQUEST, "chosen": []}) == "respond"


@pytest.mark.parametrize(
    ("winners", "act", "goes"), [([{}], True, "submit"), ([{}], False, "respond"), ([], True, "respond"), ([], False, "respond")]
)
def test_only_winners_of_a_request_that_may_act_are_submitted(winners: list[Any], act: bool, goes: str) -> None:
    assert routing.after_arbitrate({"request": {"act": act}, "winners": winners}) == goes


@pytest.mark.parametrize("standing", list(Standing))
def test_after_the_judge_only_needs_approval_waits_for_people(standing: Standing) -> None:
    goes = routing.after_judge({"standing": standing.value})
    assert (goes == "approve") == (standing is Standing.NEEDS_APPROVAL)
    assert (goes == "close") == (standing in TERMINAL)


@pytest.mark.parametrize("standing", list(Standing))
def test_after_execution_an_action_that_is_back_goes_to_the_judge(standing: Standing) -> None:
    goes = routing.after_execute({"standing": standing.value})
    assert (goes == "judge") == (standing in (Standing.SUBMITTED, Standing.APPROVED, Standing.NEEDS_APPROVAL))
    assert (goes == "close") == (standing in TERMINAL)
