"""A chain of its own for every role. Records of the first form, one chain for all roles, stay as they are and stay verifiable.

They keep their hashes, and their number in the old chain as their `place`; each is counted again within its role. The ledger's new origin
holds how many they are and the last of their hashes, and the first record of every new chain is bound to the origin: see `gate.audit`.
"""

import hashlib
import json
import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_COPY = """
INSERT INTO chain_per_role (place, seq, at, role, event, subject, body, previous, hash)
SELECT seq, row_number() OVER (PARTITION BY role ORDER BY seq), at, role, event, subject, body, previous, hash FROM chain
"""


def upgrade() -> None:
    connection = op.get_bind()
    old = connection.execute(sa.text("SELECT seq, hash, epoch FROM heads")).one()
    origin = f"{secrets.token_hex(16)}.{old.seq}.{old.hash}"
    op.drop_table("heads")
    heads, book = _tables()
    connection.execute(sa.text(_COPY))
    op.drop_table("chain")
    op.rename_table("chain_per_role", "chain")  # in this order: Postgres keeps the name of a renamed table's primary key
    op.create_index("one_seq_in_a_chain", "chain", ["role", "seq"], unique=True)
    for role, count in connection.execute(sa.text("SELECT role, count(*) FROM chain GROUP BY role")).all():
        connection.execute(heads.insert().values(role=role, seq=count, hash=_genesis(origin, role), moved=count, seen=0))
    connection.execute(book.insert().values(id=1, origin=origin, epoch=old.epoch))


def _tables() -> tuple[sa.Table, sa.Table]:
    op.create_table(
        "chain_per_role",
        sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("role", sa.String(64), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False, server_default="") for name in ("event", "subject", "body")),
        *(sa.Column(name, sa.String(64), nullable=False) for name in ("previous", "hash")),
    )
    heads = op.create_table(
        "heads",
        sa.Column("role", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False, server_default="0") for name in ("moved", "seen")),
    )
    book = op.create_table(
        "book",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("origin", sa.Text, nullable=False, server_default=""),
        sa.Column("epoch", sa.BigInteger, nullable=False),
    )
    return heads, book


def _genesis(origin: str, role: str) -> str:
    """`core.domain.ledger.genesis` as it was when this version was released."""
    return hashlib.sha256(json.dumps(["day2-audit-2", origin, role], separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
