"""Runs as the audit chain remembers them. Behind `day2 run`."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import ValidationError

from core.domain.errors import NotFound
from core.domain.ledger import ActionRow, AuditRow, Ledger
from core.domain.request import Request
from runtime.services import recording

STARTED, FINISHED = "run.started", "run.finished"


class Run(NamedTuple):
    """`finished_at` is None while it works, or where its process died. `summary` is what the controller counted."""

    id: str
    trigger: str
    by: str
    text: str
    started_at: datetime
    finished_at: datetime | None
    summary: dict[str, Any]
    actions: tuple[ActionRow, ...] = ()
    way: tuple[AuditRow, ...] = ()


def runs(ledger: Ledger, limit: int = 200, *, since: datetime | None = None) -> list[Run]:
    """Newest first, those that began since then. Runs that only submitted actions (`day2 apply`) are not here: see `day2 action list`."""
    links = recording.chain(ledger)
    ends = {link.subject: link for link in links if link.event == FINISHED}
    found = [begun(link, ends.get(link.subject)) for link in links if link.event == STARTED and (since is None or link.at >= since)]
    return sorted(found, key=lambda run: (run.started_at, run.id), reverse=True)[:limit]


def summary(response: Mapping[str, Any], model: str = "") -> dict[str, Any]:
    """What the audit chain keeps of a run's response: counts and words, no text of others. `model` is the one that was configured."""
    found: dict[str, Counter[str]] = {}
    for finding in response["findings"]:
        found.setdefault(str(finding["agent"]), Counter())[str(finding["severity"])] += 1
    used = response.get("model") or {}
    return {
        "findings": len(response["findings"]),
        "proposals": len(response["proposals"]),
        "held": len(response["held"]),
        "asked": response["asked"],
        "found": {agent: dict(counts) for agent, counts in sorted(found.items())},
        "notRun": dict(Counter(reason_class(str(row["reason"])) for row in response["coverage"]["not_run"])),
        **({"model": {"name": model, "calls": used["calls"], "micro_usd": used["micro_usd"]}} if used.get("calls") else {}),
    }


def reason_class(reason: str) -> str:
    """A word of a closed list for why a check did not run: the sentence itself may name objects."""
    low = reason.lower()
    return next((name for name, words in _REASONS if any(word in low for word in words)), "other")


_REASONS = (
    ("not-granted", ("not allowed", "forbidden", "grant")),
    ("not-read", ("could not be read", "unavailable")),
    ("no-metrics", ("no source", "metric", "prometheus", "sample", "series", "usage", "history")),
    ("error", ("error", "stopped by")),
)


def unfinished(ledger: Ledger) -> list[Request]:
    """What was asked of runs whose process died, oldest first. One whose record was too long to be kept whole is left to who asked."""
    links = recording.chain(ledger)
    ended = {link.subject for link in links if link.event == FINISHED}
    begun = {link.subject: link.body for link in links if link.event == STARTED and link.subject not in ended}
    return [request for body in begun.values() if (request := _request(body)) is not None]


def _request(body: str) -> Request | None:
    try:
        return Request.model_validate_json(body)
    except ValidationError:
        return None


def get(ledger: Ledger, run_id: str) -> Run:
    """Raises NotFound for an unknown run."""
    links = recording.chain(ledger)
    actions = tuple(ledger.of_run(run_id))
    mine = {row.action_id for row in actions} | {run_id}
    way = tuple(link for link in links if link.subject in mine)
    start = _first(way, STARTED)
    if start is None and not actions:
        raise NotFound(f"no run {run_id[:40]!r}", mend="day2 run list")
    if start is None:
        return Run(run_id, "cli", actions[0].submitted_by, "", actions[0].submitted_at, None, {}, actions, way)
    return begun(start, _first(way, FINISHED))._replace(actions=actions, way=way)


def _first(links: Iterable[AuditRow], event: str) -> AuditRow | None:
    return next((link for link in links if link.event == event), None)


def begun(start: AuditRow, end: AuditRow | None) -> Run:
    body = json.loads(start.body)
    return Run(
        id=start.subject,
        trigger=str(body.get("trigger", "")),
        by=str(body.get("by", "")),
        text=str(body.get("text", "")),
        started_at=start.at,
        finished_at=end.at if end else None,
        summary=json.loads(end.body) if end else {},
    )


def ended(run: Run, end: AuditRow) -> Run:
    return run._replace(finished_at=end.at, summary=json.loads(end.body))
