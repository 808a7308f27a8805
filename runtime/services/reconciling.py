"""The API server's own audit log against our chains: each write there has exactly one record here, and the other way round.

Behind `day2 audit reconcile`. The two are joined by the permit: its token stands in the log as the extra `day2.dev/permit`, its id in our
record of its use.
"""

import base64
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from core.domain.ledger import AuditRow
from core.domain.values import bounded
from runtime.services.server_log import COMPLETE, Event

AGENTS = "day2:"
EXTRA = "day2.dev/permit"
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
SKEW = timedelta(seconds=5)
SPENT, FORWARD, UNDONE = "permit.spent", "applied", "rolled_back"
NEVER = frozenset({"failed"})
"""Ends by which we say that nothing was stored."""


class Write(NamedTuple):
    """One write that the API server stored for a user of ours. `jti` is empty where the event shows no permit."""

    at: datetime
    user: str
    request: str
    jti: str


class Use(NamedTuple):
    """What our chains say of one permit: whose action, and whether its write was seen stored (None: it was not told)."""

    action_id: str
    at: datetime
    stored: bool | None


class Reconciliation(NamedTuple):
    """`matched` writes have their record. `uncovered` are records of stored writes before or after the time of the log."""

    writes: int
    matched: int
    uncovered: int
    problems: tuple[str, ...]


def reconcile(found: Iterable[Event], records: Sequence[AuditRow]) -> Reconciliation:
    known, writes, times = uses(records), [], []
    for event in found:
        times.append(event.request_received_timestamp)
        if write := _write(event):
            writes.append(write)
    counts: dict[str, int] = {}
    for write in writes:
        counts[write.jti] = counts.get(write.jti, 0) + bool(write.jti)
    problems = [said for write in writes if (said := _unexplained(write, known))]
    problems += [
        f"the permit of {known[jti].action_id} stored {count} writes" for jti, count in counts.items() if count > 1 and jti in known
    ]
    absent = {jti: use for jti, use in known.items() if use.stored and not counts.get(jti)}
    covered = {jti for jti, use in absent.items() if times and min(times) + SKEW <= use.at <= max(times) - SKEW}
    problems += [f"{absent[jti].action_id}: recorded as stored, and the API server knows no such write" for jti in sorted(covered)]
    matched = sum(not _unexplained(write, known) for write in writes)
    return Reconciliation(len(writes), matched, len(absent) - len(covered), tuple(problems))


def uses(records: Sequence[AuditRow]) -> dict[str, Use]:
    """By the permit's id. Of an action the first use is forward, a second one its undo; what it came to says whether that was stored."""
    spent: dict[str, list[AuditRow]] = {}
    events_of: dict[str, set[str]] = {}
    for row in records:
        events_of.setdefault(row.subject, set()).add(row.event)
        if row.event == SPENT:
            spent.setdefault(row.subject, []).append(row)
    found = {}
    for action_id, rows in spent.items():
        for row, stored_by in zip(rows, (FORWARD, UNDONE), strict=False):
            found[str(json.loads(row.body)["jti"])] = Use(action_id, row.at, _stored(events_of[action_id], stored_by))
    return found


def _stored(events: set[str], stored_by: str) -> bool | None:
    if stored_by in events:
        return True
    return False if events & NEVER else None


def _write(event: Event) -> Write | None:
    """None for what was no write of ours, was refused, or was only tried."""
    user = event.acting
    if event.kind != "Event" or event.stage not in COMPLETE or event.verb not in WRITES:
        return None
    if not user.username.startswith(AGENTS) or not 200 <= event.code < 300:
        return None
    where = urlsplit(event.request_u_r_i)
    if "dryRun" in parse_qs(where.query):
        return None
    tokens = (user.extra or {}).get(EXTRA) or []
    return Write(event.request_received_timestamp, user.username, f"{event.verb} {where.path}", _jti(tokens[0]) if tokens else "")


def _jti(token: str) -> str:
    """Unverified: the API server's guard verified it, and our own record says that the judge's permit was used."""
    try:
        part = token.split(".")[1]
        claims: Any = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return str(claims["jti"])
    except (IndexError, ValueError, KeyError, TypeError):
        return ""


def _unexplained(write: Write, known: dict[str, Use]) -> str:
    said = f"{write.at:%Y-%m-%dT%H:%M:%SZ} {bounded(write.request, 200)} by {bounded(write.user, 80)}"
    if not write.jti:
        return f"{said}: stored without a permit"
    if write.jti not in known:
        return f"{said}: no record of permit {bounded(write.jti, 40)}"
    if known[write.jti].stored is False:
        return f"{said}: {known[write.jti].action_id} is recorded as never stored"
    return ""
