"""How far an agent may go by itself: raised by verified outcomes alone, lowered at once by a miss, never above what people grant.

The measure is the lower end of Wilson's score interval, one-sided at 95 % (E. B. Wilson, 1927): 25 faultless outcomes reach 0.90, 52 reach
0.95. Nothing else raises a level; no score of a model comes in here.
"""

from collections.abc import Iterable
from datetime import datetime
from math import sqrt
from typing import NamedTuple

from core.domain.objective import Autonomy, Granted

LEVELS = tuple(Autonomy)
NEEDED = {Autonomy.GUARDED: 0.90, Autonomy.AUTO: 0.95}
LATEST = 200
_Z = 1.6448536269514722  # the 95 % quantile of the normal distribution


class Outcome(NamedTuple):
    """How one action ended, of the capability and scope in question."""

    target: str
    at: datetime
    verified: bool


class Standing(NamedTuple):
    """A level with the record that it stands on. `held_back` is what the record would give without the ceiling."""

    level: Autonomy
    granted: Granted
    held_back: Autonomy
    verified: int = 0
    missed: int = 0

    @property
    def bound(self) -> float:
        return lower_bound(self.verified, self.missed)


def lower_bound(verified: int, missed: int) -> float:
    """Of the share of actions that hit: with 95 % confidence it is no less. 0 where nothing was tried."""
    total = verified + missed
    if not total:
        return 0.0
    share, square = verified / total, _Z * _Z / total
    return (share + square / 2 - _Z * sqrt((share * (1 - share) + square / 4) / total)) / (1 + square)


def earned(verified: int, missed: int) -> Autonomy:
    reached = lower_bound(verified, missed)
    return max((level for level, needed in NEEDED.items() if reached >= needed), key=LEVELS.index, default=Autonomy.SUGGEST)


def standing(outcomes: Iterable[Outcome], granted: Granted) -> Standing:
    """From the latest 200 outcomes since people vouched. A hit counts once per target and day, a miss always."""
    level, verified, missed = granted.start, 0, 0
    counted = set()
    for outcome in sorted((item for item in outcomes if granted.since is None or item.at >= granted.since), key=lambda item: item.at)[
        -LATEST:
    ]:
        if not outcome.verified:
            missed += 1
            level = _lowered(level)
        elif (day := (outcome.target, outcome.at.date())) not in counted:
            counted.add(day)
            verified += 1
            level = max(level, earned(verified, missed), key=LEVELS.index)
    return Standing(min(level, granted.ceiling, key=LEVELS.index), granted, level, verified, missed)


def _lowered(level: Autonomy) -> Autonomy:
    """By one step, and not to where nothing could be tried and earned any more: only people take that away."""
    return LEVELS[max(LEVELS.index(level) - 1, min(LEVELS.index(level), LEVELS.index(Autonomy.SUGGEST)))]
