"""Schedules in force: those of the documents and those made through a door; and what people do with them. Behind `day2 schedule`."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from core.domain.errors import InvalidDocument, InvalidInput
from core.domain.report import Report
from core.domain.timetable import Pause, Put, Tick, TickState, Timetable
from core.domain.values import bounded
from core.policy import documents, schedules, ticks
from core.policy.schedules import KINDS, Schedule
from runtime import declared

log = logging.getLogger(__name__)
LARGEST = 64 * 1024
MOST = 500


class Standing(NamedTuple):
    """A schedule as it stands. `source` is its file, or `door` for one made through a door, by `by`."""

    schedule: Schedule
    source: str
    by: str
    pause: Pause | None
    next: tuple[datetime, ...]
    last: Tick | None


class Documents:
    """The schedules of the configured file or folder, read again when they changed. A later mistake keeps the last good ones."""

    def __init__(self, path: Path | None) -> None:
        self._path = path.expanduser() if path else None
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._kept: tuple[documents.Document, ...] = ()
        self._read()

    def __call__(self) -> tuple[documents.Document, ...]:
        if self._changed():
            try:
                self._read()
            except InvalidInput as error:
                log.warning("schedules stay as they were: %s", error)
                self._seen = self._signature()
        return self._kept

    def _changed(self) -> bool:
        return self._signature() != self._seen

    def _read(self) -> None:
        seen = self._signature()
        self._kept = tuple(item for item in declared.documents_at(self._path, KINDS) if isinstance(item.value, Schedule))
        self._seen = seen

    def _signature(self) -> tuple[tuple[str, int, int], ...]:
        if self._path is None:
            return ()
        files = sorted(self._path.glob("*.y*ml")) if self._path.is_dir() else [self._path]
        found = []
        for file in files:
            try:
                known = file.stat()
            except OSError:
                continue
            found.append((str(file), known.st_mtime_ns, known.st_size))
        return tuple(found)


def read(text: str, file: str = "schedule.yaml") -> Schedule:
    """One schedule of a document that a door was sent. Raises InvalidDocument."""
    if len(text.encode()) > LARGEST:
        raise InvalidInput(f"a schedule of more than {LARGEST >> 10} KiB", mend="send one document of kind Schedule")
    found = schedules.read(text, file)
    if len(found) != 1 or not isinstance(found[0].value, Schedule):
        raise InvalidDocument(f"one schedule is put at a time, these are {len(found)}", file=file, mend="send them one by one")
    return found[0].value


def in_force(found: Sequence[documents.Document], timetable: Timetable) -> list[tuple[Schedule, str, str]]:
    """With its source and who made it, by name. A file's schedule stands before a door's of its name."""
    known = {item.name: (item.value, item.file, "") for item in found if isinstance(item.value, Schedule)}
    for put in timetable.puts():
        if put.name not in known:
            known[put.name] = (read(put.document), "door", put.by)
    return [known[name] for name in sorted(known)]


def standing(found: Sequence[documents.Document], timetable: Timetable, now: datetime, count: int = 5) -> list[Standing]:
    pauses = {pause.schedule: pause for pause in timetable.pauses()}
    return [
        Standing(
            schedule,
            source,
            by,
            pauses.get(schedule.name),
            () if schedule.suspended or schedule.name in pauses else tuple(ticks.upcoming(schedule, now, count)),
            next(iter(timetable.recent(schedule.name, 1)), None),
        )
        for schedule, source, by in in_force(found, timetable)
    ]


def one(found: Sequence[Standing], name: str) -> Standing:
    """Raises InvalidInput with the names there are."""
    for item in found:
        if item.schedule.name == name:
            return item
    names = ", ".join(item.schedule.name for item in found) or "none yet"
    raise InvalidInput(f"there is no schedule {bounded(name, 80)!r}", mend=f"known: {names}")


def previewed(document: str, file: str, now: datetime) -> Standing:
    """What it would be, were it put. Raises InvalidDocument."""
    schedule = read(document, file)
    return Standing(schedule, file, "", None, () if schedule.suspended else tuple(ticks.upcoming(schedule, now)), None)


def put(
    found: Sequence[documents.Document], timetable: Timetable, document: str, by: str, now: datetime, *, file: str = "schedule.yaml"
) -> Schedule:
    """Raises InvalidInput: also where a file has a schedule of this name: that one is changed in its file."""
    schedule = read(document, file)
    there = next((item for item in found if item.name == schedule.name), None)
    if there is not None:
        raise InvalidInput(f"schedule {schedule.name} is declared in {there.file}", mend="change it there, or give this one another name")
    others = [item.name for item in timetable.puts() if item.name != schedule.name]
    if len(others) >= MOST:
        raise InvalidInput(f"there are {MOST} schedules already", mend="day2 schedule list; remove some")
    timetable.after(schedule.name, now)
    timetable.put(Put(schedule.name, document, by, now))
    return schedule


def remove(found: Sequence[documents.Document], timetable: Timetable, name: str) -> None:
    there = next((item for item in found if item.name == name), None)
    if there is not None:
        raise InvalidInput(f"schedule {name} is declared in {there.file}", mend="take it out there, or day2 schedule pause")
    if not timetable.remove(name):
        raise InvalidInput(f"no door made a schedule {bounded(name, 80)!r}", mend="day2 schedule list")
    timetable.resume(name)


def resume(timetable: Timetable, name: str, now: datetime) -> None:
    """From now on: what it passed over is not made up for. Raises InvalidInput where it is not paused."""
    timetable.pass_over(name, now)
    if not timetable.resume(name):
        raise InvalidInput(f"schedule {bounded(name, 80)} is not paused", mend="day2 schedule list")


def report_of(timetable: Timetable, run: str) -> Report:
    found = timetable.report_of(run)
    if found is None:
        raise InvalidInput(f"no report of {bounded(run, 64)!r}", mend="day2 report list; a run that works has none yet")
    return found


def run_now(item: Standing, timetable: Timetable, by: str, now: datetime) -> Tick:
    """Out of turn. Windows for running do not hold then; those for writing, the ceiling and the budget do."""
    at = now.replace(microsecond=0)
    tick = Tick(item.schedule.name, at, ticks.run_id(item.schedule.name, at, asked=by), TickState.DUE, now, by)
    timetable.add([tick])
    return timetable.get(tick.run_id) or tick


def forces(found: Callable[[], Sequence[documents.Document]], timetable: Timetable) -> Callable[[], Sequence[Schedule]]:
    return lambda: [schedule for schedule, _, _ in in_force(found(), timetable)]
