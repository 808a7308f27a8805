"""Schedules and what their runs came to, as the doors offer them."""

import asyncio
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from pydantic import Field

from core.domain.access import Caller, Right
from core.domain.report import Report
from core.domain.timetable import Pause, Tick
from core.domain.values import bounded
from runtime import scheduling
from runtime.services import schedules
from runtime.services.offering import Nothing, Offer, Ports, Wanted
from runtime.services.reporting import Digest
from runtime.services.schedules import Standing

NAME = r"^[a-z0-9][-a-z0-9.]{0,62}$"


class OneSchedule(Wanted):
    schedule: str = Field(pattern=NAME, description="its name")


class Upcoming(OneSchedule):
    count: int = Field(default=5, ge=1, le=50, description="fire times to show")


class Paused(OneSchedule):
    reason: str = Field(min_length=1, max_length=400)


class Document(Wanted):
    document: str = Field(min_length=1, max_length=schedules.LARGEST, description="one YAML document of kind Schedule")


class Reports(Wanted):
    schedule: str = Field(default="", pattern=r"^([a-z0-9][-a-z0-9.]{0,62})?$", description="only of this one")
    limit: int = Field(default=50, ge=1, le=1000)


class Week(Wanted):
    until: date | None = Field(
        default=None,
        ge=date(2020, 1, 1),
        le=date(2200, 1, 1),
        description="the day after the last of them (UTC); today where none is given",
    )


class OneReport(Wanted):
    run: str = Field(max_length=64, description="run-...")


class Shown(NamedTuple):
    """A schedule with its latest ticks, newest first."""

    standing: Standing
    ticks: tuple[Tick, ...]


def _all(ports: Ports, count: int = 5) -> list[Standing]:
    return schedules.standing(ports.schedules(), ports.timetable, ports.clock.now(), count)


async def listed(ports: Ports, _caller: Caller, _wanted: Nothing) -> list[Standing]:
    return _all(ports)


async def shown(ports: Ports, _caller: Caller, wanted: Upcoming) -> Shown:
    found = schedules.one(_all(ports, wanted.count), wanted.schedule)
    return Shown(found, tuple(ports.timetable.recent(wanted.schedule, 20)))


async def run(ports: Ports, caller: Caller, wanted: OneSchedule) -> Tick:
    found = schedules.one(_all(ports), wanted.schedule)
    return schedules.run_now(found, ports.timetable, caller.by, ports.clock.now())


async def pause(ports: Ports, caller: Caller, wanted: Paused) -> Standing:
    schedules.one(_all(ports), wanted.schedule)
    ports.timetable.pause(Pause(wanted.schedule, caller.by, bounded(wanted.reason, 400), ports.clock.now()))
    return schedules.one(_all(ports), wanted.schedule)


async def resume(ports: Ports, _caller: Caller, wanted: OneSchedule) -> Standing:
    schedules.one(_all(ports), wanted.schedule)
    schedules.resume(ports.timetable, wanted.schedule, ports.clock.now())
    return schedules.one(_all(ports), wanted.schedule)


async def put(ports: Ports, caller: Caller, wanted: Document) -> Standing:
    made = schedules.put(ports.schedules(), ports.timetable, wanted.document, caller.by, ports.clock.now())
    return schedules.one(_all(ports), made.name)


async def remove(ports: Ports, _caller: Caller, wanted: OneSchedule) -> list[Standing]:
    schedules.remove(ports.schedules(), ports.timetable, wanted.schedule)
    return _all(ports)


async def reports(ports: Ports, _caller: Caller, wanted: Reports) -> list[Report]:
    return ports.timetable.reports(schedule=wanted.schedule, limit=wanted.limit)


async def report(ports: Ports, _caller: Caller, wanted: OneReport) -> Report:
    return schedules.report_of(ports.timetable, wanted.run)


async def weekly(ports: Ports, _caller: Caller, wanted: Week) -> Digest:
    until = datetime.combine(wanted.until, time(), UTC) if wanted.until else ports.clock.now()
    return await asyncio.to_thread(scheduling.week, ports.timetable, until)


OFFERS = (
    Offer("schedules.list", Right.READ, "Schedules in force, with their next runs.", Nothing, listed),
    Offer("schedules.get", Right.READ, "One schedule, its next runs and its latest ticks.", Upcoming, shown),
    Offer(
        "schedules.run",
        Right.PROPOSE,
        "Have a schedule run now, out of turn, within its ceiling and budget.",
        OneSchedule,
        run,
        writes=True,
    ),
    Offer("schedules.pause", Right.STOP, "Begin no run of a schedule until a person resumes it.", Paused, pause, writes=True),
    Offer(
        "schedules.resume",
        Right.MANAGE,
        "Let a paused schedule run again. What it passed over is not made up for.",
        OneSchedule,
        resume,
        writes=True,
    ),
    Offer("schedules.put", Right.MANAGE, "Make or change a schedule that no file declares.", Document, put, writes=True),
    Offer("schedules.remove", Right.MANAGE, "Take a schedule away that a door made. Its reports stay.", OneSchedule, remove, writes=True),
    Offer("reports.list", Right.READ, "What scheduled runs came to, newest first.", Reports, reports),
    Offer("reports.get", Right.READ, "One run's report: seen, done, refused, saved, left to people.", OneReport, report),
    Offer("reports.weekly", Right.READ, "Seven whole days of scheduled runs, the last unless said otherwise.", Week, weekly),
)
