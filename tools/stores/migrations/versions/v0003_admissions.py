"""What the webhook let through."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "admissions",
        sa.Column("registration", sa.String(20), primary_key=True),
        sa.Column("jti", sa.String(64), primary_key=True),
        sa.Column("use", sa.String(10), nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        *(sa.Column(name, sa.String(64), nullable=False) for name in ("uid", "resource_version", "inverse")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("generation", "at")),
    )
