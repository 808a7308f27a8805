"""Answers under idempotency keys in SQL, and their twin in memory."""

from datetime import datetime

import sqlalchemy as sa

from core.domain.answers import Answer
from tools.stores.front.tables import metadata, moment, text
from tools.stores.opening import Database

answers = sa.Table(
    "front_answers",
    metadata,
    sa.Column("by", sa.String(200), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    text("body"),
    moment("at"),
    sa.Index("front_answers_by_age", "at"),
)


class SqlAnswers:
    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, by: str, key: str, digest: str, *, at: datetime, stale_before: datetime, forget_before: datetime) -> Answer | None:
        mine = (answers.c.by == by) & (answers.c.key == key)
        with self._database.writing() as connection:
            connection.execute(answers.delete().where(answers.c.at < forget_before))
            found = connection.execute(sa.select(answers).where(mine)).mappings().first()
            kept = Answer(found["digest"], found["status"], found["body"], found["at"]) if found else None
            if kept is not None and not _abandoned(kept, digest, stale_before):
                return kept
            connection.execute(answers.delete().where(mine))
            connection.execute(answers.insert().values(by=by, key=key, digest=digest, status=0, body="", at=at))
            return None

    def keep(self, by: str, key: str, *, status: int, body: str) -> None:
        mine = (answers.c.by == by) & (answers.c.key == key)
        with self._database.writing() as connection:
            connection.execute(answers.update().where(mine).values(status=status, body=body))

    def drop(self, by: str, key: str) -> None:
        mine = (answers.c.by == by) & (answers.c.key == key) & (answers.c.status == 0)
        with self._database.writing() as connection:
            connection.execute(answers.delete().where(mine))


def _abandoned(kept: Answer, digest: str, stale_before: datetime) -> bool:
    return kept.status == 0 and kept.digest == digest and kept.at < stale_before


class MemoryAnswers:
    """The twin: the same answers without a file."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Answer] = {}

    def begin(self, by: str, key: str, digest: str, *, at: datetime, stale_before: datetime, forget_before: datetime) -> Answer | None:
        self._rows = {name: row for name, row in self._rows.items() if row.at >= forget_before}
        found = self._rows.get((by, key))
        if found is not None and not _abandoned(found, digest, stale_before):
            return found
        self._rows[by, key] = Answer(digest, 0, "", at)
        return None

    def keep(self, by: str, key: str, *, status: int, body: str) -> None:
        self._rows[by, key] = self._rows[by, key]._replace(status=status, body=body)

    def drop(self, by: str, key: str) -> None:
        if (by, key) in self._rows and self._rows[by, key].status == 0:
            del self._rows[by, key]
