"""The test behind a rollback for errors: what it says is right, and how often it would be wrong."""

from math import comb
from random import Random

import pytest

from agents.reliability.odds import Counts, above
from agents.reliability.rollout_errors import LEAST_REQUESTS, MARGIN, SURE


def exact(newer: Counts, older: Counts) -> float:
    """P(newer > older) for whole numbers: the sum that the incomplete beta function becomes, another formula than the tested one."""
    a, b = int(1 + older.failed), int(1 + older.answered - older.failed)
    c, d = int(1 + newer.failed), int(1 + newer.answered - newer.failed)
    # the chance that, of a + b - 1 and c + d - 1 uniform order statistics mixed, the c-th of the second lies above the a-th of the first
    m, n = a + b - 1, c + d - 1
    return sum(comb(a - 1 + j, j) * comb(m - a + n - j, n - j) for j in range(c)) / comb(m + n, n)


@pytest.mark.parametrize(
    ("new", "old"), [((20, 3), (30, 1)), ((10, 0), (10, 0)), ((200, 10), (200, 12)), ((50, 50), (50, 1)), ((40, 0), (60, 9))]
)
def test_it_agrees_with_the_closed_form_for_whole_numbers(new: tuple[int, int], old: tuple[int, int]) -> None:
    assert above(Counts(*new), Counts(*old), 0.0) == pytest.approx(exact(Counts(*new), Counts(*old)), abs=2e-3)


def test_equal_counts_are_even_odds_and_the_order_does_not_matter() -> None:
    counts, more = Counts(500, 10), Counts(500, 30)
    assert above(counts, counts, 0.0) == pytest.approx(0.5, abs=1e-3)
    assert above(more, counts, 0.0) + above(counts, more, 0.0) == pytest.approx(1.0, abs=2e-3)


def test_a_larger_margin_is_less_sure() -> None:
    odds = [above(Counts(1000, 40), Counts(1000, 10), margin) for margin in (0.0, 0.01, 0.02, 0.05)]
    assert odds == sorted(odds, reverse=True)
    assert odds[0] > 0.99
    assert odds[-1] < 0.05


@pytest.mark.parametrize("counts", [Counts(0, 0), Counts(1, 1), Counts(1e9, 0), Counts(1e9, 1e9), Counts(3.5, 0.2)])
def test_odd_counts_are_odds_all_the_same(counts: Counts) -> None:
    assert 0 <= above(counts, Counts(1000, 10), MARGIN) <= 1


def draw(chance: Random, answered: int, share: float) -> Counts:
    return Counts(answered, sum(chance.random() < share for _ in range(answered)))


def test_without_a_change_a_rollback_is_asked_for_in_less_than_one_case_of_a_hundred() -> None:
    chance = Random(7)
    wrong = sum(above(draw(chance, LEAST_REQUESTS, 0.02), draw(chance, 3600, 0.02), MARGIN) >= SURE for _ in range(300))
    assert wrong <= 3


def test_five_points_more_errors_are_sure_within_three_minutes_of_ten_requests_a_second() -> None:
    chance = Random(11)
    assert all(above(draw(chance, 1800, 0.06), draw(chance, 36_000, 0.01), MARGIN) >= SURE for _ in range(20))
