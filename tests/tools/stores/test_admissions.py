"""The webhook's part of the ledger: a permit is spent once whoever races, and whatever cannot be read is an error at once."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from core.domain.admissions import Admissions, Admitted
from core.domain.errors import Corrupt, Day2Error, Unavailable
from core.domain.ledger import StopRow
from tools.stores.admissions import PATIENCE_SECONDS, SqlAdmissions
from tools.stores.ledger import SqlLedger
from tools.stores.memory import MemoryAdmissions

ROW = Admitted("api", "permit-1", "forward", "patch /api/v1/nodes/n", "uid-1", "100", 3, "f" * 64, 1_795_000_000)


@pytest.fixture
def book(url: str, sqlite: SqlLedger) -> Iterator[SqlAdmissions]:
    found = SqlAdmissions(url)
    yield found
    found.close()


@pytest.fixture(params=["memory", "sqlite"])
def either(request: pytest.FixtureRequest) -> Admissions:
    found: Admissions = MemoryAdmissions() if request.param == "memory" else request.getfixturevalue("book")
    return found


def test_a_row_is_kept_once_per_registration(either: Admissions) -> None:
    assert either.admitted("api", "permit-1") is None
    assert either.admit(ROW)
    assert not either.admit(ROW._replace(resource_version="999"))
    assert either.admitted("api", "permit-1") == ROW
    assert either.admitted("static", "permit-1") is None
    assert either.admit(ROW._replace(registration="static"))


def test_of_many_that_race_one_wins(url: str, book: SqlAdmissions) -> None:
    books = [SqlAdmissions(url) for _ in range(4)]
    barrier, won = threading.Barrier(4), []

    def race(mine: SqlAdmissions) -> None:
        barrier.wait()
        for number in range(10):
            try:
                if mine.admit(ROW._replace(jti=f"permit-{number}")):
                    won.append(number)
            except Unavailable:
                continue  # the lock was held for too long: refused, which is no win

    threads = [threading.Thread(target=race, args=(mine,)) for mine in books]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mine in books:
        mine.close()
    assert len(won) == len(set(won))
    assert set(won) == {number for number in range(10) if book.admitted("api", f"permit-{number}")}


def test_a_stop_is_seen_at_the_next_call_and_its_end_too(book: SqlAdmissions, sqlite: SqlLedger, start: datetime) -> None:
    assert book.stops() == []
    sqlite.stop(StopRow("all", "forward", "person", "incident", start))
    assert [(row.scope, row.mode) for row in book.stops()] == [("all", "forward")]
    sqlite.resume("all", "person", "over", start)
    assert book.stops() == []


def test_a_ledger_that_others_hold_is_given_up_before_the_api_server_gives_us_up(book: SqlAdmissions, tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        book.admit(ROW)
    assert PATIENCE_SECONDS < 1  # the API server waits three seconds
    holder.execute("ROLLBACK")
    holder.close()
    assert book.admit(ROW)


def moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))


def replaced(path: Path) -> None:
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)


def emptied(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE stops")
    connection.close()


@pytest.mark.parametrize("damage", [moved, replaced, emptied])
def test_a_ledger_that_was_moved_replaced_or_lost_its_stops_is_an_error(
    book: SqlAdmissions, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    book.stops()
    damage(tmp_path / "ledger.db")
    with pytest.raises(Corrupt):
        book.stops()


def test_a_ledger_of_another_form_is_not_opened(url: str, sqlite: SqlLedger, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    with pytest.raises(Unavailable, match="form"):
        SqlAdmissions(url)


def test_the_twin_can_be_down() -> None:
    book = MemoryAdmissions()
    book.down = Unavailable("the ledger")
    for call in (book.stops, lambda: book.admitted("api", "permit-1"), lambda: book.admit(ROW)):
        with pytest.raises(Day2Error):
            call()
