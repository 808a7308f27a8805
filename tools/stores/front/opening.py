"""Opening the doors' database: made where there is none, refused where it is another program's or of a newer form."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from core.domain.errors import Corrupt
from tools.stores.front import (  # noqa: F401  each subject puts its tables on the metadata
    answers,
    chats,
    incidents,
    intake,
    schedules,
    sessions,
    tables,
    tokens,
    webhooks,
)
from tools.stores.opening import APPLICATION_ID, Database

PATIENCE = "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '30s'"
"""As sqlite's, and who stands still in the middle of a write does not stop all others."""
_ALONE = sa.text("SELECT pg_advisory_xact_lock(hashtext('day2'), hashtext('what the doors keep'))")


class FrontDatabase(Database):
    """On a server whoever writes is alone too, as on sqlite: every adapter here looks before it writes, and two replicas do so at once."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        if self.path is None:
            sa.event.listen(self.engine, "connect", _patient)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with super().writing() as connection:
            if self.path is None:
                connection.execute(_ALONE)
            yield connection


def _patient(connection: Any, _record: Any) -> None:
    connection.execute(PATIENCE)
    connection.commit()


def opened(url: str) -> FrontDatabase:
    """Raises Corrupt for what is not ours, Unavailable where it cannot be reached. A new sqlite file has mode 0600."""
    database = FrontDatabase(url)
    path = database.path
    if path is not None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    with database.writing() as connection:  # several processes may open it at once; the first that writes makes it ours
        if path is not None and not connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar():
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        tables.metadata.create_all(connection)
        form = connection.execute(sa.select(tables.about.c.form)).scalar()
        if form is None:
            connection.execute(tables.about.insert().values(id=1, form=tables.FORM))
        elif form < tables.FORM:
            _grow(connection)
            connection.execute(tables.about.update().values(form=tables.FORM))
        elif form > tables.FORM:
            raise Corrupt(f"the doors' database has form {form}, this version knows {tables.FORM}", mend="use the version that wrote it")
    database.adopt()
    return database


def _grow(connection: sa.Connection) -> None:
    """Columns that an older form does not have. Each has a default, or may be null."""
    found = sa.inspect(connection)
    for table in tables.metadata.sorted_tables:
        there = {column["name"] for column in found.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                made = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {made}")
