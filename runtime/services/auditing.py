"""The audit chains: look, verify, hand out. Behind `day2 audit`."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from core.domain.errors import InvalidInput
from core.domain.ledger import ActionRow, AuditRow, Ledger
from runtime.services import recording

WINDOW = 2000
LOOKED_AT = 5000
FORMATS = ("cloudevents", "csv", "jsonl")


def records(
    ledger: Ledger, *, subject: str = "", role: str = "", event: str = "", since: datetime | None = None, limit: int = 200
) -> list[AuditRow]:
    """The newest `limit` records that fit, oldest first; of one time, in the order in which they were committed."""
    found = [
        row
        for row in sorted(recording.chain(ledger), key=lambda row: (row.at, row.place))
        if (not subject or row.subject == subject)
        and (not role or row.role == role)
        and (not event or row.event == event or row.event.startswith(f"{event}."))
        and (since is None or row.at >= since)
    ]
    return found[-limit:] if limit else found


class Asked(NamedTuple):
    """What a record must be. `by` is a part of who did it; empty and None ask nothing."""

    role: str = ""
    event: str = ""
    by: str = ""
    since: datetime | None = None
    until: datetime | None = None


def newest(ledger: Ledger, end: int, asked: Asked, *, limit: int = 200, most: int = 50_000) -> list[AuditRow]:
    """As `records`, read backwards from before place `end` until there are enough, or `most` were looked at."""
    found: list[AuditRow] = []
    first = end
    while first > 1 and len(found) < limit and end - first < most:
        start = max(1, first - WINDOW)
        rows = [row for row in ledger.chain(start, first - start) if row.place < first]
        found = [row for row in rows if fits(row, asked)] + found
        first = start
    return sorted(found, key=lambda row: (row.at, row.place))[-limit:]


def fits(row: AuditRow, asked: Asked) -> bool:
    return (
        (not asked.role or row.role == asked.role)
        and (not asked.event or row.event == asked.event or row.event.startswith(f"{asked.event}."))
        and (asked.since is None or row.at >= asked.since)
        and (asked.until is None or row.at < asked.until)
        and (not asked.by or asked.by.casefold() in who(row).casefold())
    )


def who(row: AuditRow) -> str:
    """The person, the agent or the process that the record names; its role where it names none."""
    body = json.loads(row.body)
    named = (body.get(name) for name in ("by", "agent", "owner"))
    return " ".join((*(str(name) for name in named if name), row.role))


def done_to(ledger: Ledger, target: str) -> list[str]:
    """The actions on NAMESPACE/NAME, of the newest `LOOKED_AT`. Raises InvalidInput."""
    namespace, slash, name = target.partition("/")
    if not slash or not name:
        raise InvalidInput(f"{target[:60]!r} is no NAMESPACE/NAME", mend="such as shop/cart; -/node-1 for what is in no namespace")
    space = "" if namespace == "-" else namespace
    rows = ledger.search(limit=LOOKED_AT)
    return [row.action_id for row in rows if row.namespace == space and _target(row).casefold() == name.casefold()]


def _target(row: ActionRow) -> str:
    return str(json.loads(row.proposal)["action"]["target"]["name"])


def get(ledger: Ledger, name: str) -> AuditRow:
    """The record of a name such as `judge/12`. Raises InvalidInput."""
    role, _, number = name.partition("/")
    if not role or not number.isdecimal() or not 0 < int(number) < 2**63:
        raise InvalidInput(f"{name[:40]!r} is no ROLE/SEQ", mend="such as judge/12: day2 audit list")
    found = [row for row in ledger.chain(int(number), 1, role=role) if row.name == name]
    if not found:
        raise InvalidInput(f"no record {name[:40]}", mend="day2 audit list")
    return found[0]


def counted(chains: int) -> str:
    return f"{chains} chain{'' if chains == 1 else 's'}"


def exported(rows: Sequence[AuditRow], form: str) -> str:
    """All records as text. Raises InvalidInput for an unknown form."""
    if form == "csv":
        return _csv(rows)
    if form == "jsonl":
        return _lines(_plain(row) for row in rows)
    if form == "cloudevents":
        return _lines(cloud_event(row) for row in rows)
    raise InvalidInput(f"{form[:40]!r} is no form of an export", mend=f"one of: {', '.join(FORMATS)}")


def cloud_event(row: AuditRow) -> dict[str, Any]:
    """CloudEvents 1.0.2, structured mode (https://github.com/cloudevents/spec)."""
    return {
        "specversion": "1.0",
        "id": f"{row.name}-{row.hash[:16]}",
        "source": f"/day2ops/{row.role}",
        "type": f"dev.day2.{row.event}.v1",
        "subject": row.subject,
        "time": row.at.isoformat(timespec="microseconds"),
        "datacontenttype": "application/json",
        "data": json.loads(row.body) | {"chain": {"place": row.place, "seq": row.seq, "previous": row.previous, "hash": row.hash}},
    }


def _plain(row: AuditRow) -> dict[str, Any]:
    return row._asdict() | {"at": row.at.isoformat(timespec="microseconds"), "body": json.loads(row.body)}


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)


def _csv(rows: Sequence[AuditRow]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(AuditRow._fields)
    for row in rows:
        writer.writerow([_harmless(str(value)) for value in (row._asdict() | {"at": row.at.isoformat()}).values()])
    return out.getvalue()


def _harmless(text: str) -> str:
    """A spreadsheet runs what begins like a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
