"""Opening the ledger's database, and what its failures mean. Every doubt about the file is an error: an unreadable ledger stops writes."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from core.domain.errors import Busy, Corrupt, Day2Error, InvalidInput, Unavailable
from core.domain.values import bounded

APPLICATION_ID = 0x64617932
"""`day2` in sqlite's file header: another program's database is noticed."""

_MAGIC = b"SQLite format 3\x00"
_DAMAGED = ("malformed", "not a database", "no such table", "no such column", "does not exist", "disk i/o error")
_FULL = ("disk is full", "database or disk is full", "no space left")


class Database:
    """An engine, and for sqlite the file it must still be. `patience_seconds`: how long a lock of others is waited for."""

    def __init__(self, url: str, *, patience_seconds: float = 5.0) -> None:
        try:
            self.url = sa.make_url(url)
        except sa.exc.ArgumentError as error:
            raise InvalidInput(
                "the ledger's address cannot be read", mend="sqlite:////folder/ledger.db or postgresql+psycopg://user@host/name"
            ) from error
        self.path = Path(self.url.database) if self.url.get_backend_name() == "sqlite" and self.url.database else None
        self.engine = sa.create_engine(self.url, **_arguments(self.path, patience_seconds))
        self._inode = 0
        self._held: list[sa.Connection] = []
        if self.path:
            sa.event.listen(self.engine, "connect", _configuring(patience_seconds))
            sa.event.listen(self.engine, "begin", _begin)

    def adopt(self) -> None:
        """Check the file, and remember which it is. Raises Corrupt with the mend."""
        if self.path is None:
            return
        _check_header(self.path)
        self._inode = self.path.stat().st_ino
        with self.reading() as connection:
            found = connection.exec_driver_sql("PRAGMA application_id").scalar()
            if found != APPLICATION_ID:
                raise Corrupt(f"{self.path} is another program's database", mend=_mend(self.path))
            if (said := connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()) != "ok":
                raise Corrupt(f"{self.path} is damaged: {bounded(str(said), 120)}", mend=_mend(self.path))

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with self._explained(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction that holds the write lock from its first statement."""
        with self._explained(), self.engine.connect() as bare, bare.execution_options(day2_write=True) as connection, connection.begin():
            yield connection
            self._check_same_file()  # a file moved away under us would take the commit with it

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        self._check_same_file()
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise explained(error, self.path) from error

    def _check_same_file(self) -> None:
        """An open handle on a moved or replaced file goes on working, and a stop written to the new one would never be seen."""
        if self.path is None or not self._inode:
            return
        try:
            same = self.path.stat().st_ino == self._inode
        except OSError:
            same = False
        if not same:
            raise Corrupt(
                f"{self.path} was moved or replaced while it was in use", mend="put the right file back, then start again: day2 doctor"
            )

    def hold(self, role: str) -> None:
        """Be the only process of this role on this Postgres until we end. Raises Busy. On sqlite the folder's lock does it."""
        if self.path is not None:
            return
        with self._explained():
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            query = sa.text("SELECT pg_try_advisory_lock(hashtext('day2'), hashtext(:role))")
            if not connection.execute(query, {"role": role}).scalar():
                connection.close()
                raise Busy(f"another process is already the {role} of this ledger", mend="stop it, or give this one a ledger of its own")
            self._held.append(connection)

    def close(self) -> None:
        for connection in self._held:
            with contextlib.suppress(DBAPIError):  # a server that is away lets go once it notes that we ended
                connection.execute(sa.text("SELECT pg_advisory_unlock_all()"))
            connection.close()
        self.engine.dispose()


def explained(error: Exception, path: Path | None) -> Day2Error:
    """What a database error means for the caller."""
    text = str(error.orig if isinstance(error, DBAPIError) else error).lower()
    name = str(path) if path else "the ledger's database"
    if any(word in text for word in _FULL):
        return Unavailable(
            "the ledger", 5.0, reason="the disk is full", mend=f"free some space beside {name}; nothing that was accepted is lost"
        )
    if any(word in text for word in _DAMAGED):
        return Corrupt(f"{name} is damaged: {bounded(text, 120)}", mend=_mend(path))
    return Unavailable("the ledger", 1.0, reason=bounded(text, 120), mend="day2 doctor")


def _mend(path: Path | None) -> str:
    place = str(path) if path else "the database"
    return f"stop day2, keep {place} aside, restore the last backup, compare it with audit.jsonl: day2 doctor"


def _check_header(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except FileNotFoundError:
        raise Corrupt(f"{path} is gone", mend=_mend(path)) from None
    except OSError as error:
        raise Unavailable("the ledger", 1.0, reason=f"{path}: {error.strerror}", mend="check its permissions") from error
    if head != _MAGIC:
        raise Corrupt(f"{path} is no sqlite database", mend=_mend(path))


def _arguments(path: Path | None, patience_seconds: float) -> dict[str, Any]:
    if path:
        return {"connect_args": {"timeout": patience_seconds}}
    quick = {"connect_timeout": 1, "options": f"-c statement_timeout={round(patience_seconds * 1000)}"}
    return {"pool_pre_ping": True, "connect_args": quick if patience_seconds < 1 else {"connect_timeout": 3}}


def _configuring(patience_seconds: float) -> Callable[[Any, Any], None]:
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={round(patience_seconds * 1000)}", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}").close()

    return configure


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("day2_write") else "BEGIN")
