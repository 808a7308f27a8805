"""The first form of the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_OPEN = sa.text("state NOT IN ('cancelled', 'denied', 'escalated', 'expired', 'failed', 'rolled_back', 'verified')")
_GENESIS = "0" * 64


def upgrade() -> None:
    texts = ("agent", "kind", "namespace", "proposal", "submitted_by", "verdict", "permit", "undo_permit", "request", "undo_request")
    op.create_table(
        "actions",
        sa.Column("action_id", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("intent_key", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False, index=True),
        sa.Column("target_uid", sa.String(64), nullable=False, index=True),
        sa.Column("state", sa.String(20), nullable=False, index=True),
        *(_text(name) for name in (*texts, "check", "before", "note", "looks", "owner")),
        *(sa.Column(name, sa.String(32), nullable=False) for name in ("submitted_at", "changed_at", "expires_at")),
        *(sa.Column(name, sa.String(32)) for name in ("next_look_at", "deadline")),
        sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_index("one_open_intent", "actions", ["intent_key"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "permits",
        sa.Column("jti", sa.String(64), primary_key=True),
        sa.Column("action_id", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("action_id", sa.String(64), nullable=False, index=True),
        sa.Column("action_digest", sa.String(64), primary_key=True),
        sa.Column("by", sa.String(200), primary_key=True),
        _text("approval"),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_table(
        "stops",
        sa.Column("scope", sa.String(300), primary_key=True),
        sa.Column("mode", sa.String(20), nullable=False),
        *(_text(name) for name in ("by", "reason")),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_table(
        "chain",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        *(_text(name) for name in ("role", "event", "subject", "body")),
        *(sa.Column(name, sa.String(64), nullable=False) for name in ("previous", "hash")),
    )
    heads = op.create_table(
        "heads",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("seq", "epoch")),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.bulk_insert(heads, [{"id": 1, "seq": 0, "epoch": 0, "hash": _GENESIS}])


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False, server_default="")
