"""Is the gate itself well? Whether its guard stands, what rules the judge runs, and whether people who approve still look.

Read from the record alone, and bounded: it is on the first page.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Literal, NamedTuple

from core.domain.approval import Approval
from core.domain.ledger import ANCHORED, ActionRow, Ledger
from core.domain.outcome import TERMINAL, ActionState
from core.domain.values import bounded
from runtime.services import policies
from runtime.services.alerting import CANARY
from runtime.services.policies import Judging
from runtime.services.remembering import History

A_WEEK = timedelta(days=7)
MOST = 1000
"""Proposals that are looked at, from the newest."""
HASTY_SECONDS = 10.0
"""Who decides faster than this after the proposal came cannot have read it."""
WAITS = ((10, "under 10 s"), (60, "under 1 min"), (600, "under 10 min"), (3600, "under 1 h"), (4 * 3600, "under 4 h"))
LONGER = "longer"


class Guard(NamedTuple):
    """The guard in the API server: seen whole before a write, found altered or missing, or not looked at yet. `at` is that look."""

    state: Literal["whole", "altered", "unknown"]
    at: datetime | None = None
    found: str = ""


class Canaries(NamedTuple):
    """Cards of this week that nobody should approve. One that still waits is not counted: it would be known then."""

    seen_through: int
    approved: int
    approved_at: datetime | None


class Care(NamedTuple):
    """How people decided this week. `wait_seconds` is from the proposal to the decision, half of them are shorter; None without any."""

    decisions: int
    people: int
    most_a_day: float
    wait_seconds: float | None
    hasty: int
    asked: int
    expired: int
    waits: tuple[tuple[str, int], ...]


class Health(NamedTuple):
    """`records` counts the audit chains; `anchored_at` is when a role last put the others' heads into its own."""

    guard: Guard
    rules: Judging | None
    records: int
    anchored_at: datetime | None
    canaries: Canaries
    care: Care


def health(ledger: Ledger, history: History, now: datetime) -> Health:
    rows = ledger.search(since=now - A_WEEK, limit=MOST)
    anchored = history.latest(ANCHORED)
    return Health(
        guard(history),
        policies.judging(ledger),
        sum(head.seq for head in ledger.head().values()),
        anchored.at if anchored else None,
        _canaries(rows, history, now),
        care([row for row in rows if row.owner != CANARY], ledger.decisions(now - A_WEEK)),
    )


def guard(history: History) -> Guard:
    """An executor looks before each write, and says so when what it finds is another than before."""
    sent, altered, restored = (history.latest(event) for event in (ActionState.SENDING.value, "guard.altered", "guard.restored"))
    good = max((row for row in (sent, restored) if row), key=lambda row: row.place, default=None)
    if altered and (good is None or altered.place > good.place):
        return Guard("altered", altered.at, bounded(str(json.loads(altered.body).get("found", "")), 300))
    return Guard("whole", good.at) if good else Guard("unknown")


def _canaries(rows: Sequence[ActionRow], history: History, now: datetime) -> Canaries:
    """An approved one ends too, so that both are counted apart by what the chain says."""
    ended = sum(row.owner == CANARY and row.state in TERMINAL for row in rows)
    last = history.latest("canary.approved")
    fallen = [row for row in history.all_of("canary.approved") if now - row.at <= A_WEEK]
    return Canaries(max(0, ended - len({row.subject for row in fallen})), len(fallen), last.at if last else None)


def care(rows: Sequence[ActionRow], decided: Sequence[Approval]) -> Care:
    """`rows` are the proposals, `decided` what people said, both of a week."""
    proposed = {row.action_id: row.submitted_at for row in rows}
    waits = sorted((item.at - proposed[item.action_id]).total_seconds() for item in decided if item.action_id in proposed)
    expired = sum(row.state is ActionState.EXPIRED and bool(row.verdict) for row in rows)
    people = {item.by for item in decided}
    most = max((sum(item.by == by for item in decided) for by in people), default=0)
    return Care(
        decisions=len(decided),
        people=len(people),
        most_a_day=round(most / A_WEEK.days, 1),
        wait_seconds=median(waits) if waits else None,
        hasty=sum(wait < HASTY_SECONDS for wait in waits),
        asked=len({item.action_id for item in decided}) + expired,
        expired=expired,
        waits=_histogram(waits),
    )


def _histogram(waits: Sequence[float]) -> tuple[tuple[str, int], ...]:
    found, below = [], 0.0
    for most, name in WAITS:
        found.append((name, sum(below <= wait < most for wait in waits)))
        below = most
    return (*found, (LONGER, sum(wait >= below for wait in waits)))
