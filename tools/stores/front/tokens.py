"""API tokens in SQL, and their twin in memory. A digest is kept, never a secret."""

import json
from datetime import datetime

import sqlalchemy as sa

from core.domain.access import Role
from core.domain.tokens import Token
from tools.stores.front.tables import metadata, moment, text
from tools.stores.opening import Database

tokens = sa.Table(
    "front_tokens",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    text("roles"),
    text("by"),
    moment("made_at"),
    moment("expires_at", nullable=True),
    moment("last_used_at", nullable=True),
    moment("revoked_at", nullable=True),
    text("revoked_by"),
)


class SqlTokens:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token: Token, secret_digest: str) -> bool:
        row = token._asdict() | {"roles": json.dumps(sorted(token.roles)), "digest": secret_digest}
        with self._database.writing() as connection:
            if connection.execute(sa.select(tokens.c.name).where(tokens.c.name == token.name)).first():
                return False
            connection.execute(tokens.insert().values(**row))
            return True

    def find(self, secret_digest: str) -> Token | None:
        return next(iter(self._read(sa.select(tokens).where(tokens.c.digest == secret_digest))), None)

    def all(self) -> list[Token]:
        return self._read(sa.select(tokens).order_by(tokens.c.made_at, tokens.c.name))

    def used(self, name: str, at: datetime) -> None:
        with self._database.writing() as connection:
            connection.execute(tokens.update().where(tokens.c.name == name).values(last_used_at=at))

    def revoke(self, name: str, *, by: str, at: datetime) -> bool:
        mine = (tokens.c.name == name) & tokens.c.revoked_at.is_(None)
        with self._database.writing() as connection:
            return bool(connection.execute(tokens.update().where(mine).values(revoked_at=at, revoked_by=by)).rowcount)

    def _read(self, wanted: "sa.Select[tuple[object, ...]]") -> list[Token]:
        with self._database.reading() as connection:
            return [_token(row) for row in connection.execute(wanted).mappings()]


def _token(kept: sa.RowMapping) -> Token:
    fields = {name: kept[name] for name in Token._fields}
    return Token(**fields | {"roles": frozenset(Role(name) for name in json.loads(kept["roles"]))})


class MemoryTokens:
    """The twin: the same answers without a file."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[Token, str]] = {}

    def add(self, token: Token, secret_digest: str) -> bool:
        if token.name in self._rows:
            return False
        self._rows[token.name] = (token, secret_digest)
        return True

    def find(self, secret_digest: str) -> Token | None:
        return next((token for token, kept in self._rows.values() if kept == secret_digest), None)

    def all(self) -> list[Token]:
        return sorted((token for token, _ in self._rows.values()), key=lambda token: (token.made_at, token.name))

    def used(self, name: str, at: datetime) -> None:
        if name in self._rows:
            token, kept = self._rows[name]
            self._rows[name] = (token._replace(last_used_at=at), kept)

    def revoke(self, name: str, *, by: str, at: datetime) -> bool:
        token, kept = self._rows.get(name, (None, ""))
        if token is None or token.revoked_at is not None:
            return False
        self._rows[name] = (token._replace(revoked_at=at, revoked_by=by), kept)
        return True
