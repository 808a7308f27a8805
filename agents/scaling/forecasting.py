"""The load of the next hours from that of the last two weeks: profile of the day x level of the same weekday last week. Called by `peaks`.

Source: the form that won the project's own comparison over 1,000 synthetic series at a fraction of the cost of a library: the share of
each time of day in its day (`P = D / L`), a quantile of it over days of the same sort (weighted, half-life 4 days), times the level of
the same weekday a week ago, times the trend from one week to the next, kept between 0.8 and 1.25. It is used only where it beats the
naive forecast ("as last week") on the last days, and where one week resembles the other. Days are calendar days in UTC.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

DAY = 86_400
WEEK_DAYS = 7
HALF_LIFE_DAYS = 4
TREND_BOUNDS = (0.8, 1.25)
LEAST_COVERED = 0.9
LEAST_AUTOCORRELATION = 0.5
_MONDAY = 4 * DAY
"""5 January 1970, in Unix seconds."""


class History(NamedTuple):
    """`days[d][i]` is the load in bin `i` of a whole calendar day, oldest first; today, of which a part is over, comes after the last."""

    days: tuple[tuple[float, ...], ...]
    first: int
    step_seconds: int

    def weekday(self, day: int) -> int:
        """0 is Monday."""
        return ((self.first - _MONDAY) // DAY + day) % WEEK_DAYS


class Forecast(NamedTuple):
    """`values` are the bins after now; `mase` is the error over the naive one's in the back-test."""

    values: tuple[float, ...]
    step_seconds: int
    mase: float
    autocorrelation: float

    @property
    def trusted(self) -> bool:
        return self.mase < 1 and self.autocorrelation >= LEAST_AUTOCORRELATION


def history(times: Sequence[float], values: Sequence[float], now: datetime, step_seconds: int, days: int = 14) -> History | None:
    """The whole days before today. None where more than a tenth is missing; a gap keeps the value before it."""
    today = int(now.timestamp()) // DAY * DAY
    first = today - (days - 1) * DAY
    bins = (days - 1) * DAY // step_seconds
    sums, counts = [0.0] * bins, [0] * bins
    for at, value in zip(times, values, strict=True):
        place = int((at - first) // step_seconds)
        if 0 <= place < bins:
            sums[place] += value
            counts[place] += 1
    if sum(count > 0 for count in counts) < LEAST_COVERED * bins:
        return None
    filled: list[float] = []
    for total, count in zip(sums, counts, strict=True):
        filled.append(total / count if count else (filled[-1] if filled else 0.0))
    per_day = DAY // step_seconds
    return History(tuple(tuple(filled[start : start + per_day]) for start in range(0, bins, per_day)), first, step_seconds)


def forecast(past: History, now: datetime, quantile: float) -> Forecast:
    """The rest of today and tomorrow, from the bin after the one that runs now."""
    today = len(past.days)
    per_day = DAY // past.step_seconds
    begun = int(now.timestamp()) % DAY // past.step_seconds + 1
    coming = (*_day(past, today, quantile), *_day(past, today + 1, quantile, known=today))[begun : begun + per_day]
    return Forecast(coming, past.step_seconds, _mase(past), _weekly_autocorrelation(past))


def _day(past: History, day: int, quantile: float, known: int | None = None) -> tuple[float, ...]:
    """One day, from the `known` days before it alone. The same weekday of the week before must be among them."""
    until = day if known is None else known
    levels = [max(_mean(values), 1e-9) for values in past.days[:until]]
    level = levels[day - WEEK_DAYS] * _trend(levels)
    alike = [index for index in range(until) if _weekend(past, index) is _weekend(past, day)]
    weights = [2 ** (-(day - 1 - index) / HALF_LIFE_DAYS) for index in alike]
    return tuple(
        level
        * _weighted_quantile(
            [(past.days[index][place] / levels[index], weight) for index, weight in zip(alike, weights, strict=True)], quantile
        )
        for place in range(len(past.days[0]))
    )


def _weekend(past: History, day: int) -> bool:
    return past.weekday(day) >= 5  # Saturday


def _trend(levels: list[float]) -> float:
    """The last six days over the same weekdays a week before; 1 where those are not there."""
    if len(levels) < 2 * WEEK_DAYS - 1:
        return 1.0
    low, high = TREND_BOUNDS
    return min(max(_mean(levels[-6:]) / _mean(levels[-13:-7]), low), high)


def _weighted_quantile(pairs: list[tuple[float, float]], quantile: float) -> float:
    """Between the values whose middle weights enclose the quantile, in a straight line; 0 without values."""
    ordered = sorted(pairs)
    wanted = quantile * sum(weight for _, weight in ordered)
    passed, place, before = 0.0, 0.0, ordered[0][0] if ordered else 0.0
    for value, weight in ordered:
        middle = passed + weight / 2
        if middle >= wanted:
            return before + (value - before) * ((wanted - place) / (middle - place) if middle > place else 0.0)
        passed, place, before = passed + weight, middle, value
    return before


def _mase(past: History) -> float:
    """Mean absolute error of the days that have a week before them, forecast one by one, over that of "as a week ago"."""
    ours = naive = 0.0
    for day in range(WEEK_DAYS, len(past.days)):
        for value, actual, before in zip(_day(past, day, 0.5), past.days[day], past.days[day - WEEK_DAYS], strict=True):
            ours += abs(value - actual)
            naive += abs(before - actual)
    return ours / naive if naive else (0.0 if ours == 0 else 2.0)


def _weekly_autocorrelation(past: History) -> float:
    """Pearson's r of the last days and the same weekdays a week before; 0 for a load that never changes."""
    last = [value for day in past.days[WEEK_DAYS:] for value in day]
    before = [value for day in past.days[: len(past.days) - WEEK_DAYS] for value in day]
    mean_before, mean_last = _mean(before), _mean(last)
    covariance = sum((a - mean_before) * (b - mean_last) for a, b in zip(before, last, strict=True))
    spread = (sum((a - mean_before) ** 2 for a in before) * sum((b - mean_last) ** 2 for b in last)) ** 0.5
    return covariance / spread if spread else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
