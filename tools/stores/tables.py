"""The ledger's tables, in SQLAlchemy Core. `migrations/versions` creates them; a test proves that both agree.

Times are ISO 8601 texts in UTC with microseconds: they sort as they are, read the same on every database, and hash the same in the chain.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from core.domain.outcome import TERMINAL

HEAD = "0003"
"""The newest migration: what an opened ledger must have."""

OPEN = sa.text(f"state NOT IN ({', '.join(sorted(repr(state.value) for state in TERMINAL))})")

metadata = sa.MetaData()


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware UTC time as text of one length."""

    impl = sa.String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:  # noqa: ARG002  the signature is SQLAlchemy's
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:  # noqa: ARG002
        return None if value is None else datetime.fromisoformat(value)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


actions = sa.Table(
    "actions",
    metadata,
    sa.Column("action_id", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("intent_key", sa.String(64), nullable=False),
    sa.Column("run_id", sa.String(64), nullable=False, index=True),
    _text("agent"),
    _text("kind"),
    sa.Column("target_uid", sa.String(64), nullable=False, index=True),
    _text("namespace"),
    _text("proposal"),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    _text("submitted_by"),
    sa.Column("submitted_at", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    _text("verdict"),
    _text("permit"),
    _text("undo_permit"),
    _text("request"),
    _text("undo_request"),
    _text("check"),
    _text("before"),
    _text("note"),
    _text("looks"),
    sa.Column("next_look_at", Moment),
    sa.Column("deadline", Moment),
    _text("owner"),
    sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    # one open action per intent: the database refuses the second, whoever races
    sa.Index("one_open_intent", "intent_key", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
)

permits = sa.Table(
    "permits",
    metadata,
    sa.Column("jti", sa.String(64), primary_key=True),
    sa.Column("action_id", sa.String(64), nullable=False),
    sa.Column("at", Moment, nullable=False),
)

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("action_id", sa.String(64), nullable=False, index=True),
    sa.Column("action_digest", sa.String(64), primary_key=True),
    sa.Column("by", sa.String(200), primary_key=True),
    _text("approval"),
    sa.Column("at", Moment, nullable=False),
)

stops = sa.Table(
    "stops",
    metadata,
    sa.Column("scope", sa.String(300), primary_key=True),
    sa.Column("mode", sa.String(20), nullable=False),
    _text("by"),
    _text("reason"),
    sa.Column("at", Moment, nullable=False),
)

chain = sa.Table(
    "chain",
    metadata,
    sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("role", sa.String(64), nullable=False),
    _text("event"),
    _text("subject"),
    _text("body"),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Index("one_seq_in_a_chain", "role", "seq", unique=True),
)

heads = sa.Table(
    "heads",
    metadata,
    sa.Column("role", sa.String(64), primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    # for anchors: the last record that is none, and the sum of the others' when this role anchored them last
    sa.Column("moved", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("seen", sa.BigInteger, nullable=False, server_default="0"),
)

book = sa.Table(
    "book",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    _text("origin"),
    sa.Column("epoch", sa.BigInteger, nullable=False),
)
