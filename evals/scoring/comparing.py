"""Whether one run is worse than another, trial by trial. Pure.

Two trials pair by case, seed and contestant. What differs is tested by McNemar's exact test (1947) on the pairs that disagree: under "no
change" either direction is as likely, so so many losses or more of so many changes have the probability of a binomial tail. Worse is:

1. the one-sided probability is below 5 %, over all pairs or those of one suite; or
2. a case that passed on every seed passes on none, and no model had a part in it. Such trials follow from case, seed and code alone, so
   the same one again gives the same: there is no noise that could explain it.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import comb
from typing import NamedTuple

from evals.running.trial import Trial

LEVEL = 0.05


class Change(NamedTuple):
    """A pair that disagrees; `why` are the misses of the worse one."""

    name: str
    suite: str
    contestant: str
    better: bool
    why: tuple[str, ...]


class McNemar(NamedTuple):
    """The exact one-sided test. `worse` pairs passed and do not, `better` the other way."""

    name: str
    pairs: int
    worse: int
    better: int

    @property
    def probability(self) -> float:
        """Of so many losses or more by chance alone; 1 where nothing changed."""
        changed = self.worse + self.better
        return float(sum(comb(changed, k) for k in range(self.worse, changed + 1)) / 2**changed)

    @property
    def is_worse(self) -> bool:
        return self.probability < LEVEL


class Comparison(NamedTuple):
    """`lost` are cases by rule 2. `unpaired` trials are in one of the runs only."""

    changes: tuple[Change, ...]
    tests: tuple[McNemar, ...]
    lost: tuple[str, ...]
    unpaired: int

    @property
    def is_worse(self) -> bool:
        return bool(self.lost) or any(test.is_worse for test in self.tests)


def compared(before: Sequence[Trial], after: Sequence[Trial]) -> Comparison:
    old, new = _named(before), _named(after)
    both = sorted(old.keys() & new.keys())
    pairs = [(old[name], new[name]) for name in both]
    suites = sorted({one.suite for one, _ in pairs})
    tests = (_tested("all", pairs), *(_tested(name, [pair for pair in pairs if pair[0].suite == name]) for name in suites))
    changes = tuple(
        Change(two.name, two.suite, two.contestant, two.passed, one.misses if two.passed else two.misses)
        for one, two in pairs
        if one.passed != two.passed
    )
    return Comparison(changes, tests, _lost(pairs), len(old.keys() ^ new.keys()))


def _named(trials: Iterable[Trial]) -> Mapping[tuple[str, int, str], Trial]:
    return {(trial.case, trial.seed, trial.contestant): trial for trial in trials}


def _tested(name: str, pairs: Sequence[tuple[Trial, Trial]]) -> McNemar:
    worse = sum(one.passed and not two.passed for one, two in pairs)
    return McNemar(name, len(pairs), worse, sum(two.passed and not one.passed for one, two in pairs))


def _lost(pairs: Sequence[tuple[Trial, Trial]]) -> tuple[str, ...]:
    of_case: dict[tuple[str, str], list[tuple[Trial, Trial]]] = {}
    for one, two in pairs:
        if two.tokens is None:
            of_case.setdefault((two.case, two.contestant), []).append((one, two))
    return tuple(
        case
        for (case, contestant), found in sorted(of_case.items())
        if contestant == "day2ops" and all(one.passed for one, _ in found) and not any(two.passed for _, two in found)
    )
