"""The intake in SQL, and its twin in memory."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from core.domain.intake import OVER, Asked, Stage
from core.domain.request import Request
from tools.stores.front.tables import metadata, moment, text
from tools.stores.opening import Database

requests = sa.Table(
    "front_requests",
    metadata,
    sa.Column("run_id", sa.String(64), primary_key=True),
    text("request"),
    sa.Column("stage", sa.String(20), nullable=False, index=True),
    sa.Column("door", sa.String(40), nullable=False),
    sa.Column("thread", sa.String(200), nullable=False, index=True),
    moment("asked_at"),
    moment("changed_at"),
    text("note"),
)


class SqlIntake:
    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, request: Request, *, door: str, thread: str = "") -> bool:
        with self._database.writing() as connection:
            if connection.execute(sa.select(requests.c.run_id).where(requests.c.run_id == request.id)).first():
                return False
            row = {"run_id": request.id, "request": request.model_dump_json(), "stage": Stage.WAITING.value, "door": door, "thread": thread}
            connection.execute(requests.insert().values(**row, asked_at=request.at, changed_at=request.at))
            return True

    def get(self, run_id: str) -> Asked | None:
        return next(iter(self._read(sa.select(requests).where(requests.c.run_id == run_id))), None)

    def open(self) -> list[Asked]:
        over = [stage.value for stage in OVER]
        return self._read(sa.select(requests).where(requests.c.stage.not_in(over)).order_by(requests.c.asked_at, requests.c.run_id))

    def recent(self, limit: int = 200, *, thread: str = "") -> list[Asked]:
        wanted = sa.select(requests).order_by(requests.c.asked_at.desc(), requests.c.run_id.desc()).limit(limit)
        return self._read(wanted.where(requests.c.thread == thread) if thread else wanted)

    def move(self, run_id: str, *, expected: frozenset[Stage], to: Stage, at: datetime, note: str = "") -> bool:
        mine = (requests.c.run_id == run_id) & requests.c.stage.in_([stage.value for stage in expected])
        with self._database.writing() as connection:
            done = connection.execute(requests.update().where(mine).values(stage=to.value, changed_at=at, note=note))
            return bool(done.rowcount)

    def _read(self, wanted: "sa.Select[tuple[object, ...]]") -> list[Asked]:
        with self._database.reading() as connection:
            return [_asked(row) for row in connection.execute(wanted).mappings()]


def _asked(kept: sa.RowMapping) -> Asked:
    request = Request.model_validate_json(kept["request"])
    return Asked(request, Stage(kept["stage"]), kept["door"], kept["thread"], kept["changed_at"], kept["note"])


class MemoryIntake:
    """The twin: the same answers without a file."""

    def __init__(self, asked: Iterable[Asked] = ()) -> None:
        self._rows = {item.request.id: item for item in asked}

    def put(self, request: Request, *, door: str, thread: str = "") -> bool:
        if request.id in self._rows:
            return False
        self._rows[request.id] = Asked(request, Stage.WAITING, door, thread, request.at)
        return True

    def get(self, run_id: str) -> Asked | None:
        return self._rows.get(run_id)

    def open(self) -> list[Asked]:
        return [item for item in self._ranked() if item.stage not in OVER]

    def recent(self, limit: int = 200, *, thread: str = "") -> list[Asked]:
        return [item for item in reversed(self._ranked()) if not thread or item.thread == thread][:limit]

    def move(self, run_id: str, *, expected: frozenset[Stage], to: Stage, at: datetime, note: str = "") -> bool:
        found = self._rows.get(run_id)
        if found is None or found.stage not in expected:
            return False
        self._rows[run_id] = found._replace(stage=to, changed_at=at, note=note)
        return True

    def _ranked(self) -> list[Asked]:
        return sorted(self._rows.values(), key=lambda item: (item.request.at, item.request.id))
