"""The audit: records made durable by threads that record at one time, and records verified.

Appending is the product's own: ledger in sqlite (WAL, flushed at each commit) with its second sink, flushed too, on this machine's disk.
The other side keeps the same chain as plainly as can be: one INSERT and one flushed commit a record, and no second sink. Verifying compares
`gate.audit` with the stand-alone verifier of `deploy/`, which is the same check without our code.
"""

import hashlib
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from core.domain.ledger import AuditRow
from core.domain.values import Json, canonical
from gate import audit
from tools.stores import grouping
from tools.stores.grouping import GroupedLedger
from tools.stores.migrating import migrate
from tools.stores.sink import Sink

APPEND_GOAL, VERIFY_GOAL = 1000, 200_000
WRITERS = 64
RECORDS = 4000
ROUNDS = 3
ROLES = ("door", "judge", "executor", "controller")
AT = datetime(2026, 1, 20, 12, 0, 0, 250_117, tzinfo=UTC)


class Rate(NamedTuple):
    """Records per second of CPU, and of the wall."""

    cpu: float
    wall: float


def run() -> list[str]:
    """Three lines. The chain that was appended is the one that is verified, and it must be whole."""
    with tempfile.TemporaryDirectory(prefix="day2-bench-") as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'ledger.db'}"
        migrate(url)
        ledger = grouping.opened(url, folder / "audit.jsonl")
        one = rated(lambda: _one_by_one(ledger, RECORDS // 8), RECORDS // 8)
        ours = max(rated(lambda: _together(ledger), RECORDS) for _ in range(ROUNDS))
        theirs = max(rated(lambda: _plainly(folder), RECORDS // 4) for _ in range(ROUNDS))
        word = "met" if ours.cpu >= APPEND_GOAL else "short"
        told = f"ours {ours.cpu:,.0f}, theirs {theirs.cpu:,.0f}, ratio {ours.cpu / theirs.cpu:.1f}, goal {APPEND_GOAL:,}: {word}"
        wall = f"by the wall {ours.wall:,.0f} and {theirs.wall:,.0f}; one writer alone {one.cpu:,.0f}, by the wall {one.wall:,.0f}"
        lines = [f"AUDIT_APPEND ({WRITERS} writers, durable records per CPU-second; {wall}): {told}"]
        lines += _verified(ledger, folder / "audit.jsonl")
        ledger.close()
    return lines


def _verified(ledger: GroupedLedger, path: Path) -> list[str]:
    rows = ledger.chain(1, 10**6)
    alone, text = _stand_alone(), path.read_bytes().splitlines(keepends=True)
    if audit.verify_ledger(ledger, sink=Sink(path).rows()).problems or alone.verify(text)[1]:
        raise AssertionError("what was appended is not whole")
    ours = max(rated(lambda: audit.verify(rows, origin=ledger.origin), len(rows)) for _ in range(ROUNDS * 3))
    stored = max(rated(lambda: audit.verify_ledger(ledger, sink=Sink(path).rows()), len(rows)) for _ in range(ROUNDS))
    theirs = max(rated(lambda: alone.verify(text), len(rows)) for _ in range(ROUNDS))
    word = "met" if ours.cpu >= VERIFY_GOAL else "short"
    told = f"ours {ours.cpu:,.0f}, theirs {theirs.cpu:,.0f}, ratio {ours.cpu / theirs.cpu:.1f}, goal {VERIFY_GOAL:,}: {word}"
    return [
        f"AUDIT_VERIFY ({len(rows):,} records held, per CPU-second): {told}",
        f"AUDIT_VERIFY_STORED (read from sqlite and the second sink, per CPU-second): ours {stored.cpu:,.0f}: reported",
    ]


def rated(work: Callable[[], object], count: int) -> Rate:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Rate(count / (time.process_time() - cpu), count / (time.perf_counter() - wall))


def _body(number: int) -> Json:
    return {"from": "applied", "note": f"{number % 7} of 7 pods are ready; " * 4, "agent": "scaling", "number": number}


def _one_by_one(ledger: GroupedLedger, count: int) -> None:
    for number in range(count):
        _record(ledger, number)


def _together(ledger: GroupedLedger) -> None:
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda first: [_record(ledger, number) for number in range(first, RECORDS, WRITERS)], range(WRITERS)))


def _record(ledger: GroupedLedger, number: int) -> AuditRow:
    return ledger.record(role=ROLES[number % len(ROLES)], event="verified", subject=f"act-{number:08}", body=_body(number), at=AT)


def _plainly(folder: Path) -> None:
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL").close()
    connection.execute("PRAGMA synchronous=FULL").close()
    connection.execute("CREATE TABLE IF NOT EXISTS chain (at, role, event, subject, body, hash)")
    previous = ""
    for number in range(RECORDS // 4):
        row = [AT.isoformat(), ROLES[number % len(ROLES)], "verified", f"act-{number:08}", canonical(_body(number)).decode()]
        previous = hashlib.sha256(json.dumps([previous, *row]).encode()).hexdigest()
        connection.execute("INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?)", [*row, previous])
    connection.close()


def _stand_alone() -> ModuleType:
    spec = spec_from_file_location("verify_audit", Path(__file__).parent.parent / "deploy" / "verify_audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
