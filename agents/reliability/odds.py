"""How sure it is that one share is above another by a margin, from counts alone: the test behind a rollback for errors.

Beta-binomial: each share has the posterior Beta(1 + failed, 1 + answered - failed) of a flat prior, and the answer is the probability that
the newer one is above the older one by more than the margin. Fixed ratios of error rates misfire on few requests; this does not, because
few requests leave both shares wide. A. Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.4.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

POINTS = 1500
_WIDTH = 9.0
"""Standard deviations on each side of a posterior's mean: what lies outside is below 1e-9."""


class Counts(NamedTuple):
    """Requests that were answered, and those of them that failed."""

    answered: float
    failed: float

    @property
    def share(self) -> float:
        return self.failed / self.answered if self.answered else 0.0


class _Posterior(NamedTuple):
    """A share's distribution over `POINTS` equal steps from `low`: the weight of each step; they sum to 1."""

    low: float
    step: float
    weights: tuple[float, ...]

    def points(self) -> Iterator[float]:
        """The middle of each step."""
        return (self.low + (place + 0.5) * self.step for place in range(POINTS))


def above(newer: Counts, older: Counts, margin: float) -> float:
    """P(share of `newer` > share of `older` + `margin`), 0 to 1, to about 1e-3, by quadrature."""
    new, old = _posterior(newer), _posterior(older)
    below = (0.0, *accumulate(new.weights))
    odds = sum(weight * (1 - _below(new, below, point + margin)) for point, weight in zip(old.points(), old.weights, strict=True))
    return min(1.0, max(0.0, odds))


def _below(share: _Posterior, below: Sequence[float], at: float) -> float:
    """The distribution function, linear within a step; `below` are its values at the ends of the steps."""
    place = min(max((at - share.low) / share.step, 0.0), float(POINTS))
    whole = min(int(place), POINTS - 1)
    return below[whole] + share.weights[whole] * (place - whole)


def _posterior(counts: Counts) -> _Posterior:
    a, b = 1 + counts.failed, 1 + counts.answered - counts.failed
    mean = a / (a + b)
    deviation = math.sqrt(mean * (1 - mean) / (a + b + 1))
    low, high = max(0.0, mean - _WIDTH * deviation), min(1.0, mean + _WIDTH * deviation)
    found = _Posterior(low, (high - low) / POINTS, ())
    logs = [(a - 1) * math.log(point) + (b - 1) * math.log1p(-point) for point in found.points()]
    top = max(logs)
    weights = [math.exp(value - top) for value in logs]
    whole = sum(weights)
    return found._replace(weights=tuple(weight / whole for weight in weights))
