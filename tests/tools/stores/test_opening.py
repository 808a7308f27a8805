"""A ledger's database: how sqlite and Postgres are opened, who waits for whom, and what their errors mean for a caller."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core.domain.errors import Busy, Corrupt, Unavailable
from tools.stores.opening import Database, explained


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """With one table and one number in it."""
    found = Database(f"sqlite:///{tmp_path / 'some.db'}", patience_seconds=0.05)
    with found.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE numbers (number INTEGER)")
        connection.exec_driver_sql("INSERT INTO numbers VALUES (1)")
    yield found
    found.close()


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """Another process's view of the same file."""
    found = Database(str(database.url), patience_seconds=0.05)
    yield found
    found.close()


def numbers(database: Database) -> list[int]:
    with database.reading() as connection:
        return list(connection.exec_driver_sql("SELECT number FROM numbers ORDER BY number").scalars())


def add(database: Database, number: int) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO numbers VALUES (?)", (number,))


def test_a_database_without_a_file_has_no_path() -> None:
    found = Database("sqlite://")
    assert found.path is None
    found.close()


def test_each_connection_flushes_its_commits_and_trusts_no_schema(database: Database) -> None:
    with database.reading() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "trusted_schema")]
    assert found == ["wal", 2, 0]


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def half_done() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO numbers VALUES (2)")
            raise KeyError("in the middle")

    with pytest.raises(KeyError):
        half_done()
    assert numbers(database) == [1]


def test_one_writes_at_a_time_and_is_refused_before_it_looked_at_anything(database: Database, other: Database) -> None:
    came_in = []

    def second() -> None:
        with other.writing():
            came_in.append(1)

    with database.writing(), pytest.raises(Unavailable, match="locked"):
        second()
    assert came_in == []
    add(other, 2)
    assert numbers(database) == [1, 2]


def test_who_reads_waits_for_no_writer_and_sees_one_state(database: Database, other: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO numbers VALUES (2)")
        assert numbers(other) == [1]
    with other.reading() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM numbers").scalar()
        add(database, 3)
        assert connection.exec_driver_sql("SELECT count(*) FROM numbers").scalar() == before == 2
    assert numbers(other) == [1, 2, 3]


def failure(text: str, statement: str = "SELECT 1") -> DBAPIError:
    return DBAPIError(statement, {}, sqlite3.OperationalError(text))


@pytest.mark.parametrize(("path", "name"), [(Path("/data/ledger.db"), "/data/ledger.db"), (None, "the ledger's database")])
def test_a_full_disk_names_the_file_that_needs_room(path: Path | None, name: str) -> None:
    found = explained(failure("database or disk is full"), path)
    assert isinstance(found, Unavailable)
    assert name in found.mend
    assert "nothing that was accepted is lost" in found.mend


@pytest.mark.parametrize(("path", "name"), [(Path("/data/ledger.db"), "/data/ledger.db"), (None, "the database")])
@pytest.mark.parametrize("text", ["database disk image is malformed", "no such table: stops", "disk I/O error"])
def test_damage_names_what_is_to_be_kept_aside(path: Path | None, name: str, text: str) -> None:
    found = explained(failure(text), path)
    assert isinstance(found, Corrupt)
    assert f"keep {name} aside" in found.mend
    assert (str(path) if path else "the ledger's database") in str(found)


def test_a_full_disk_is_tried_again_later_than_a_lock() -> None:
    errors = [explained(error, None) for error in (failure("no space left on device"), sqlite3.OperationalError("database is locked"))]
    assert [error.retry_after for error in errors if isinstance(error, Unavailable)] == [5.0, 1.0]


def test_what_a_statement_says_is_no_damage() -> None:
    """A reason that a person typed stands in the statement, and not in what the database said of it."""
    found = explained(failure("database is locked", "INSERT INTO stops VALUES ('malformed, disk is full')"), Path("ledger.db"))
    assert type(found) is Unavailable
    assert "locked" in str(found)
    assert "malformed" not in str(found)


def test_a_connection_that_the_server_ended_meanwhile_is_made_anew(postgres: str) -> None:
    database = Database(postgres)
    with database.reading() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    admin = Database(postgres)
    with admin.reading() as connection:
        assert connection.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid}).scalar()
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() != pid
    admin.close()
    database.close()


@pytest.mark.parametrize(("patience", "limit"), [(0.5, "500ms"), (0.99, "990ms"), (1.0, "0"), (5.0, "0")])
def test_who_has_less_than_a_second_limits_each_statement(postgres: str, patience: float, limit: str) -> None:
    database = Database(postgres, patience_seconds=patience)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == limit
    database.close()


def test_who_is_refused_a_role_keeps_no_connection(postgres: str) -> None:
    first, second = Database(postgres), Database(postgres)
    first.hold("judge")
    with pytest.raises(Busy, match="another process is already the judge") as caught:
        second.hold("judge")
    assert caught.value.mend
    assert (first.engine.pool.checkedout(), second.engine.pool.checkedout()) == (1, 0)  # type: ignore[attr-defined]
    first.close()
    second.close()
