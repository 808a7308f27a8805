"""The audit chain: look, verify, hand out. Behind `day2 audit`."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from core.domain.errors import InvalidInput
from core.domain.ledger import AuditRow, Ledger
from runtime.services import recording

FORMATS = ("cloudevents", "csv", "jsonl")


def records(
    ledger: Ledger, *, subject: str = "", role: str = "", event: str = "", since: datetime | None = None, limit: int = 200
) -> list[AuditRow]:
    """The newest `limit` records that fit, oldest first."""
    found = [
        row
        for row in recording.chain(ledger)
        if (not subject or row.subject == subject)
        and (not role or row.role == role)
        and (not event or row.event == event or row.event.startswith(f"{event}."))
        and (since is None or row.at >= since)
    ]
    return found[-limit:] if limit else found


def get(ledger: Ledger, seq: int) -> AuditRow:
    """Raises InvalidInput."""
    found = ledger.chain(seq, 1) if seq > 0 else []
    if not found or found[0].seq != seq:
        raise InvalidInput(f"no record {seq}", mend="day2 audit list")
    return found[0]


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
        "id": f"{row.seq}-{row.hash[:16]}",
        "source": f"/day2ops/{row.role}",
        "type": f"dev.day2.{row.event}.v1",
        "subject": row.subject,
        "time": row.at.isoformat(timespec="microseconds"),
        "datacontenttype": "application/json",
        "data": json.loads(row.body) | {"chain": {"seq": row.seq, "previous": row.previous, "hash": row.hash}},
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
