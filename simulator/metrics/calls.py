"""What a request costs that calls others on its way: times of answers added up, failures passed on. Asked by the load model.

An answer of one pod is log-logistic with one shape for all, so its first two moments follow from its median. Means and variances of the
parts of a request add up (its calls are made one after the other, and are independent), and the sum is read back as the p99 that an answer
with this mean and variance has: exact for a request without calls.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulator.metrics.noise import Floats
from simulator.worlds.world import Call

SHAPE = 3.6
"""Of the log-logistic distribution: p99 is 99 ** (1 / 3.6) = 3.6 times the median."""
TAIL = 99.0 ** (1 / SHAPE)
_ANGLE = np.pi / SHAPE
MEAN = float(_ANGLE / np.sin(_ANGLE))
"""Of an answer with median 1, and below that of its square."""
_SQUARE = float(2 * _ANGLE / np.sin(2 * _ANGLE))
_SPREAD = float(np.sqrt(_SQUARE - MEAN**2))
_P99 = (TAIL - MEAN) / _SPREAD
"""How many standard deviations p99 lies above the mean."""
_LEVELS = (np.arange(32) + 0.5) / 32
_QUANTILES = (_LEVELS / (1 - _LEVELS)) ** (1 / SHAPE)
_FOR_MEAN = _QUANTILES * MEAN / _QUANTILES.mean()
_FOR_SQUARE = _QUANTILES * np.sqrt(_SQUARE / (_QUANTILES**2).mean())


class Answers(NamedTuple):
    """How one group of equal pods answered: share of the traffic, p99 in ms and errors 0..1 at each time."""

    share: Floats
    p99_ms: Floats
    errors: Floats


class Asked(NamedTuple):
    """One way to call, and what came of it at each time: mean and mean square of the ms that the caller waited, and failures 0..1."""

    call: Call
    mean_ms: Floats
    square: Floats
    errors: Floats


def asked(call: Call, groups: Sequence[Answers], failed: Floats) -> Asked:
    """A call of what answers in these groups and fails so often. Where nobody answers the call is refused at once: a service without
    endpoints rejects. Who is not answered within the timeout goes on without, and that is a failure too."""
    mean, square, late = np.zeros_like(failed), np.zeros_like(failed), np.zeros_like(failed)
    for group in groups:
        median = group.p99_ms / TAIL
        mean += group.share * np.minimum(median[:, None] * _FOR_MEAN, call.timeout_ms).mean(axis=1)
        square += group.share * (np.minimum(median[:, None] * _FOR_SQUARE, call.timeout_ms) ** 2).mean(axis=1)
        late += group.share * (1 - answered_within(call.timeout_ms, group.p99_ms))
    return Asked(call, mean, square, 1 - (1 - np.clip(failed, 0, 1)) * (1 - np.clip(late, 0, 1)))


def joined(own: Answers, calls: Sequence[Asked]) -> Answers:
    """What a caller's clients see of pods that by themselves answer as `own`."""
    median = own.p99_ms / TAIL
    mean, variance, good = median * MEAN, (median * _SPREAD) ** 2, 1 - own.errors
    for each in calls:
        often = each.call.per_request
        mean = mean + often * each.mean_ms
        if often < 1:
            variance = variance + often * each.square - (often * each.mean_ms) ** 2
        else:
            variance = variance + often * (each.square - each.mean_ms**2)
        if not each.call.fallback:
            good = good * (1 - often * each.errors if often < 1 else (1 - each.errors) ** often)
    p99 = mean + _P99 * np.sqrt(np.maximum(variance, 0.0))
    return Answers(own.share, p99, 1 - good)


def answered_within(bound_ms: float, p99_ms: Floats) -> Floats:
    """The share of answers that took at most `bound_ms`, by the distribution's p99."""
    return np.asarray(1 / (1 + (bound_ms / (p99_ms / TAIL)) ** -SHAPE))
