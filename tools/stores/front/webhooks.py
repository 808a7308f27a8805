"""Targets of webhooks in SQL, and their twin in memory. Their secrets are not here."""

import json
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

    def keep(self, target: Target) -> None:
        mine = (webhooks.c.name == target.name) & (webhooks.c.made_at == target.made_at)
        with self._database.writing() as connection:
            connection.execute(webhooks.update().where(mine).values(**_row(target)))

    def remove(self, name: str) -> bool:
        with self._database.writing() as connection:
            return bool(connection.execute(webhooks.delete().where(webhooks.c.name == name)).rowcount)


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

    def keep(self, target: Target) -> None:
        if target.name in self._rows and self._rows[target.name].made_at == target.made_at:
            self._rows[target.name] = target

    def remove(self, name: str) -> bool:
        return self._rows.pop(name, None) is not None
