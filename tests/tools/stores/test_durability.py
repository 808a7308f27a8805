"""What `record` returned stays, wherever its process dies, and the chains are whole afterwards: many writers share a commit."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import event

from core.domain.errors import Unavailable
from core.domain.ledger import AuditRow
from gate import audit
from tools.stores.grouping import GroupedLedger, opened
from tools.stores.ledger import SqlLedger
from tools.stores.sink import Sink


@pytest.fixture
def grouped(sqlite: SqlLedger, url: str, tmp_path: Path) -> Iterator[GroupedLedger]:
    found = opened(url, tmp_path / "audit.jsonl")
    yield found
    found.close()


ROLES = ("door", "judge", "executor", "controller")

WRITERS = """
import os, signal, sys, threading
from datetime import UTC, datetime
from pathlib import Path
from sqlalchemy import event
from tools.stores import grouping, sink

url, path, where, after = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
left = after

def here(point):
    global left
    if point == where:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

class Mortal(sink.Sink):
    def catch_up(self, chain, fresh=()):
        here("before the sink")
        super().catch_up(chain, fresh)
        here("after the sink")

found = grouping.opened(url, None)
found._sink = Mortal(path)
event.listen(found._database.engine, "commit", lambda connection: here("before the commit"))
whole = sink._line

def torn(row):
    if where == "within a line":
        global left
        left -= 1
        if left == 0:
            with path.open("ab") as file:
                file.write(whole(row)[:50])
            os.kill(os.getpid(), signal.SIGKILL)
    return whole(row)

sink._line = torn
now = datetime.now(UTC)

def write(role):
    for number in range(200):
        row = found.record(role=role, event="event", subject=str(number), body={"number": number}, at=now)
        os.write(1, f"{row.role} {row.seq} {row.hash}\\n".encode())

for role in ("door", "judge", "executor", "controller") * 3:
    threading.Thread(target=write, args=(role,)).start()
"""


def killed(url: str, path: Path, where: str, after: int) -> set[tuple[str, int, str]]:
    """What a process with twelve writers had returned when it killed itself at its `after`-th time `where`."""
    done = subprocess.run([sys.executable, "-c", WRITERS, url, str(path), where, str(after)], capture_output=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    lines = [line.split() for line in done.stdout.decode().splitlines(keepends=True) if line.endswith("\n")]
    return {(role, int(seq), hash_) for role, seq, hash_ in lines}


@pytest.mark.parametrize("where", ["before the commit", "before the sink", "within a line", "after the sink"])
@pytest.mark.parametrize("after", [1, 5, 17])
def test_no_returned_record_is_lost_wherever_the_writer_dies(sqlite: SqlLedger, url: str, tmp_path: Path, where: str, after: int) -> None:
    path = tmp_path / "audit.jsonl"
    returned = killed(url, path, where, after)
    kept = {(row.role, row.seq, row.hash) for row in sqlite.chain()}
    assert returned <= kept
    assert returned <= {(row.role, row.seq, row.hash) for row in Sink(path).rows()}
    assert returned or after == 1
    again = opened(url, path)
    again.record(role="judge", event="event", subject="after", body={}, at=datetime.fromisoformat("2026-11-23T12:00:00+00:00"))
    report = audit.verify_ledger(again, sink=Sink(path).rows())
    assert report.problems == ()
    assert report.mirrored == len(again.chain()) == len(kept) + 1
    again.close()


def test_two_processes_killed_at_any_time_leave_whole_chains(sqlite: SqlLedger, url: str, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    chance = Random(7)
    with ThreadPoolExecutor(2) as pool:
        points = [("before the sink", chance.randrange(2, 30)), ("within a line", chance.randrange(2, 30))]
        returned = set().union(*pool.map(lambda point: killed(url, path, *point), points))
    assert returned <= {(row.role, row.seq, row.hash) for row in sqlite.chain()}
    again = opened(url, path)
    assert audit.verify_ledger(again, sink=Sink(path).rows()).problems == ()
    again.close()


def test_writers_at_one_time_share_commits_and_each_gets_its_own_record(grouped: GroupedLedger, tmp_path: Path, start: datetime) -> None:
    commits = []
    event.listen(grouped._database.engine, "commit", lambda connection: commits.append(connection.get_execution_options()))

    def write(number: int) -> AuditRow:
        return grouped.record(role=ROLES[number % 4], event="event", subject=str(number), body={}, at=start)

    with ThreadPoolExecutor(16) as pool:
        rows = list(pool.map(write, range(320)))
    assert [row.subject for row in rows] == [str(number) for number in range(320)]
    assert sorted(rows, key=lambda row: row.place) == grouped.chain() == list(Sink(tmp_path / "audit.jsonl").rows())
    assert sum(options.get("day2_write", False) for options in commits) < 160
    assert audit.verify_ledger(grouped, sink=Sink(tmp_path / "audit.jsonl").rows()).problems == ()


def test_what_cannot_be_kept_is_refused_alone(grouped: GroupedLedger, start: datetime) -> None:
    began = threading.Barrier(9)

    def write(number: int) -> AuditRow | str:
        began.wait()
        body = {"number": {"a set": {1}} if number == 4 else number}
        try:
            return grouped.record(role="judge", event="event", subject=str(number), body=body, at=start)
        except TypeError as error:
            return str(error)

    with ThreadPoolExecutor(9) as pool:
        found = list(pool.map(write, range(9)))
    assert [isinstance(item, str) for item in found] == [number == 4 for number in range(9)]
    assert len(grouped.chain()) == 8


def test_a_full_disk_is_told_to_everybody_and_nothing_of_it_is_kept(grouped: GroupedLedger, start: datetime) -> None:
    with grouped._database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 2

    def limit(connection: object, _record: object, _proxy: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}").close()  # type: ignore[attr-defined]

    event.listen(grouped._database.engine, "checkout", limit)

    def write(number: int) -> bool:
        try:
            grouped.record(role="judge", event="event", subject=str(number), body={"text": "x" * 3000}, at=start)
        except Unavailable:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(write, range(40)))
    assert not all(told)
    assert sum(told) == len(grouped.chain())
    assert audit.verify_ledger(grouped).problems == ()


def test_a_second_sink_that_somebody_else_wrote_meanwhile_is_read_again(
    sqlite: SqlLedger, url: str, tmp_path: Path, start: datetime
) -> None:
    path = tmp_path / "audit.jsonl"
    other = opened(url, path)
    for ledger in (sqlite, other, other, sqlite, sqlite, other):
        ledger.record(role="judge", event="event", subject="", body={}, at=start)
    os.truncate(path, path.stat().st_size - 30)  # as a crash leaves it
    sqlite.record(role="judge", event="event", subject="", body={}, at=start)
    assert list(Sink(path).rows()) == sqlite.chain()
    other.close()
