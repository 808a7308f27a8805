"""A lane for each agent, a bar for each run, a tick for each action: what happened in a span of time, at one glance."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

HOURS = 24
MOST_TICKS = 120
MOST_ROWS = 200
NARROWEST = 0.5


class Bar(NamedTuple):
    """`x` and `width` in percent of the picture. `word` is its state."""

    x: float
    width: float
    word: str
    label: str


class Tick(NamedTuple):
    x: float
    word: str
    label: str


class Row(NamedTuple):
    """The same as a mark, in words, with the way to it."""

    when: str
    agent: str
    what: str
    state: str
    href: str


class Lane(NamedTuple):
    """`said` is the lane in words."""

    name: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    said: str


class Lanes(NamedTuple):
    """`axis` has the place and the word of each mark of time; `rows` the same as a table."""

    lanes: tuple[Lane, ...]
    axis: tuple[tuple[float, str], ...]
    head: tuple[str, ...]
    rows: tuple[Row, ...]


class Span(NamedTuple):
    start: datetime
    end: datetime

    def at(self, moment: datetime) -> float:
        whole = (self.end - self.start).total_seconds() or 1.0
        return round(min(100.0, max(0.0, 100 * (moment - self.start).total_seconds() / whole)), 2)


class Work(NamedTuple):
    """One run. `end` None while it works."""

    id: str
    agents: tuple[str, ...]
    start: datetime
    end: datetime | None


class Deed(NamedTuple):
    """One action."""

    id: str
    agent: str
    at: datetime
    state: str
    sentence: str


def drawn(runs: Iterable[Work], deeds: Iterable[Deed], names: Sequence[str], now: datetime, hours: int = HOURS) -> Lanes:
    """Of the last hours. Every agent has its lane, also one that did nothing."""
    span = Span(now - timedelta(hours=hours), now)
    seen = [run for run in runs if (run.end or now) >= span.start]
    done = [deed for deed in deeds if deed.at >= span.start]
    known = dict.fromkeys([*names, *(name for run in seen for name in run.agents), *(deed.agent for deed in done)])
    lanes = tuple(_lane(name, seen, done, span) for name in known)
    return Lanes(lanes, _axis(span, hours), ("When", "Agent", "What", "State"), _rows(seen, done, now))


def _lane(name: str, runs: Sequence[Work], deeds: Sequence[Deed], span: Span) -> Lane:
    mine = [run for run in runs if name in run.agents]
    acts = [deed for deed in deeds if deed.agent == name]
    said = f"{len(mine)} run{'' if len(mine) == 1 else 's'}, {len(acts)} action{'' if len(acts) == 1 else 's'}"
    ticks = tuple(Tick(span.at(deed.at), deed.state, f"{deed.state}: {deed.sentence}") for deed in acts[:MOST_TICKS])
    return Lane(name, tuple(_bar(run, span) for run in mine[:MOST_TICKS]), ticks, said)


def _bar(run: Work, span: Span) -> Bar:
    x = span.at(run.start)
    width = max(NARROWEST, round(span.at(run.end or span.end) - x, 2))
    word = "ended" if run.end else "working"
    until = f"{run.end:%H:%M}Z" if run.end else "now"
    return Bar(min(x, 100 - NARROWEST), width, word, f"{run.id}: {word}, {run.start:%H:%M}Z to {until}")


def _axis(span: Span, hours: int) -> tuple[tuple[float, str], ...]:
    step = timedelta(hours=max(1, hours // 6))
    first = span.start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    marks = [first + step * number for number in range(int(hours / (step.total_seconds() / 3600)) + 1)]
    return tuple((span.at(mark), f"{mark:%H:%M}") for mark in marks if mark <= span.end)


def _rows(runs: Sequence[Work], deeds: Sequence[Deed], now: datetime) -> tuple[Row, ...]:
    told = [(run.start, ", ".join(run.agents) or "-", run.id, "ended" if run.end else "working", f"/runs/{run.id}") for run in runs]
    told += [(deed.at, deed.agent, deed.sentence, deed.state, f"/actions/{deed.id}") for deed in deeds]
    return tuple(Row(f"{at:%d %b %H:%M}Z", *rest) for at, *rest in sorted(told, reverse=True)[:MOST_ROWS] if at <= now)
