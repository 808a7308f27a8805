"""What was said of labelled trajectories: alignment, false alarms, silent misses, with intervals; and what an assessor must reach."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from core.assessing.answers import Assessment, Outcome
from evals.assessing.corpus import Labelled
from evals.routing.scoring import Interval, wilson

LEAST_ALIGNED, MOST_ALARMS, MOST_SILENT = 0.85, 0.02, 0.08
"""An assessor that reaches these may lower what is trusted; one that does not is not used."""


class Row(NamedTuple):
    """One trajectory and what was said of it. `named`: the requirement that was broken is among the violated."""

    seed: int
    fault: str
    planted: str
    breaks: str
    outcome: str
    violated: tuple[str, ...]
    unknown: tuple[str, ...] = ()

    @property
    def flawed(self) -> bool:
        return bool(self.breaks)

    @property
    def named(self) -> bool:
        return self.breaks in self.violated

    @property
    def aligned(self) -> bool:
        return self.outcome == (Outcome.FLAWED if self.flawed else Outcome.SOUND)


class Share(NamedTuple):
    """So many of so many."""

    name: str
    found: int
    total: int

    @property
    def share(self) -> float:
        return self.found / self.total if self.total else 0.0

    @property
    def interval(self) -> Interval:
        return wilson(self.found, self.total)


class Score(NamedTuple):
    """`aligned`: the outcome is the label. Alarms are of sound runs, silent misses of flawed ones; what is unknown is neither."""

    aligned: Share
    alarms: Share
    silent: Share
    named: Share
    unknown: Share

    @property
    def passes(self) -> bool:
        """By the shares themselves, and never on nothing."""
        counted = self.alarms.total > 0 and self.silent.total > 0
        return counted and self.aligned.share >= LEAST_ALIGNED and self.alarms.share <= MOST_ALARMS and self.silent.share <= MOST_SILENT


def useful(score: Score, without: Score) -> bool:
    """Whether a model may be asked: with it the assessor passes, and tells more runs right than code does without it."""
    return score.passes and score.aligned.found > without.aligned.found


Assessor = Callable[[Labelled], Assessment]


def said(cases: Iterable[Labelled], assessor: Assessor) -> tuple[Row, ...]:
    """The assessor sees the run; the label is joined afterwards."""
    return tuple(_row(case, assessor(case)) for case in cases)


def _row(case: Labelled, found: Assessment) -> Row:
    violated = tuple(answer.requirement for answer in found.violated)
    unknown = tuple(answer.requirement for answer in found.answers if answer.standing == "unknown")
    return Row(case.seed, case.fault, case.planted, case.breaks, found.outcome.value, violated, unknown)


def score(rows: Sequence[Row]) -> Score:
    flawed, sound = [row for row in rows if row.flawed], [row for row in rows if not row.flawed]
    return Score(
        aligned=Share("the outcome is the label", sum(row.aligned for row in rows), len(rows)),
        alarms=Share("false alarms: sound, called flawed", sum(row.outcome == Outcome.FLAWED for row in sound), len(sound)),
        silent=Share("silent misses: flawed, called sound", sum(row.outcome == Outcome.SOUND for row in flawed), len(flawed)),
        named=Share("flawed, and the broken requirement named", sum(row.named for row in flawed), len(flawed)),
        unknown=Share("unknown", sum(row.outcome == Outcome.UNKNOWN for row in rows), len(rows)),
    )


def counted(pairs: Sequence[Sequence[int]]) -> Score:
    """Of counts as they are stored: so many of so many, in the order of a Score."""
    return Score(*(Share(each.name, *pair) for each, pair in zip(score(()), pairs, strict=True)))


class Line(NamedTuple):
    """One error, or one harmless variation."""

    planted: str
    breaks: str
    total: int
    flawed: int
    unknown: int
    named: int


def lines(rows: Sequence[Row]) -> tuple[Line, ...]:
    keys = dict.fromkeys((row.planted, row.breaks) for row in rows)
    return tuple(
        _line(planted, breaks, [row for row in rows if (row.planted, row.breaks) == (planted, breaks)]) for planted, breaks in keys
    )


def _line(planted: str, breaks: str, rows: Sequence[Row]) -> Line:
    outcomes = [row.outcome for row in rows]
    named = sum(row.named for row in rows)
    return Line(planted, breaks, len(rows), outcomes.count(Outcome.FLAWED), outcomes.count(Outcome.UNKNOWN), named)
