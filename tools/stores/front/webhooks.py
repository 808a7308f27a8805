"""Targets of webhooks in SQL, and their twin in memory. Their secrets are not here."""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.domain.webhooks import Target
from tools.stores.front.tables import metadata, moment, text
from tools.stores.opening import Database

webhooks = sa.Table(
    "front_webhooks",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    text("url"),
    text("types"),
    text("secret"),
    text("by"),
    moment("made_at"),
    sa.Column("cursor", sa.BigInteger, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    moment("failing_since", nullable=True),
    moment("next_at", nullable=True),
    moment("delivered_at", nullable=True),
    text("said"),
    sa.Column("dead", sa.Boolean, nullable=False),
    text("held_by"),
    moment("held_until", nullable=True),
)


class SqlTargets:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, target: Target) -> bool:
        with self._database.writing() as connection:
            if connection.execute(sa.select(webhooks.c.name).where(webhooks.c.name == target.name)).first():
                return False
            connection.execute(webhooks.insert().values(**_row(target)))
            return True

    def all(self) -> list[Target]:
        with self._database.reading() as connection:
            return [_target(row) for row in connection.execute(sa.select(webhooks).order_by(webhooks.c.name)).mappings()]

    def claim(self, target: Target, sender: str, *, at: datetime, until: datetime) -> Target | None:
        free = (webhooks.c.held_by.in_((sender, ""))) | (webhooks.c.held_until <= at)
        mine = _same(target) & webhooks.c.dead.is_(False) & free
        with self._database.writing() as connection:
            if not connection.execute(webhooks.update().where(mine).values(held_by=sender, held_until=until)).rowcount:
                return None
            return _target(connection.execute(sa.select(webhooks).where(_same(target))).mappings().one())

    def release(self, sender: str) -> None:
        with self._database.writing() as connection:
            connection.execute(webhooks.update().where(webhooks.c.held_by == sender).values(held_by="", held_until=None))

    def keep(self, target: Target) -> bool:
        stands = {name: value for name, value in _row(target).items() if name not in ("held_by", "held_until")}
        mine = _same(target) & (webhooks.c.held_by == target.held_by)
        with self._database.writing() as connection:
            return bool(connection.execute(webhooks.update().where(mine).values(**stands)).rowcount)

    def remove(self, name: str) -> bool:
        with self._database.writing() as connection:
            return bool(connection.execute(webhooks.delete().where(webhooks.c.name == name)).rowcount)


def _same(target: Target) -> sa.ColumnElement[bool]:
    """One of this name that was added later is another."""
    return (webhooks.c.name == target.name) & (webhooks.c.made_at == target.made_at)


def _row(target: Target) -> dict[str, Any]:
    return {**target._asdict(), "types": json.dumps(target.types)}


def _target(kept: sa.RowMapping) -> Target:
    fields = {name: kept[name] for name in Target._fields}
    return Target(**fields | {"types": tuple(json.loads(kept["types"]))})


class MemoryTargets:
    """The twin: the same answers without a file."""

    def __init__(self) -> None:
        self._rows: dict[str, Target] = {}

    def add(self, target: Target) -> bool:
        return self._rows.setdefault(target.name, target) is target

    def all(self) -> list[Target]:
        return [self._rows[name] for name in sorted(self._rows)]

    def claim(self, target: Target, sender: str, *, at: datetime, until: datetime) -> Target | None:
        row = self._same(target)
        if row is None or row.dead or not (row.held_by in (sender, "") or (row.held_until is not None and row.held_until <= at)):
            return None
        self._rows[row.name] = row._replace(held_by=sender, held_until=until)
        return self._rows[row.name]

    def release(self, sender: str) -> None:
        held = [row for row in self._rows.values() if row.held_by == sender]
        self._rows |= {row.name: row._replace(held_by="", held_until=None) for row in held}

    def keep(self, target: Target) -> bool:
        row = self._same(target)
        if row is None or row.held_by != target.held_by:
            return False
        self._rows[row.name] = target._replace(held_by=row.held_by, held_until=row.held_until)
        return True

    def _same(self, target: Target) -> Target | None:
        row = self._rows.get(target.name)
        return row if row is not None and row.made_at == target.made_at else None

    def remove(self, name: str) -> bool:
        return self._rows.pop(name, None) is not None
