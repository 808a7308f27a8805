"""Drift is what chance does not explain, and is not said of few runs."""

import pytest

from core.assessing import drift

CALM = [False] * 60


def test_more_flawed_runs_than_before_are_drift() -> None:
    assert drift.drifted([*CALM, *([True] * 6), *([False] * 14)])


@pytest.mark.parametrize(
    "runs",
    [
        CALM,
        [*CALM, True, *([False] * 19)],
        [True] * 20,
        [*([True] * 10), *([True] * 20)],
        [True, False] * 60,
        [True] * 60 + [False] * 20,
        [],
    ],
    ids=["none", "one", "too few", "too few before", "as before", "better", "nothing"],
)
def test_chance_few_runs_and_progress_are_none(runs: list[bool]) -> None:
    assert not drift.drifted(runs)


def test_answers_that_are_mostly_left_aside_are_said() -> None:
    assert drift.unread([True, False] * 5)
    assert not drift.unread([True] * 9)
    assert not drift.unread([False] * 6 + [True] * 4)
    assert not drift.unread([True] * 20 + [False] * 10)
