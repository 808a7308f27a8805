"""What a run by a schedule came to, from its answer and the ledger; and what a week of them came to. Pure.

Behind `day2 report`, the reports that schedules send, and the weekly digest.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from core.actions.catalogue import parse_proposal
from core.domain.errors import InvalidInput
from core.domain.ledger import ActionRow
from core.domain.outcome import TERMINAL
from core.domain.outcome import ActionState as State
from core.domain.report import Line, Report
from core.domain.timetable import Tick, TickState
from core.domain.values import bounded

MOST = 20
"""Lines of each sort that a report keeps; the counts are of all."""
A_WEEK = timedelta(days=7)
WROTE = frozenset({State.SENDING, State.UNKNOWN, State.APPLIED, State.UNDOING, State.VERIFIED, State.ROLLED_BACK, State.ESCALATED})
NEVER = frozenset({State.DENIED, State.EXPIRED, State.CANCELLED})
"""What ended so has written nothing, and never will."""
_REFUSED = frozenset({State.DENIED, State.FAILED, State.ROLLED_BACK, State.CANCELLED})
_LEFT = frozenset({State.NEEDS_APPROVAL, State.EXPIRED, State.ESCALATED, State.UNKNOWN})


class Ended(NamedTuple):
    """A run that is over as the intake and the checkpoints know it. `answer` is None for one that failed."""

    tick: Tick
    at: datetime
    answer: Mapping[str, Any] | None
    note: str = ""
    ceiling: str = ""


def report(ended: Ended, rows: Sequence[ActionRow], now: datetime) -> Report:
    answer: Mapping[str, Any] = ended.answer or {}
    findings = answer.get("findings", [])
    lines = [(row, _line(row)) for row in rows]
    shown = [] if rows else [_proposed(item) for item in answer.get("proposals", ())]
    held = [Line(id="-", what=bounded(str(item["reason"]), 300), state="held") for item in answer.get("held", ())]
    return Report(
        run=ended.tick.run_id,
        schedule=ended.tick.schedule,
        tick=ended.tick.at,
        asked_by=ended.tick.asked_by,
        ended="failed" if ended.answer is None else "ended",
        note=bounded(ended.note, 400),
        began_at=ended.tick.changed_at,
        made_at=now,
        complete=all(row.state in TERMINAL for row in rows),
        ceiling=ended.ceiling,
        asked=tuple(str(name) for name in answer.get("asked", ())),
        severities=dict(Counter(str(item["severity"]) for item in findings)),
        seen=tuple(_finding(item) for item in findings[:MOST]),
        done=_of(lines, {State.VERIFIED}),
        refused=(*_of(lines, _REFUSED), *held)[:MOST],
        left=(*_of(lines, _LEFT), *shown)[:MOST],
        open=_of(lines, set(State) - _REFUSED - _LEFT - {State.VERIFIED}),
        missing=tuple(bounded(f"{item['agent']}: {item['reason']}", 200) for item in answer.get("missing", ()))[:MOST],
        writes=sum(row.state in WROTE for row in rows),
        saved_micro_usd=sum(_saved(row) for row in rows if row.state is State.VERIFIED),
    )


def again(old: Report, rows: Sequence[ActionRow], now: datetime) -> Report:
    """The same run, now that more of its actions have ended."""
    lines = [(row, _line(row)) for row in rows]
    held = tuple(line for line in old.refused if line.state == "held")
    return old.model_copy(
        update={
            "made_at": now,
            "complete": all(row.state in TERMINAL for row in rows),
            "done": _of(lines, {State.VERIFIED}),
            "refused": (*_of(lines, _REFUSED), *held)[:MOST],
            "left": _of(lines, _LEFT) if rows else old.left,
            "open": _of(lines, set(State) - _REFUSED - _LEFT - {State.VERIFIED}),
            "writes": sum(row.state in WROTE for row in rows),
            "saved_micro_usd": sum(_saved(row) for row in rows if row.state is State.VERIFIED),
        }
    )


def _of(lines: Iterable[tuple[ActionRow, Line]], states: Iterable[State]) -> tuple[Line, ...]:
    wanted = set(states)
    return tuple(line for row, line in lines if row.state in wanted)[:MOST]


def _line(row: ActionRow) -> Line:
    try:
        what = parse_proposal(row.proposal).action.sentence()
    except InvalidInput:  # a row of a newer version, or a damaged one: it is told all the same
        what = f"{row.kind} in {row.namespace}"
    return Line(id=row.action_id, what=bounded(what, 300), state=row.state.value, note=bounded(row.note, 400))


def _proposed(item: Mapping[str, Any]) -> Line:
    proposal = parse_proposal(dict(item))
    return Line(id=proposal.action.id, what=bounded(proposal.action.sentence(), 300), state="proposed", note=bounded(proposal.why, 400))


def _finding(item: Mapping[str, Any]) -> Line:
    return Line(id=str(item["id"]), what=bounded(f"{item['code']} {item['title']}", 300), state=str(item["severity"]))


def _saved(row: ActionRow) -> int:
    try:
        saving = parse_proposal(row.proposal).effect.saving
    except InvalidInput:
        return 0
    return saving.paper_micro_usd if saving else 0


def writes_left(rows: Sequence[ActionRow], since: datetime, per_run: int, per_day: int) -> int:
    """Of a schedule's day. What is open may still write, so it counts on each day until it has ended."""
    if not per_day:
        return per_run
    used = sum(row.state not in NEVER and (row.state not in TERMINAL or max(row.changed_at, row.submitted_at) >= since) for row in rows)
    return max(0, min(per_run, per_day - used))


def headline(found: Report) -> str:
    """One line, for a subject and for lists."""
    if found.ended == "failed":
        return f"{found.schedule}: the run failed: {found.note or 'see the run'}"
    parts = [
        f"{sum(found.severities.values())} seen",
        f"{len(found.done)} done",
        f"{len(found.refused)} refused",
        f"{len(found.left)} left to people",
    ]
    saved = f", {found.saved_micro_usd / 1_000_000:.2f} USD a month saved" if found.saved_micro_usd else ""
    return f"{found.schedule}: {', '.join(parts)}{saved}"


def words(found: Report) -> str:
    """The report as text, for a message."""
    said = [headline(found), f"run {found.run}, tick {found.tick:%Y-%m-%d %H:%MZ}"]
    for name, lines in (("Done", found.done), ("Refused", found.refused), ("Left to people", found.left), ("Not ended yet", found.open)):
        said += (
            [f"{name}:", *(f"- {line.what} ({line.state}) {line.id}{f': {line.note}' if line.note else ''}" for line in lines)]
            if lines
            else []
        )
    worst = [line for line in found.seen if line.state in ("critical", "high")]
    said += ["Seen:", *(f"- {line.what} ({line.state})" for line in worst)] if worst else []
    said += ["Not asked:", *(f"- {line}" for line in found.missing)] if found.missing else []
    said += (
        [f"To decide: day2 approvals; all of it: day2 report get {found.run}"]
        if found.waits
        else [f"All of it: day2 report get {found.run}"]
    )
    return "\n".join(said)


class Day(NamedTuple):
    """Of one day of the week, in UTC."""

    date: str
    runs: int
    done: int
    refused: int
    left: int
    saved_micro_usd: int


class Row(NamedTuple):
    """Of one schedule in the week."""

    schedule: str
    ticks: int
    ran: int
    failed: int
    skipped: int
    done: int
    refused: int
    left: int
    writes: int
    saved_micro_usd: int


class Digest(NamedTuple):
    """A week of autonomous runs, from `since` up to and without `until`."""

    since: datetime
    until: datetime
    days: tuple[Day, ...]
    rows: tuple[Row, ...]
    waits: tuple[Line, ...]
    failed: tuple[Tick, ...]
    done: tuple[Line, ...]

    @property
    def saved_micro_usd(self) -> int:
        return sum(row.saved_micro_usd for row in self.rows)


def weekly(reports: Iterable[Report], ticks: Iterable[Tick], until: datetime) -> Digest:
    """Of the seven whole days before `until`'s, in UTC."""
    end = until.replace(hour=0, minute=0, second=0, microsecond=0)
    since = end - A_WEEK
    found = [item for item in reports if since <= item.tick < end]
    seen = [tick for tick in ticks if since <= tick.at < end]
    names = sorted({item.schedule for item in found} | {tick.schedule for tick in seen})
    dates = [since + timedelta(days=number) for number in range(7)]
    return Digest(
        since,
        end,
        tuple(_day(date, [item for item in found if item.tick.date() == date.date()]) for date in dates),
        tuple(_row(name, found, seen) for name in names),
        tuple(line for item in found for line in item.left if line.state == State.NEEDS_APPROVAL.value)[:MOST],
        tuple(tick for tick in seen if tick.state in (TickState.FAILED, TickState.MISSED))[:MOST],
        tuple(line for item in found for line in item.done)[:MOST],
    )


def _day(date: datetime, found: Sequence[Report]) -> Day:
    return Day(
        f"{date:%Y-%m-%d}",
        len(found),
        sum(len(item.done) for item in found),
        sum(len(item.refused) for item in found),
        sum(len(item.left) for item in found),
        sum(item.saved_micro_usd for item in found),
    )


def _row(name: str, reports: Sequence[Report], ticks: Sequence[Tick]) -> Row:
    mine, own = [item for item in reports if item.schedule == name], [tick for tick in ticks if tick.schedule == name]
    count = Counter(tick.state for tick in own)
    return Row(
        name,
        len(own),
        count[TickState.ENDED],
        count[TickState.FAILED],
        count[TickState.SKIPPED] + count[TickState.MISSED],
        sum(len(item.done) for item in mine),
        sum(len(item.refused) for item in mine),
        sum(len(item.left) for item in mine),
        sum(item.writes for item in mine),
        sum(item.saved_micro_usd for item in mine),
    )
