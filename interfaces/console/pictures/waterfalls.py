"""A run over its time: the run itself, then each action by what it waited for. Nothing that failed is hidden."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from core.domain.outcome import TERMINAL
from interfaces.console.pictures.lanes import NARROWEST, Span

PHASES: Mapping[str, tuple[str, str]] = {
    "submitted": ("judge", "busy"),
    "needs_approval": ("waits for people", "person"),
    "approved": ("judge, second look", "busy"),
    "permitted": ("waits for the executor", "over"),
    "claimed": ("executes", "busy"),
    "sending": ("executes", "busy"),
    "unknown": ("reads back", "asks"),
    "applied": ("verifies", "good"),
    "undoing": ("takes back", "asks"),
}
"""What happens after this event, and how it is drawn. `person` is hatched."""
ENDS = frozenset(state.value for state in TERMINAL)


class Segment(NamedTuple):
    """In percent of the picture."""

    x: float
    width: float
    phase: str
    tone: str
    label: str


class Row(NamedTuple):
    """`end` is the word that it ended with, empty while it goes on; `x` is where."""

    name: str
    href: str
    segments: tuple[Segment, ...]
    end: str
    x: float
    said: str


class Waterfall(NamedTuple):
    rows: tuple[Row, ...]
    axis: tuple[tuple[float, str], ...]
    table: tuple[tuple[str, str, str, str], ...]


def drawn(run: Mapping[str, Any], now: str) -> Waterfall:
    """Of a run's document, with its actions and their way."""
    way = [(_at(row["at"]), row["event"], row["subject"], row["role"]) for row in run["way"]]
    start = _at(run["startedAt"])
    last = max([at for at, *_ in way] + [start])
    going = not run["finishedAt"] or any(item["state"] not in ENDS for item in run["actions"])
    span = Span(start, max(_at(now), last) if going else last)
    rows = [_run(run, span), *(_action(item, [row for row in way if row[2] == item["id"]], span) for item in run["actions"])]
    table = tuple((f"{at:%H:%M:%S}Z", role, event.replace("_", " "), subject) for at, event, subject, role in way)
    return Waterfall(tuple(rows), _axis(span), table)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _run(run: Mapping[str, Any], span: Span) -> Row:
    end = _at(run["finishedAt"]) if run["finishedAt"] else span.end
    asked = ", ".join(run["summary"].get("asked") or ()) or "agents"
    word = "ended" if run["finishedAt"] else ""
    segment = Segment(0.0, max(NARROWEST, span.at(end)), "looks and proposes", "busy", f"{asked}: {_seconds(_at(run['startedAt']), end)}")
    return Row("looks and proposes", "", (segment,), word, span.at(end), f"{asked} worked {_seconds(_at(run['startedAt']), end)}")


def _action(item: Mapping[str, Any], way: Sequence[tuple[datetime, str, str, str]], span: Span) -> Row:
    moves = [(at, event) for at, event, *_ in way if event in PHASES or event in ENDS]
    segments = []
    for (at, event), following in zip(moves, [*moves[1:], None], strict=True):
        if event in PHASES:
            phase, tone = PHASES[event]
            until = following[0] if following else span.end
            segments.append(_segment(at, until, phase, tone, span))
    ended = next((event for at, event in reversed(moves) if event in ENDS), "")
    end = moves[-1][0] if moves else span.start
    said = ", ".join(f"{row.phase} {row.label.rpartition(' ')[2]}" for row in segments)
    return Row(
        item["sentence"], f"/actions/{item['id']}", tuple(segments), ended, span.at(end), f"{said or 'nothing yet'}; {item['state']}"
    )


def _segment(at: datetime, until: datetime, phase: str, tone: str, span: Span) -> Segment:
    x = span.at(at)
    return Segment(min(x, 100 - NARROWEST), max(NARROWEST, round(span.at(until) - x, 2)), phase, tone, f"{phase}: {_seconds(at, until)}")


def _seconds(start: datetime, end: datetime) -> str:
    seconds = (end - start).total_seconds()
    return f"{seconds / 3600:.1f}h" if seconds >= 7200 else f"{seconds / 60:.0f}min" if seconds >= 120 else f"{seconds:.1f}s"


def _axis(span: Span) -> tuple[tuple[float, str], ...]:
    whole = span.end - span.start
    return tuple((25.0 * part, f"+{_seconds(span.start, span.start + whole * part / 4)}" if part else "start") for part in range(5))
