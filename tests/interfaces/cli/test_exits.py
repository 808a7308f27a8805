import pytest

from core.domain import errors
from core.domain.outcome import TERMINAL, ActionState
from interfaces.cli.exits import MEANINGS, Exit, of_error, of_states

S = ActionState


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidInput("x"), 1),
        (errors.InvalidDocument("x", file="f"), 1),
        (errors.NotAuthenticated("x"), 4),
        (errors.NotAuthorised("x"), 4),
        (errors.Refused(("x",)), 3),
        (errors.DigestMismatch(("x",)), 3),
        (errors.PermitRefused(("x",)), 3),
        (errors.Stopped(("x",)), 9),
        (errors.Conflict("x"), 1),
        (errors.Unavailable("x"), 1),
        (errors.Busy("x"), 1),
        (errors.BudgetSpent("x"), 1),
        (errors.OutcomeUnknown("x"), 1),
        (errors.Corrupt("x"), 1),
    ],
)
def test_every_error_has_its_code(error: errors.Day2Error, code: int) -> None:
    assert of_error(error) == code


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([S.VERIFIED], 0),
        ([S.DENIED], 3),
        ([S.ROLLED_BACK], 5),
        ([S.ESCALATED], 6),
        ([S.EXPIRED], 7),
        ([S.NEEDS_APPROVAL], 8),
        ([S.FAILED], 1),
        ([S.CANCELLED], 1),
        ([S.VERIFIED, S.NEEDS_APPROVAL], 8),
        ([S.NEEDS_APPROVAL, S.DENIED], 3),
        ([S.DENIED, S.ROLLED_BACK], 5),
        ([S.ROLLED_BACK, S.ESCALATED, S.VERIFIED], 6),
    ],
)
def test_the_worst_outcome_decides(states: list[ActionState], code: int) -> None:
    assert of_states(states) == code


def test_only_verified_ends_with_zero() -> None:
    assert {state for state in TERMINAL if of_states([state]) == 0} == {S.VERIFIED}


def test_the_table_is_what_people_were_promised() -> None:
    assert [int(code) for code in MEANINGS] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 130]
    assert set(MEANINGS) == set(Exit)
