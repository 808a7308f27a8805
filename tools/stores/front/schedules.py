"""The timetable in SQL, and its twin in memory."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from core.domain.report import Report
from core.domain.timetable import Pause, Put, Sending, Tick, TickState
from tools.stores.front.tables import metadata, moment, text
from tools.stores.opening import Database

ticks = sa.Table(
    "front_ticks",
    metadata,
    sa.Column("run_id", sa.String(64), primary_key=True),
    sa.Column("schedule", sa.String(80), nullable=False, index=True),
    moment("at"),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    moment("changed_at"),
    text("asked_by"),
    text("note"),
    sa.UniqueConstraint("schedule", "at", "asked_by"),
)
_runs = ticks.c.state == TickState.RUNNING.value
sa.Index("front_ticks_one_runs", ticks.c.schedule, unique=True, sqlite_where=_runs, postgresql_where=_runs)
"""Two replicas on one server cannot both begin: the second is told so by the database."""
known = sa.Table("front_schedules_known", metadata, sa.Column("schedule", sa.String(80), primary_key=True), moment("since"))
pauses = sa.Table(
    "front_pauses", metadata, sa.Column("schedule", sa.String(80), primary_key=True), text("by"), text("reason"), moment("at")
)
puts = sa.Table("front_schedules", metadata, sa.Column("name", sa.String(80), primary_key=True), text("document"), text("by"), moment("at"))
reports = sa.Table(
    "front_reports",
    metadata,
    sa.Column("run_id", sa.String(64), primary_key=True),
    sa.Column("schedule", sa.String(80), nullable=False, index=True),
    moment("tick"),
    sa.Column("complete", sa.Boolean, nullable=False, index=True),
    sa.Column("sending", sa.String(20), nullable=False),
    text("report"),
)


class SqlTimetable:
    def __init__(self, database: Database) -> None:
        self._database = database

    def after(self, schedule: str, at: datetime) -> datetime:
        with self._database.writing() as connection:
            since: datetime | None = connection.execute(sa.select(known.c.since).where(known.c.schedule == schedule)).scalar()
            if since is None:
                connection.execute(known.insert().values(schedule=schedule, since=at))
                since = at
            mine = (ticks.c.schedule == schedule) & (ticks.c.asked_by == "")
            last: datetime | None = connection.execute(sa.select(ticks.c.at).where(mine).order_by(ticks.c.at.desc()).limit(1)).scalar()
            return max(since, last) if last else since

    def pass_over(self, schedule: str, until: datetime) -> None:
        with self._database.writing() as connection:
            mine = known.c.schedule == schedule
            since = connection.execute(sa.select(known.c.since).where(mine)).scalar()
            if since is None:
                connection.execute(known.insert().values(schedule=schedule, since=until))
            elif since < until:
                connection.execute(known.update().where(mine).values(since=until))

    def add(self, new: Iterable[Tick]) -> int:
        with self._database.writing() as connection:
            return sum(_added(connection, tick) for tick in new)

    def begin(self, run_id: str, at: datetime) -> bool:
        mine = (ticks.c.run_id == run_id) & (ticks.c.state == TickState.DUE.value)
        with self._database.writing() as connection:
            row = connection.execute(sa.select(ticks.c.schedule).where(mine)).first()
            if row is None:
                return False
            others = (ticks.c.schedule == row.schedule) & (ticks.c.state == TickState.RUNNING.value)
            if connection.execute(sa.select(ticks.c.run_id).where(others)).first():
                return False
            return bool(connection.execute(ticks.update().where(mine).values(state=TickState.RUNNING.value, changed_at=at)).rowcount)

    def move(self, run_id: str, *, expected: TickState, to: TickState, at: datetime, note: str = "") -> bool:
        mine = (ticks.c.run_id == run_id) & (ticks.c.state == expected.value)
        with self._database.writing() as connection:
            return bool(connection.execute(ticks.update().where(mine).values(state=to.value, changed_at=at, note=note)).rowcount)

    def get(self, run_id: str) -> Tick | None:
        return next(iter(self._ticks(sa.select(ticks).where(ticks.c.run_id == run_id))), None)

    def standing(self, *states: TickState) -> list[Tick]:
        wanted = [state.value for state in states]
        return self._ticks(sa.select(ticks).where(ticks.c.state.in_(wanted)).order_by(ticks.c.at, ticks.c.run_id))

    def recent(self, schedule: str = "", limit: int = 200) -> list[Tick]:
        wanted = sa.select(ticks).order_by(ticks.c.at.desc(), ticks.c.run_id.desc()).limit(limit)
        return self._ticks(wanted.where(ticks.c.schedule == schedule) if schedule else wanted)

    def pauses(self) -> list[Pause]:
        with self._database.reading() as connection:
            return [Pause(**row) for row in connection.execute(sa.select(pauses).order_by(pauses.c.schedule)).mappings()]

    def pause(self, pause: Pause) -> bool:
        with self._database.writing() as connection:
            if connection.execute(sa.select(pauses.c.schedule).where(pauses.c.schedule == pause.schedule)).first():
                return False
            connection.execute(pauses.insert().values(**pause._asdict()))
            return True

    def resume(self, schedule: str) -> bool:
        with self._database.writing() as connection:
            return bool(connection.execute(pauses.delete().where(pauses.c.schedule == schedule)).rowcount)

    def put(self, put: Put) -> None:
        with self._database.writing() as connection:
            connection.execute(puts.delete().where(puts.c.name == put.name))
            connection.execute(puts.insert().values(**put._asdict()))

    def puts(self) -> list[Put]:
        with self._database.reading() as connection:
            return [Put(**row) for row in connection.execute(sa.select(puts).order_by(puts.c.name)).mappings()]

    def remove(self, name: str) -> bool:
        with self._database.writing() as connection:
            return bool(connection.execute(puts.delete().where(puts.c.name == name)).rowcount)

    def report(self, report: Report) -> None:
        mine = reports.c.run_id == report.run
        fresh = {"complete": report.complete, "report": report.model_dump_json()}
        with self._database.writing() as connection:
            if not connection.execute(reports.update().where(mine).values(**fresh)).rowcount:
                row = {"run_id": report.run, "schedule": report.schedule, "tick": report.tick, "sending": Sending.UNSENT.value}
                connection.execute(reports.insert().values(**row, **fresh))

    def reports(self, *, schedule: str = "", since: datetime | None = None, limit: int = 200) -> list[Report]:
        wanted = sa.select(reports.c.report).order_by(reports.c.tick.desc(), reports.c.run_id.desc()).limit(limit)
        if schedule:
            wanted = wanted.where(reports.c.schedule == schedule)
        return self._reports(wanted.where(reports.c.tick >= since) if since else wanted)

    def report_of(self, run_id: str) -> Report | None:
        return next(iter(self._reports(sa.select(reports.c.report).where(reports.c.run_id == run_id))), None)

    def unfinished(self) -> list[Report]:
        return self._reports(sa.select(reports.c.report).where(reports.c.complete.is_(False)).order_by(reports.c.tick))

    def sending(self, run_id: str) -> Sending:
        with self._database.reading() as connection:
            found = connection.execute(sa.select(reports.c.sending).where(reports.c.run_id == run_id)).scalar()
        return Sending(found) if found else Sending.UNSENT

    def send(self, run_id: str, *, expected: Sending, to: Sending) -> bool:
        mine = (reports.c.run_id == run_id) & (reports.c.sending == expected.value)
        with self._database.writing() as connection:
            return bool(connection.execute(reports.update().where(mine).values(sending=to.value)).rowcount)

    def _ticks(self, wanted: "sa.Select[tuple[object, ...]]") -> list[Tick]:
        with self._database.reading() as connection:
            rows = connection.execute(wanted).mappings()
            return [Tick(**{**row, "state": TickState(row["state"])}) for row in rows]

    def _reports(self, wanted: "sa.Select[tuple[str]]") -> list[Report]:
        with self._database.reading() as connection:
            return [Report.model_validate_json(row.report) for row in connection.execute(wanted)]


def _added(connection: sa.Connection, tick: Tick) -> bool:
    same = (ticks.c.schedule == tick.schedule) & (ticks.c.at == tick.at) & (ticks.c.asked_by == tick.asked_by)
    if connection.execute(sa.select(ticks.c.run_id).where(same | (ticks.c.run_id == tick.run_id))).first():
        return False
    connection.execute(ticks.insert().values(**{**tick._asdict(), "state": tick.state.value}))
    return True


class MemoryTimetable:
    """The twin: the same answers without a file."""

    def __init__(self) -> None:
        self._ticks: dict[str, Tick] = {}
        self._known: dict[str, datetime] = {}
        self._pauses: dict[str, Pause] = {}
        self._puts: dict[str, Put] = {}
        self._reports: dict[str, Report] = {}
        self._sending: dict[str, Sending] = {}

    def after(self, schedule: str, at: datetime) -> datetime:
        since = self._known.setdefault(schedule, at)
        return max([since, *(tick.at for tick in self._ticks.values() if tick.schedule == schedule and not tick.asked_by)])

    def pass_over(self, schedule: str, until: datetime) -> None:
        self._known[schedule] = max(self._known.get(schedule, until), until)

    def add(self, new: Iterable[Tick]) -> int:
        there = {(tick.schedule, tick.at, tick.asked_by) for tick in self._ticks.values()}
        fresh = {
            tick.run_id: tick for tick in new if tick.run_id not in self._ticks and (tick.schedule, tick.at, tick.asked_by) not in there
        }
        self._ticks |= fresh
        return len(fresh)

    def begin(self, run_id: str, at: datetime) -> bool:
        tick = self._ticks.get(run_id)
        if tick is None or any(other.schedule == tick.schedule for other in self.standing(TickState.RUNNING)):
            return False
        return self.move(run_id, expected=TickState.DUE, to=TickState.RUNNING, at=at)

    def move(self, run_id: str, *, expected: TickState, to: TickState, at: datetime, note: str = "") -> bool:
        tick = self._ticks.get(run_id)
        if tick is None or tick.state is not expected:
            return False
        self._ticks[run_id] = tick._replace(state=to, changed_at=at, note=note)
        return True

    def get(self, run_id: str) -> Tick | None:
        return self._ticks.get(run_id)

    def standing(self, *states: TickState) -> list[Tick]:
        return sorted((tick for tick in self._ticks.values() if tick.state in states), key=lambda tick: (tick.at, tick.run_id))

    def recent(self, schedule: str = "", limit: int = 200) -> list[Tick]:
        found = [tick for tick in self.standing(*TickState) if not schedule or tick.schedule == schedule]
        return found[::-1][:limit]

    def pauses(self) -> list[Pause]:
        return [self._pauses[name] for name in sorted(self._pauses)]

    def pause(self, pause: Pause) -> bool:
        return self._pauses.setdefault(pause.schedule, pause) is pause

    def resume(self, schedule: str) -> bool:
        return self._pauses.pop(schedule, None) is not None

    def put(self, put: Put) -> None:
        self._puts[put.name] = put

    def puts(self) -> list[Put]:
        return [self._puts[name] for name in sorted(self._puts)]

    def remove(self, name: str) -> bool:
        return self._puts.pop(name, None) is not None

    def report(self, report: Report) -> None:
        self._reports[report.run] = report

    def reports(self, *, schedule: str = "", since: datetime | None = None, limit: int = 200) -> list[Report]:
        found = [
            item for item in self._reports.values() if (not schedule or item.schedule == schedule) and (not since or item.tick >= since)
        ]
        return sorted(found, key=lambda item: (item.tick, item.run), reverse=True)[:limit]

    def report_of(self, run_id: str) -> Report | None:
        return self._reports.get(run_id)

    def unfinished(self) -> list[Report]:
        return sorted((item for item in self._reports.values() if not item.complete), key=lambda item: item.tick)

    def sending(self, run_id: str) -> Sending:
        return self._sending.get(run_id, Sending.UNSENT)

    def send(self, run_id: str, *, expected: Sending, to: Sending) -> bool:
        if run_id not in self._reports or self.sending(run_id) is not expected:
            return False
        self._sending[run_id] = to
        return True
