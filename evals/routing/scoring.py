"""Scores a router on labelled sentences: how often exactly the right agents are asked. Pure; used by `python -m evals` and its tests."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from typing import NamedTuple

import yaml
from pydantic import Field, TypeAdapter

from core.domain.values import Value

NOBODY = "nobody"
Asked = frozenset[str]
Router = Callable[[str], Asked]


class Case(Value):
    """`asks` must all be asked, `may` can be; whoever else is asked makes the answer wrong."""

    text: str = Field(min_length=1, max_length=2000)
    asks: tuple[str, ...]
    may: tuple[str, ...] = ()

    def holds(self, asked: Asked) -> bool:
        return set(self.asks) <= asked <= {*self.asks, *self.may}


class Answer(NamedTuple):
    """One case with who was asked."""

    case: Case
    asked: Asked

    @property
    def right(self) -> bool:
        return self.case.holds(self.asked)


class Interval(NamedTuple):
    """Bounds of a share, from 0 to 1."""

    low: float
    high: float


class Line(NamedTuple):
    """One domain: cases that need it, how often it was asked then (found), how often it was asked though not wanted (extra)."""

    domain: str
    wanted: int
    found: int
    extra: int


class Score(NamedTuple):
    """`confusion` counts, for cases that need exactly one agent (or nobody), who was asked: (needed, asked) to cases."""

    right: int
    total: int
    lines: tuple[Line, ...]
    confusion: Mapping[tuple[str, str], int]
    wrong: tuple[Answer, ...]

    @property
    def share(self) -> float:
        return self.right / self.total

    @property
    def interval(self) -> Interval:
        return wilson(self.right, self.total)


def read(name: str) -> tuple[Case, ...]:
    """The cases of a file beside this module. Raises pydantic's ValidationError for a malformed one."""
    text = (resources.files("evals.routing") / name).read_text(encoding="utf-8")
    return TypeAdapter(tuple[Case, ...]).validate_python(yaml.safe_load(text), strict=False)


def score(cases: Iterable[Case], router: Router, domains: Sequence[str]) -> Score:
    answers = [Answer(case, router(case.text)) for case in cases]
    return Score(
        right=sum(answer.right for answer in answers),
        total=len(answers),
        lines=tuple(_line(domain, answers) for domain in domains),
        confusion=_confusion(answers),
        wrong=tuple(answer for answer in answers if not answer.right),
    )


def wilson(right: int, total: int, z: float = 1.96) -> Interval:
    """The Wilson score interval (Wilson 1927), 95 % two-sided by default. Without cases nothing is known: 0 to 1."""
    if total == 0:
        return Interval(0.0, 1.0)
    share = right / total
    middle = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return Interval(max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))


def _line(domain: str, answers: Sequence[Answer]) -> Line:
    wanted = [answer for answer in answers if domain in answer.case.asks]
    extra = sum(1 for answer in answers if domain in answer.asked and domain not in {*answer.case.asks, *answer.case.may})
    return Line(domain, len(wanted), sum(domain in answer.asked for answer in wanted), extra)


def _confusion(answers: Iterable[Answer]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for answer in answers:
        if len(answer.case.asks) > 1:
            continue
        needed = answer.case.asks[0] if answer.case.asks else NOBODY
        for asked in answer.asked or {NOBODY}:
            found[needed, asked] = found.get((needed, asked), 0) + 1
    return found
