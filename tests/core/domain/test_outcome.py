import itertools

import pytest

from core.domain import outcome
from core.domain.outcome import TERMINAL, TRANSITIONS, ActionState, allowed

S = ActionState


def reachable(start: ActionState, without: frozenset[ActionState] = frozenset()) -> set[ActionState]:
    found, todo = {start}, [start]
    while todo:
        for state in TRANSITIONS.get(todo.pop(), frozenset()) - found - without:
            found.add(state)
            todo.append(state)
    return found


def test_every_state_is_reached_from_the_start() -> None:
    assert reachable(S.SUBMITTED) == set(S)


@pytest.mark.parametrize("state", sorted(S))
def test_every_state_is_terminal_or_leads_to_an_end(state: ActionState) -> None:
    assert (state in TERMINAL) != (state in TRANSITIONS)
    assert reachable(state) & TERMINAL


@pytest.mark.parametrize(("old", "new"), sorted(itertools.product(TERMINAL, S)))
def test_an_end_is_an_end(old: ActionState, new: ActionState) -> None:
    assert not allowed(old, new)


def test_nothing_is_sent_without_permit_and_claim() -> None:
    assert S.SENDING not in reachable(S.SUBMITTED, frozenset({S.PERMITTED}))
    assert S.SENDING not in reachable(S.SUBMITTED, frozenset({S.CLAIMED}))
    assert not {S.APPLIED, S.VERIFIED, S.UNDOING} & reachable(S.SUBMITTED, frozenset({S.SENDING}))


def test_what_needs_approval_is_permitted_only_through_an_approval() -> None:
    assert S.PERMITTED not in TRANSITIONS[S.NEEDS_APPROVAL]
    assert S.PERMITTED not in reachable(S.NEEDS_APPROVAL, frozenset({S.APPROVED}))


def test_once_the_write_may_be_on_the_wire_it_is_never_sent_again() -> None:
    for state in (S.SENDING, S.UNKNOWN, S.APPLIED, S.UNDOING):
        assert not {S.SUBMITTED, S.PERMITTED, S.CLAIMED} & reachable(state)
        assert S.SENDING not in TRANSITIONS[state]


def test_a_lost_reply_ends_only_by_reading_back() -> None:
    assert TRANSITIONS[S.UNKNOWN] == {S.APPLIED, S.FAILED, S.ESCALATED}
    assert S.CANCELLED not in reachable(S.SENDING)


def test_only_the_moves_of_the_table_are_allowed() -> None:
    assert outcome.allowed(outcome.ActionState.SUBMITTED, outcome.ActionState.PERMITTED)
    assert not outcome.allowed(outcome.ActionState.VERIFIED, outcome.ActionState.SUBMITTED)
