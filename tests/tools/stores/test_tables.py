"""What the tables promise of every text in them."""

import pytest
import sqlalchemy as sa

from tools.stores import tables


def test_a_text_that_nobody_gave_is_empty_and_never_null() -> None:
    table = sa.Table("notes", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), tables._text("note"))
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert().values(id=1))
        assert connection.execute(sa.select(table.c.note)).scalar_one() == ""
        with pytest.raises(sa.exc.IntegrityError):
            connection.execute(table.insert().values(id=2, note=None))
    engine.dispose()
