"""Sessions in SQL, and their twin in memory."""

import json
from datetime import datetime

import sqlalchemy as sa

from core.domain.sessions import Session
from tools.stores.front.tables import metadata, moment, text
from tools.stores.opening import Database

sessions = sa.Table(
    "front_sessions",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("by", sa.String(200), nullable=False),
    text("groups"),
    sa.Column("how", sa.String(20), nullable=False),
    moment("began_at"),
    moment("seen_at"),
    moment("authenticated_at"),
)


class SqlSessions:
    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, session: Session) -> None:
        with self._database.writing() as connection:
            connection.execute(sessions.insert().values(**session._asdict() | {"groups": json.dumps(session.groups)}))

    def get(self, key: str) -> Session | None:
        with self._database.reading() as connection:
            row = connection.execute(sa.select(sessions).where(sessions.c.key == key)).mappings().first()
        return Session(**dict(row) | {"groups": tuple(json.loads(row["groups"]))}) if row else None

    def touch(self, key: str, at: datetime) -> None:
        with self._database.writing() as connection:
            connection.execute(sessions.update().where(sessions.c.key == key).values(seen_at=at))

    def close(self, key: str) -> bool:
        with self._database.writing() as connection:
            return bool(connection.execute(sessions.delete().where(sessions.c.key == key)).rowcount)

    def forget(self, *, seen_before: datetime, began_before: datetime) -> int:
        over = (sessions.c.seen_at <= seen_before) | (sessions.c.began_at <= began_before)
        with self._database.writing() as connection:
            return connection.execute(sessions.delete().where(over)).rowcount


class MemorySessions:
    """The twin: the same answers without a file."""

    def __init__(self) -> None:
        self._rows: dict[str, Session] = {}

    def open(self, session: Session) -> None:
        self._rows[session.key] = session

    def get(self, key: str) -> Session | None:
        return self._rows.get(key)

    def touch(self, key: str, at: datetime) -> None:
        if key in self._rows:
            self._rows[key] = self._rows[key]._replace(seen_at=at)

    def close(self, key: str) -> bool:
        return self._rows.pop(key, None) is not None

    def forget(self, *, seen_before: datetime, began_before: datetime) -> int:
        over = [key for key, row in self._rows.items() if row.seen_at <= seen_before or row.began_at <= began_before]
        for key in over:
            del self._rows[key]
        return len(over)
