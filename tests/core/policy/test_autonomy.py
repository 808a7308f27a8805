"""Autonomy is earned: outcomes raise it, a miss lowers it at once, people's grant is the limit."""

from datetime import UTC, datetime, timedelta
from math import sqrt

import pytest

from core.domain.objective import Autonomy, Granted
from core.policy.autonomy import LATEST, Outcome, earned, lower_bound, standing
from core.policy.prospects import still_needed

A = Autonomy
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FREE = Granted(A.AUTO, A.SUGGEST)


def record(text: str) -> list[Outcome]:
    """`+` is a hit and `-` a miss, an hour apart, each on a target of its own."""
    return [Outcome(f"uid-{number}", START + timedelta(hours=number), sign == "+") for number, sign in enumerate(text)]


def test_the_bound_is_wilsons() -> None:
    """By its definition: a share of exactly the bound would be 1.6449 standard errors, of its own, below what was seen."""
    for verified, missed in ((25, 0), (52, 0), (9, 1), (1, 9), (198, 2), (1, 0)):
        total, bound = verified + missed, lower_bound(verified, missed)
        assert (verified / total - bound) / sqrt(bound * (1 - bound) / total) == pytest.approx(1.6449, abs=1e-4)
    assert lower_bound(0, 5) == pytest.approx(0)
    assert lower_bound(0, 0) == 0


@pytest.mark.parametrize(("verified", "level"), [(0, A.SUGGEST), (24, A.SUGGEST), (25, A.GUARDED), (51, A.GUARDED), (52, A.AUTO)])
def test_so_many_faultless_outcomes_earn_a_level(verified: int, level: Autonomy) -> None:
    assert earned(verified, 0) is level
    assert standing(record("+" * verified), FREE).level is level


@pytest.mark.parametrize(("outcomes", "level"), [("+" * 60 + "-", A.GUARDED), ("+" * 30 + "-", A.SUGGEST), ("+" * 60 + "--", A.SUGGEST)])
def test_a_miss_lowers_it_at_once_by_a_level(outcomes: str, level: Autonomy) -> None:
    assert standing(record(outcomes), FREE).level is level


def test_after_a_miss_a_level_is_earned_again_by_the_whole_record() -> None:
    missed = standing(record("+" * 52 + "-"), FREE)
    assert missed.level is A.GUARDED
    more = still_needed(missed)
    assert standing(record("+" * 52 + "-" + "+" * (more - 1)), FREE).level is A.GUARDED
    assert standing(record("+" * 52 + "-" + "+" * more), FREE).level is A.AUTO


def test_misses_never_take_away_the_chance_to_earn() -> None:
    assert standing(record("-" * 9), FREE).level is A.SUGGEST
    assert standing(record("-"), Granted(A.AUTO, A.OBSERVE)).level is A.OBSERVE


@pytest.mark.parametrize("ceiling", list(A))
def test_no_record_reaches_above_what_people_grant(ceiling: Autonomy) -> None:
    found = standing(record("+" * 200), Granted(ceiling, A.AUTO))
    assert (found.level, found.held_back) == (ceiling, A.AUTO)
    assert still_needed(found) == 0


def test_what_people_vouch_for_holds_until_the_first_miss() -> None:
    vouched = Granted(A.AUTO, A.AUTO)
    assert standing((), vouched).level is A.AUTO
    assert standing(record("-"), vouched).level is A.GUARDED
    assert standing(record("-++"), vouched).level is A.GUARDED, "two hits are no record"
    assert standing(record("-"), vouched._replace(since=START + timedelta(hours=1))).level is A.AUTO, "people looked, and vouch again"


def test_the_same_target_counts_once_a_day_and_each_time_it_misses() -> None:
    often = [Outcome("uid-1", START + timedelta(minutes=number), True) for number in range(100)]
    assert (standing(often, FREE).verified, standing(often, FREE).level) == (1, A.SUGGEST)
    daily = [Outcome("uid-1", START + timedelta(days=number), True) for number in range(25)]
    assert standing(daily, FREE).level is A.GUARDED
    assert standing([item._replace(verified=False) for item in often], FREE).missed == 100


def test_only_the_latest_count() -> None:
    assert standing(record("-" * 50 + "+" * LATEST), FREE)[3:] == (LATEST, 0)


def test_the_order_in_which_outcomes_are_found_does_not_matter() -> None:
    outcomes = record("+" * 30 + "-" + "+" * 5)
    assert standing(reversed(outcomes), FREE) == standing(outcomes, FREE)


@pytest.mark.parametrize(("outcomes", "needed"), [("", 25), ("+" * 20, 5), ("+" * 25, 27), ("+" * 52, 0)])
def test_the_next_step_is_told(outcomes: str, needed: int) -> None:
    assert still_needed(standing(record(outcomes), FREE)) == needed


def test_where_people_grant_no_more_there_is_no_next_step() -> None:
    assert still_needed(standing(record("+" * 30), Granted(A.GUARDED, A.SUGGEST))) == 0
    assert still_needed(standing((), Granted(A.OBSERVE, A.OBSERVE))) == 0


def test_a_standing_tells_the_bound_of_its_record() -> None:
    found = standing([Outcome(f"t{number}", START, True) for number in range(10)], FREE)
    assert (found.verified, found.missed) == (10, 0)
    assert found.bound == lower_bound(10, 0) > 0.6


def test_what_ended_before_people_looked_does_not_count_and_what_ended_then_does() -> None:
    granted = FREE._replace(since=START)
    outcomes = [
        Outcome("a", START - timedelta(seconds=1), False),
        Outcome("b", START, True),
        Outcome("c", START + timedelta(days=1), False),
    ]
    found = standing(outcomes, granted)
    assert (found.verified, found.missed) == (1, 1)
    everything = standing(outcomes, FREE)
    assert (everything.verified, everything.missed) == (1, 2)


def test_without_a_record_nothing_is_counted() -> None:
    found = standing([], FREE)
    assert (found.verified, found.missed, found.bound) == (0, 0, 0.0)
