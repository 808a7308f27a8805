"""Are runs flawed more often than they used to be? Two shares with Wilson's intervals; nothing is said on few runs."""

from collections.abc import Sequence

from core.policy.autonomy import lower_bound

LATEST, LEAST_BEFORE, MOST = 20, 20, 200
ANSWERS = 10
"""Of the model: the latest that are looked at."""


def drifted(flawed: Sequence[bool]) -> bool:
    """Oldest first. The latest 20 against those before: the intervals (each one-sided at 95 %) lie apart."""
    latest, before = flawed[-LATEST:], flawed[-MOST:-LATEST]
    if len(before) < LEAST_BEFORE:
        return False
    least_now = lower_bound(sum(latest), len(latest) - sum(latest))
    most_then = 1 - lower_bound(len(before) - sum(before), sum(before))
    return least_now > most_then


def unread(aside: Sequence[bool]) -> bool:
    """Whether the model's answers are left aside at least every other time."""
    latest = aside[-ANSWERS:]
    return len(latest) == ANSWERS and sum(latest) * 2 >= ANSWERS
