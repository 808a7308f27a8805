"""The ledger's file: what is done about damage, a full disk, strangers, a crash between commit and second sink, and two processes."""

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text

from core.domain.errors import Busy, Corrupt, Day2Error, InvalidInput, Unavailable
from core.domain.ledger import ActionRow, Head
from core.domain.outcome import ActionState
from core.domain.values import canonical, digest
from gate import audit
from tools.stores import admissions, tables
from tools.stores.ledger import SqlLedger, opened
from tools.stores.locks import RoleLock
from tools.stores.migrating import migrate
from tools.stores.opening import APPLICATION_ID, Database
from tools.stores.sink import Sink

Row = Callable[..., ActionRow]


def test_the_migrations_make_what_the_tables_say(sqlite: SqlLedger, url: str) -> None:
    database = Database(url)
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), admissions.admissions.metadata) == []
    database.close()


def test_migrating_again_changes_nothing(sqlite: SqlLedger, url: str, row: Row) -> None:
    sqlite.submit(row())
    migrate(url)
    assert sqlite.get("act-0001") == row()


def test_only_its_owner_can_read_the_ledger(sqlite: SqlLedger, tmp_path: Path) -> None:
    assert (tmp_path / "ledger.db").stat().st_mode & 0o077 == 0
    sqlite.record(role="door", event="x", subject="y", body={}, at=datetime.fromisoformat("2026-11-23T12:00:00+00:00"))
    assert (tmp_path / "audit.jsonl").stat().st_mode & 0o077 == 0


def test_commits_are_flushed_to_the_disk(sqlite: SqlLedger) -> None:
    with sqlite._database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b"SQLite format 3\x00" + b"\xff" * 9000, b"hello" * 100])
def test_a_file_that_is_no_ledger_is_refused_and_left_alone(tmp_path: Path, url: str, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    for attempt in (lambda: migrate(url), lambda: opened(url, None)):
        with pytest.raises(Corrupt) as caught:
            attempt()
        assert "day2 doctor" in caught.value.mend
    assert path.read_bytes() == content


def test_another_programs_database_is_refused(tmp_path: Path, url: str) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as other:
        other.execute("create table theirs(x)")
    other.close()
    with pytest.raises(Corrupt, match="another program's"):
        migrate(url)


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_truncated_ledger_is_refused(sqlite: SqlLedger, url: str, tmp_path: Path, row: Row, kept: float) -> None:
    for number in range(1, 30):
        sqlite.submit(row(number, proposal="x" * 3000))
    sqlite.close()
    path = tmp_path / "ledger.db"
    os.truncate(path, int(path.stat().st_size * kept) // 4096 * 4096)
    with pytest.raises(Corrupt):
        opened(url, tmp_path / "audit.jsonl")


def test_an_overwritten_page_is_noticed(sqlite: SqlLedger, url: str, tmp_path: Path, row: Row) -> None:
    for number in range(1, 30):
        sqlite.submit(row(number, proposal="x" * 3000))
    sqlite.close()
    with (tmp_path / "ledger.db").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 8000)
    with pytest.raises(Corrupt):
        opened(url, None)


def test_damage_that_only_shows_when_sqlite_checks_its_own_books_is_noticed(sqlite: SqlLedger, url: str, tmp_path: Path) -> None:
    sqlite.close()
    opened(url, None).close()
    with (tmp_path / "ledger.db").open("r+b") as file:
        file.seek(36)  # how many pages are free, see sqlite's file format
        file.write(b"\x00\x00\x00\x07")
    with pytest.raises(Corrupt, match=r"is damaged: .*freelist"):
        opened(url, None)


def test_a_ledger_that_is_gone_is_damage_and_one_that_cannot_be_read_may_come_back(url: str, tmp_path: Path) -> None:
    with pytest.raises(Corrupt, match=r"ledger\.db is gone"):
        opened(url, None)
    (tmp_path / "ledger.db").mkdir()
    with pytest.raises(Unavailable, match=r"ledger\.db: Is a directory") as caught:
        opened(url, None)
    assert caught.value.mend == "check its permissions"


def test_an_address_that_is_none_says_how_one_looks() -> None:
    with pytest.raises(InvalidInput) as caught:
        Database("nonsense")
    assert "sqlite:///" in caught.value.mend


def test_a_ledger_of_another_form_is_not_used(sqlite: SqlLedger, url: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as other:
        other.execute("update alembic_version set version_num = '0999'")
    other.close()
    with pytest.raises(Unavailable, match="0999"):
        opened(url, None)


def test_a_full_disk_loses_nothing_that_was_accepted(sqlite: SqlLedger, row: Row) -> None:
    sqlite.submit(row(1))
    _limit_to(sqlite, 40)
    accepted = [1]
    refused: Unavailable | None = None
    while refused is None and len(accepted) < 200:
        number = len(accepted) + 1
        try:
            sqlite.submit(row(number, proposal="x" * 3000))
            accepted.append(number)
        except Unavailable as error:
            refused = error
    assert refused is not None
    assert "disk is full" in str(refused)
    assert "free some space" in refused.mend
    assert len(sqlite.in_states(ActionState.SUBMITTED)) == len(sqlite.chain()) == len(accepted)
    _limit_to(sqlite, 1_000_000)
    assert sqlite.submit(row(900))


def _limit_to(ledger: SqlLedger, pages: int) -> None:
    with ledger._database.reading() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").scalar()


def test_a_ledger_that_was_replaced_while_in_use_stops_everything(sqlite: SqlLedger, url: str, tmp_path: Path, row: Row) -> None:
    sqlite.submit(row(1))
    (tmp_path / "ledger.db").rename(tmp_path / "elsewhere.db")
    for attempt in (lambda: sqlite.submit(row(2)), sqlite.stops):
        with pytest.raises(Corrupt, match="moved or replaced"):
            attempt()
    (tmp_path / "ledger.db").write_bytes((tmp_path / "elsewhere.db").read_bytes())
    with pytest.raises(Corrupt, match="moved or replaced"):
        sqlite.get("act-0001")


def test_a_lost_ledger_is_not_quietly_begun_anew(sqlite: SqlLedger, url: str, tmp_path: Path, row: Row) -> None:
    sqlite.submit(row())
    sqlite.close()
    for path in tmp_path.glob("ledger.db*"):
        path.unlink()
    with pytest.raises(Corrupt, match="is gone, but"):
        migrate(url)


def test_a_locked_ledger_is_unavailable_not_damaged(url: str, tmp_path: Path, row: Row) -> None:
    migrate(url)
    database = Database(url)
    database.adopt()
    with database.reading() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(Unavailable, match="locked"):
        SqlLedger(database).submit(row())
    other.execute("rollback")
    other.close()
    database.close()


def test_two_processes_never_give_one_number_twice(sqlite: SqlLedger, url: str, tmp_path: Path, start: datetime) -> None:
    others = [opened(url, tmp_path / "audit.jsonl") for _ in range(4)]

    def write(ledger: SqlLedger) -> None:
        for number in range(25):
            ledger.record(role="test", event="e", subject=str(number), body={}, at=start)

    threads = [threading.Thread(target=write, args=(ledger,)) for ledger in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = sqlite.chain()
    assert [row.seq for row in rows] == [row.place for row in rows] == list(range(1, 101))
    assert [row.previous for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert list(Sink(tmp_path / "audit.jsonl").rows()) == rows
    for ledger in others:
        ledger.close()


def test_two_processes_append_to_two_chains_at_once_and_both_are_whole(sqlite: SqlLedger, url: str, tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from datetime import UTC, datetime; from tools.stores.ledger import opened\n"
        "ledger, role, now = opened(sys.argv[1], pathlib.Path(sys.argv[2])), sys.argv[3], datetime.now(UTC)\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "for number in range(60):\n"
        "    ledger.record(role=role, event='event', subject=str(number), body={}, at=now)\n"
        "    number % 20 or ledger.anchor(role, now)\n"
    )
    started = [sys.executable, "-c", program, url, str(tmp_path / "audit.jsonl")]
    roles = ("executor", "judge")
    with ExitStack() as stack:
        running = [
            stack.enter_context(subprocess.Popen([*started, role], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for role in roles
        ]
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.wait(60) for process in running] == [0, 0]
    report = audit.verify_ledger(sqlite, sink=Sink(tmp_path / "audit.jsonl").rows())
    assert report.problems == ()
    assert [chain.records - chain.anchors for chain in report.chains] == [60, 60]
    assert report.mirrored == len(sqlite.chain())


def test_a_process_that_is_killed_between_commit_and_second_sink_loses_nothing(sqlite: SqlLedger, url: str, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, pathlib; from datetime import UTC, datetime\n"
        "from tools.stores import ledger, sink\n"
        "found = ledger.opened(sys.argv[1], pathlib.Path(sys.argv[2]))\n"
        "found.record(role='judge', event='first', subject='', body={}, at=datetime.now(UTC))\n"
        "class Dying(sink.Sink):\n"
        "    def catch_up(self, chain, fresh=()): os.kill(os.getpid(), signal.SIGKILL)\n"
        "found._sink = Dying(found._sink.path)\n"
        "found.record(role='judge', event='second', subject='', body={}, at=datetime.now(UTC))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, url, str(tmp_path / "audit.jsonl")], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    path = tmp_path / "audit.jsonl"
    assert [row.event for row in Sink(path).rows()] == ["first"]
    assert audit.verify_ledger(sqlite, sink=Sink(path).rows()).whole
    again = opened(url, path)
    assert [row.event for row in Sink(path).rows()] == ["first", "second"]
    assert audit.verify_ledger(again, sink=Sink(path).rows()).whole
    again.close()


def test_a_second_sink_begun_elsewhere_gets_all_records(sqlite: SqlLedger, url: str, tmp_path: Path, row: Row) -> None:
    for number in range(1, 6):
        sqlite.submit(row(number))
    elsewhere = opened(url, tmp_path / "elsewhere.jsonl")
    assert list(Sink(tmp_path / "elsewhere.jsonl").rows()) == sqlite.chain()
    elsewhere.close()


def old_ledger(url: str, folder: Path) -> list[dict[str, Any]]:
    """A ledger of the first form with one chain for all roles, its second sink beside it."""
    database = Database(url)
    descriptor = os.open(folder / "ledger.db", os.O_CREAT | os.O_WRONLY, 0o600)
    os.close(descriptor)
    config = Config()
    config.set_main_option("script_location", str(Path(tables.__file__).with_name("migrations")))
    rows: list[dict[str, Any]] = []
    previous = "0" * 64
    for seq, role in enumerate(("door", "judge", "executor", "judge"), 1):
        told = [seq, previous, "2026-11-23T12:00:00.000000+00:00", role, "event", f"act-{seq}", "{}"]
        previous = digest(told)
        names = ("seq", "previous", "at", "role", "event", "subject", "body")
        rows.append(dict(zip(names, told, strict=True)) | {"hash": previous})
    with database.writing() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for told in rows:
            connection.execute(text(f"INSERT INTO chain ({', '.join(told)}) VALUES (:{', :'.join(told)})"), told)
        connection.execute(text("UPDATE heads SET seq = 4, epoch = 7, hash = :hash"), {"hash": previous})
    database.close()
    (folder / "audit.jsonl").write_bytes(b"".join(canonical(told) + b"\n" for told in rows))
    return rows


def test_records_of_the_first_form_stay_as_they_were_and_stay_verifiable(url: str, tmp_path: Path, start: datetime) -> None:
    old = old_ledger(url, tmp_path)
    migrate(url)
    ledger = opened(url, tmp_path / "audit.jsonl")
    assert [row.hash for row in ledger.chain()] == [told["hash"] for told in old]
    assert [row.name for row in ledger.chain()] == ["door/1", "judge/1", "executor/1", "judge/2"]
    ledger.record(role="judge", event="event", subject="", body={}, at=start)
    ledger.anchor("door", start)
    signed = Head("", 3, old[2]["hash"])
    report = audit.verify_ledger(ledger, sink=Sink(tmp_path / "audit.jsonl").rows(), signed=[signed])
    assert report.problems == ()
    assert [(chain.role, chain.records) for chain in report.chains] == [("door", 2), ("executor", 1), ("judge", 3)]
    assert not audit.verify_ledger(ledger, signed=[signed._replace(hash="1" * 64)]).whole
    ledger.close()


@pytest.mark.parametrize("place", [1, 2, 3, 4])
@pytest.mark.parametrize("change", ["body = 'other'", "role = 'other'", "subject = 'x'", "at = '2027-01-01T00:00:00.000000+00:00'"])
def test_a_record_of_the_first_form_that_is_changed_is_found(url: str, tmp_path: Path, place: int, change: str) -> None:
    old_ledger(url, tmp_path)
    migrate(url)
    with sqlite3.connect(tmp_path / "ledger.db") as other:
        other.execute(f"update chain set {change} where place = ?", (place,))
    other.close()
    ledger = opened(url, None)
    assert not audit.verify_ledger(ledger).whole
    ledger.close()


def test_the_fencing_epoch_survives_the_new_form(url: str, tmp_path: Path, row: Row, start: datetime) -> None:
    old_ledger(url, tmp_path)
    migrate(url)
    ledger = opened(url, tmp_path / "audit.jsonl")
    ledger.submit(row())
    ledger.move("act-0001", ActionState.SUBMITTED, ActionState.PERMITTED, role="judge", at=start, event={})
    assert ledger.claim("act-0001", "executor-1", start) == 8
    ledger.close()


def test_the_second_sink_gets_what_a_crash_kept_from_it(sqlite: SqlLedger, url: str, tmp_path: Path, row: Row) -> None:
    sqlite.submit(row(1))
    sqlite.submit(row(2))
    sqlite.close()
    path = tmp_path / "audit.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:40])
    again = opened(url, path)
    assert path.read_bytes().splitlines(keepends=True) == lines
    again.close()


def test_a_ledger_older_than_its_second_sink_is_refused(sqlite: SqlLedger, url: str, tmp_path: Path, row: Row) -> None:
    sqlite.submit(row(1))
    sqlite.close()
    backup = (tmp_path / "ledger.db").read_bytes()
    again = opened(url, tmp_path / "audit.jsonl")
    again.submit(row(2))
    again.close()
    (tmp_path / "ledger.db").write_bytes(backup)
    with pytest.raises(Corrupt, match="lacks record 2"):
        opened(url, tmp_path / "audit.jsonl")


def test_a_second_sink_that_cannot_be_written_does_not_undo_the_commit(url: str, tmp_path: Path, row: Row) -> None:
    migrate(url)
    (tmp_path / "folder").mkdir()
    database = Database(url)
    database.adopt()
    ledger = SqlLedger(database, Sink(tmp_path / "folder"))
    assert ledger.submit(row())
    assert ledger.get("act-0001") is not None
    ledger.close()


def test_a_line_of_the_second_sink_that_is_no_record_is_damage(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_text('{"seq": 1}\n', encoding="utf-8")
    with pytest.raises(Corrupt):
        list(Sink(tmp_path / "audit.jsonl").rows())


@pytest.mark.parametrize(
    "theirs", [lambda rows: [item._replace(hash="0" * 64) for item in rows], lambda rows: []], ids=["another record", "no record"]
)
def test_a_second_sink_goes_on_only_with_the_ledger_that_it_ends_with(sqlite: SqlLedger, tmp_path: Path, row: Row, theirs: Any) -> None:
    path = tmp_path / "audit.jsonl"
    sqlite.submit(row(1))
    written = path.read_bytes()
    with pytest.raises(Corrupt, match=r"disagree at record 1 \(door/1\)"):
        Sink(path).catch_up(lambda place, limit: theirs(sqlite.chain(place, limit)))
    assert path.read_bytes() == written
    Sink(path).catch_up(sqlite.chain)
    assert path.read_bytes() == written


def test_a_second_sink_that_was_never_written_has_no_records(tmp_path: Path) -> None:
    sink = Sink(tmp_path / "audit.jsonl")
    assert (list(sink.rows()), sink.head(), sink.path.exists()) == ([], None, False)


def test_a_second_process_of_a_role_is_told_who_holds_it(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from tools.stores.locks import RoleLock; "
        "RoleLock(pathlib.Path(sys.argv[1]), 'executor').take(); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy, match=str(holder.pid)):
            RoleLock(tmp_path, "executor").take()
        RoleLock(tmp_path, "judge").take().release()
        holder.kill()
        holder.wait()
        RoleLock(tmp_path, "executor").take().release()


def test_records_of_the_second_sink_are_plain_json(sqlite: SqlLedger, tmp_path: Path, row: Row) -> None:
    sqlite.submit(row())
    told = json.loads((tmp_path / "audit.jsonl").read_text(encoding="utf-8"))
    assert told["event"] == "submitted"
    assert told["at"].endswith("+00:00")


def test_every_error_of_the_database_is_one_of_ours(sqlite: SqlLedger, tmp_path: Path, row: Row) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as other:
        other.execute("drop table actions")
    other.close()
    with pytest.raises(Day2Error):
        sqlite.submit(row())


def test_a_ledger_that_is_moved_away_in_mid_transaction_commits_nothing(sqlite: SqlLedger, tmp_path: Path) -> None:
    def moved_meanwhile() -> None:
        with sqlite._database.writing() as connection:
            connection.execute(tables.book.update().values(epoch=99))
            (tmp_path / "ledger.db").rename(tmp_path / "elsewhere.db")

    with pytest.raises(Corrupt, match="moved or replaced"):
        moved_meanwhile()
    with sqlite3.connect(tmp_path / "elsewhere.db") as other:
        assert other.execute("select epoch from book").fetchone() == (0,)
    other.close()


def test_the_second_sink_is_written_by_one_process_at_a_time(sqlite: SqlLedger, tmp_path: Path, row: Row) -> None:
    sqlite.submit(row(1))
    with (tmp_path / "audit.jsonl").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        other = threading.Thread(target=sqlite.submit, args=(row(2),))
        other.start()
        other.join(0.3)
        assert other.is_alive()
        assert len(list(Sink(tmp_path / "audit.jsonl").rows())) == 1
        fcntl.flock(held, fcntl.LOCK_UN)
        other.join()
    assert len(list(Sink(tmp_path / "audit.jsonl").rows())) == 2
