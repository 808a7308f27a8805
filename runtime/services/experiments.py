"""Experiments as the audit chain remembers them, and asking one to stop. Behind `day2 chaos list`, `show` and `stop`."""

import json
from datetime import datetime
from typing import Any, NamedTuple

from core.domain.errors import InvalidInput
from core.domain.ledger import ActionRow, AuditRow, Ledger
from core.domain.values import Json, bounded
from runtime.services import recording

ROLE, DOOR = "controller", "door"
STARTED, FINISHED, STOP = "experiment.started", "experiment.finished", "experiment.stop"
LARGEST_SPEC = 3000
"""Characters of a document that its record holds whole."""


class Trial(NamedTuple):
    """`finished_at` is None while it runs, or where its process died. `summary` is what was kept of its report."""

    id: str
    name: str
    by: str
    spec: Json
    started_at: datetime
    finished_at: datetime | None
    summary: dict[str, Any]
    actions: tuple[ActionRow, ...] = ()
    way: tuple[AuditRow, ...] = ()


def trials(ledger: Ledger) -> list[Trial]:
    """Newest first."""
    links = [link for link in recording.chain(ledger) if link.event in (STARTED, FINISHED)]
    ends = {link.subject: link for link in links if link.event == FINISHED}
    begun = {link.subject: link for link in reversed(links) if link.event == STARTED}
    return sorted((_trial(link, ends.get(name)) for name, link in begun.items()), key=lambda row: (row.started_at, row.id), reverse=True)


def unfinished(ledger: Ledger) -> list[Trial]:
    """Oldest first."""
    return [row for row in reversed(trials(ledger)) if row.finished_at is None]


def get(ledger: Ledger, identity: str) -> Trial:
    """Raises InvalidInput for an unknown one."""
    found = next((row for row in trials(ledger) if row.id == identity), None)
    if found is None:
        raise InvalidInput(f"no experiment {bounded(identity, 40)!r}", mend="day2 chaos list")
    actions = tuple(ledger.of_run(identity))
    mine = {row.action_id for row in actions} | {identity}
    return found._replace(actions=actions, way=tuple(link for link in recording.chain(ledger) if link.subject in mine))


def start(ledger: Ledger, identity: str, *, name: str, spec: Json, by: str, at: datetime) -> None:
    """Raises InvalidInput for a document that its record could not hold whole: what is resumed is read from there."""
    if len(json.dumps(spec)) > LARGEST_SPEC:
        raise InvalidInput(f"the experiment is longer than {LARGEST_SPEC} characters", mend="shorten its texts: what is kept must be whole")
    ledger.record(role=ROLE, event=STARTED, subject=identity, body={"name": name, "by": by, "spec": spec}, at=at)


def stop(ledger: Ledger, identity: str, *, by: str, reason: str, at: datetime) -> None:
    """Ask it to stop: its fault is taken back within seconds. Raises InvalidInput for one that is unknown or over."""
    if get(ledger, identity).finished_at is not None:
        raise InvalidInput(f"experiment {identity} is over", mend=f"day2 chaos show {identity}")
    ledger.record(role=DOOR, event=STOP, subject=identity, body={"by": by, "reason": bounded(reason, 200)}, at=at)


class Heard:
    """Requests to stop, as far as this process has read them: each look reads only what came since."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._next = 1
        self._said: dict[str, str] = {}

    def stop(self, identity: str) -> str:
        for link in self._ledger.chain(self._next, role=DOOR):
            self._next = link.seq + 1
            if link.event == STOP:
                body = json.loads(link.body)
                self._said.setdefault(link.subject, f"stopped by {body.get('by')}: {body.get('reason')}")
        return self._said.get(identity, "")


def _trial(start: AuditRow, end: AuditRow | None) -> Trial:
    body = json.loads(start.body)
    return Trial(
        id=start.subject,
        name=str(body.get("name", "")),
        by=str(body.get("by", "")),
        spec=dict(body.get("spec") or {}),
        started_at=start.at,
        finished_at=end.at if end else None,
        summary=json.loads(end.body) if end else {},
    )
