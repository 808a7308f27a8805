"""The webhook's part of the SQL ledger, behind `core.domain.admissions.Admissions`; several webhooks share it.

The API server waits three seconds for an answer, so a busy database is given up after a third of one: the write is refused.
"""

import sqlalchemy as sa

from core.domain.admissions import Admitted
from core.domain.errors import Unavailable
from core.domain.ledger import StopRow
from tools.stores import tables
from tools.stores.opening import Database

PATIENCE_SECONDS = 0.3

admissions = sa.Table(
    "admissions",
    tables.metadata,
    sa.Column("registration", sa.String(20), primary_key=True),
    sa.Column("jti", sa.String(64), primary_key=True),
    sa.Column("use", sa.String(10), nullable=False),
    sa.Column("line", sa.Text, nullable=False),
    *(sa.Column(name, sa.String(64), nullable=False) for name in ("uid", "resource_version", "inverse")),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("generation", "at")),
)
_STOPS = sa.select(*(tables.stops.c[name] for name in StopRow._fields))
_MINE = admissions.c.registration == sa.bindparam("registration"), admissions.c.jti == sa.bindparam("jti")
_ADMITTED = sa.select(*(admissions.c[name] for name in Admitted._fields)).where(*_MINE)
_NEW = sa.text(
    f"INSERT INTO admissions ({', '.join(Admitted._fields)}) VALUES ({', '.join(f':{name}' for name in Admitted._fields)}) "  # noqa: S608  our own names
    "ON CONFLICT DO NOTHING"
)


class SqlAdmissions:
    """See the port. Raises Unavailable where the ledger has another form than ours."""

    def __init__(self, url: str) -> None:
        self._database = Database(url, patience_seconds=PATIENCE_SECONDS)
        self._database.adopt()
        with self._database.reading() as connection:
            version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if version != tables.HEAD:
            raise Unavailable("the ledger", 1.0, reason=f"its form is {version}, not {tables.HEAD}", mend="day2 serve brings it up to date")

    def stops(self) -> list[StopRow]:
        with self._database.reading() as connection:
            return [StopRow(*row) for row in connection.execute(_STOPS)]

    def admitted(self, registration: str, jti: str) -> Admitted | None:
        with self._database.reading() as connection:
            row = connection.execute(_ADMITTED, {"registration": registration, "jti": jti}).first()
        return Admitted(*row) if row else None

    def admit(self, row: Admitted) -> bool:
        with self._database.writing() as connection:
            return connection.execute(_NEW, row._asdict()).rowcount == 1

    def close(self) -> None:
        self._database.close()
