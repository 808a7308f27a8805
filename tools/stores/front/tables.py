"""The metadata that all tables of the doors share, and the column types they are made of."""

import sqlalchemy as sa

from tools.stores.tables import Moment

FORM = 2
"""Grows with every change of a table that an older file does not have."""

metadata = sa.MetaData()

about = sa.Table(
    "front_about",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("form", sa.Integer, nullable=False),
)


def text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, Moment, nullable=nullable)
