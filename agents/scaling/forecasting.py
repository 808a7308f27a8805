"""The load of the next hours from that of the last two weeks: profile of the day x level of the same weekday last week. Called by `peaks`.

Source: the form that won the project's own comparison over 1,000 synthetic series at a fraction of the cost of a library: the share of
each time of day in its day (`P = D / L`), a quantile of it over days of the same sort (weighted, half-life 4 days), times the level of
the same weekday a week ago, times the trend from one week to the next, kept between 0.8 and 1.25. It is used only where it beats the
naive forecast ("as last week") on the last seven days, and where one week resembles the other.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

DAY = 86_400
HALF_LIFE_DAYS = 4
TREND_BOUNDS = (0.8, 1.25)
LEAST_COVERED = 0.9
LEAST_AUTOCORRELATION = 0.5
WEEK_DAYS = 7
SATURDAY = 5


class History(NamedTuple):
    """`days[d][i]` is the load in bin `i` of day `d`, oldest first; the last day ends now. Each bin has its own weekday."""

    days: tuple[tuple[float, ...], ...]
    starts: tuple[float, ...]
    step_seconds: int


class Forecast(NamedTuple):
    """`values` are the next 24 hours in steps; `mase` is the error over the naive one's on the last week."""

    values: tuple[float, ...]
    step_seconds: int
    mase: float
    autocorrelation: float

    @property
    def trusted(self) -> bool:
        return self.mase < 1 and self.autocorrelation >= LEAST_AUTOCORRELATION


def history(times: Sequence[float], values: Sequence[float], end: datetime, step_seconds: int, days: int = 14) -> History | None:
    """Bins of whole steps that end at `end`; None where more than a tenth is missing. A gap keeps the value before it."""
    bins = days * DAY // step_seconds
    begin = end.timestamp() - days * DAY
    sums, counts = [0.0] * bins, [0] * bins
    for at, value in zip(times, values, strict=True):
        place = int((at - begin) // step_seconds)
        if at == end.timestamp():
            place = bins - 1
        if 0 <= place < bins:
            sums[place] += value
            counts[place] += 1
    if sum(count > 0 for count in counts) < LEAST_COVERED * bins:
        return None
    return _folded(sums, counts, begin, step_seconds)


def _folded(sums: list[float], counts: list[int], begin: float, step_seconds: int) -> History:
    filled: list[float] = []
    for total, count in zip(sums, counts, strict=True):
        filled.append(total / count if count else (filled[-1] if filled else 0.0))
    per_day = DAY // step_seconds
    days = tuple(tuple(filled[start : start + per_day]) for start in range(0, len(filled), per_day))
    return History(days, tuple(begin + index * DAY for index in range(len(days))), step_seconds)


def forecast(past: History, quantile: float) -> Forecast:
    """The next 24 hours at this quantile, with the back-test at the median."""
    values = _next_day(past, len(past.days), quantile)
    return Forecast(values, past.step_seconds, _mase(past), _weekly_autocorrelation(past))


def _next_day(past: History, day: int, quantile: float) -> tuple[float, ...]:
    """The day with this index, from the days before it alone. Needs seven of them."""
    levels = [max(_mean(values), 1e-9) for values in past.days[:day]]
    level = levels[day - WEEK_DAYS] * _trend(levels)
    start = past.starts[0] + day * DAY
    profile = [0.0] * len(past.days[0])
    weekend = [_weekend(start + place * past.step_seconds) for place in range(len(profile))]
    for place, wanted in enumerate(weekend):
        shares = [
            (past.days[index][place] / levels[index], 2 ** (-(day - 1 - index) / HALF_LIFE_DAYS))
            for index in range(day)
            if _weekend(past.starts[index] + place * past.step_seconds) is wanted
        ]
        profile[place] = _weighted_quantile(shares, quantile) * level
    return tuple(profile)


def _trend(levels: list[float]) -> float:
    """The last seven days over the seven before; 1 where those are not there."""
    if len(levels) < 2 * WEEK_DAYS:
        return 1.0
    low, high = TREND_BOUNDS
    return min(max(_mean(levels[-WEEK_DAYS:]) / _mean(levels[-2 * WEEK_DAYS : -WEEK_DAYS]), low), high)


def _weekend(at: float) -> bool:
    return datetime.fromtimestamp(at, UTC).weekday() >= SATURDAY


def _weighted_quantile(pairs: list[tuple[float, float]], quantile: float) -> float:
    """The smallest value at which the weights up to it reach the quantile; 0 without values."""
    ordered = sorted(pairs)
    wanted, reached = quantile * sum(weight for _, weight in ordered), 0.0
    for value, weight in ordered:
        reached += weight
        if reached >= wanted:
            return value
    return ordered[-1][0] if ordered else 0.0


def _mase(past: History) -> float:
    """Mean absolute error of the last seven days forecast one by one, over that of "as a week ago"."""
    ours = naive = 0.0
    for day in range(len(past.days) - WEEK_DAYS, len(past.days)):
        expected = _next_day(past, day, 0.5)
        for value, actual, before in zip(expected, past.days[day], past.days[day - WEEK_DAYS], strict=True):
            ours += abs(value - actual)
            naive += abs(before - actual)
    return ours / naive if naive else (0.0 if ours == 0 else 2.0)


def _weekly_autocorrelation(past: History) -> float:
    """Pearson's r of the last week and the one before; 0 for a load that never changes."""
    before = [value for day in past.days[-2 * WEEK_DAYS : -WEEK_DAYS] for value in day]
    last = [value for day in past.days[-WEEK_DAYS:] for value in day]
    mean_before, mean_last = _mean(before), _mean(last)
    covariance = sum((a - mean_before) * (b - mean_last) for a, b in zip(before, last, strict=True))
    spread = (sum((a - mean_before) ** 2 for a in before) * sum((b - mean_last) ** 2 for b in last)) ** 0.5
    return covariance / spread if spread else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
