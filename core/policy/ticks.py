"""When a schedule is due: pure decisions over a schedule, the last tick that was dealt with, and now.

A tick is the moment that the schedule names, in UTC; it is one for ever, whoever computes it. In a time zone with summer time a moment
that the clock leaves out comes once, at the end of the gap; one that the clock shows twice comes once. Where minute or hour begin with a
star the distance counts, not the clock's face: such ticks go on evenly through both nights (as Debian's cron has it).
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import islice, takewhile
from typing import NamedTuple

from cronsim import CronSim

from core.domain.values import identifier
from core.policy.schedules import DAYS, Schedule, Window

MOST = 24
"""Ticks that are caught up at once, the newest; older ones are missed, and said to be."""
ON_TIME = timedelta(minutes=5)
"""A tick that begins within this is no late one: nobody calls it missed."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_A_DAY = timedelta(days=1)


class Due(NamedTuple):
    """`run` and `missed` oldest first, each tick in one of them. `unseen`: there were older ones still, too many to name."""

    run: tuple[datetime, ...] = ()
    missed: tuple[datetime, ...] = ()
    unseen: bool = False

    @property
    def last(self) -> datetime | None:
        return max((*self.run, *self.missed), default=None)


def due(schedule: Schedule, after: datetime, now: datetime) -> Due:
    """What is due now of the ticks after `after`. With a clock that went back nothing is, until it is where it was."""
    new = sorted(islice(takewhile(lambda tick: tick > after, backwards(schedule, now)), MOST * 2 + 1))
    unseen = len(new) > MOST * 2
    ripe: list[datetime] = []
    for tick in new[-MOST * 2 :]:
        if tick + jitter(schedule, tick) > now:
            break  # later ones wait too: ticks begin in their order, so the last one dealt with says it all
        ripe.append(tick)
    run = _caught_up(schedule, ripe, now)
    return Due(tuple(run), tuple(tick for tick in ripe if tick not in set(run)), unseen and bool(ripe))


def _caught_up(schedule: Schedule, ripe: list[datetime], now: datetime) -> list[datetime]:
    match schedule.catch_up:
        case "all":
            return ripe[-MOST:]
        case "last":
            return ripe[-1:]
        case _:
            return [tick for tick in ripe[-1:] if now - tick - jitter(schedule, tick) <= ON_TIME]


def upcoming(schedule: Schedule, now: datetime, count: int = 5) -> list[datetime]:
    return list(islice(forwards(schedule, now), count))


def forwards(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """Ticks after this moment, without end."""
    if not schedule.cron:
        return _steps(schedule.every_seconds, after, 1)
    return _distinct(CronSim(schedule.cron, after.astimezone(schedule.timezone)), after, 1)


def backwards(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    """Ticks up to this moment, newest first."""
    if not schedule.cron:
        return _steps(schedule.every_seconds, now, -1)
    start = now.replace(microsecond=0) + timedelta(seconds=1)
    return _distinct(CronSim(schedule.cron, start.astimezone(schedule.timezone), reverse=True), start, -1)


def _steps(seconds: int, moment: datetime, direction: int) -> Iterator[datetime]:
    """Multiples since 1970: whoever computes them, and whenever it began, they are the same."""
    number = int((moment - _EPOCH).total_seconds() // seconds) + (1 if direction > 0 else 0)
    while number > 0:
        yield _EPOCH + timedelta(seconds=number * seconds)
        number += direction


def _distinct(found: Iterable[datetime], start: datetime, direction: int) -> Iterator[datetime]:
    """In UTC, strictly in order: what falls into a gap may meet a tick at its end, and is the same one."""
    last = start
    for item in found:
        tick = item.astimezone(UTC)
        if (tick - last) * direction > timedelta(0):
            last = tick
            yield tick


def jitter(schedule: Schedule, tick: datetime) -> timedelta:
    """How much later than its tick it begins: the same wherever it is computed, another for each schedule and tick."""
    if not schedule.jitter_seconds:
        return timedelta(0)
    drawn = hashlib.sha256(f"{schedule.name}\n{tick.isoformat()}".encode()).digest()
    return timedelta(seconds=int.from_bytes(drawn[:8]) % (schedule.jitter_seconds + 1))


def run_id(schedule: str, tick: datetime, *, asked: str = "") -> str:
    """The run of a tick: it follows from both, so a tick is one run however often it is begun. `asked`: by whom, out of turn."""
    return identifier("run", "schedule", schedule, tick.astimezone(UTC).isoformat(), asked)


def open_until(windows: tuple[Window, ...], zone: Schedule, now: datetime) -> datetime | None:
    """The end of the open window, over windows that follow on each other; None while all are shut."""
    until, reached = now, True
    while reached and until - now <= 8 * _A_DAY:
        ends = [end for begin, end in _spans(windows, zone, until) if begin <= until < end]
        reached = bool(ends)
        until = max(ends, default=until)
    return until if until > now else None


def _spans(windows: tuple[Window, ...], schedule: Schedule, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    today = now.astimezone(schedule.timezone).date()
    for back in (1, 0):
        day = today - back * _A_DAY
        for window in windows:
            if DAYS[day.weekday()] in window.days:
                over = 1 if window.ends <= window.begins else 0
                yield _moment(schedule, day, window.begins), _moment(schedule, day + over * _A_DAY, window.ends)


def _moment(schedule: Schedule, day: object, clock: str) -> datetime:
    """Of a time that the clock shows twice the first one; one that it leaves out counts from before the gap."""
    hours, minutes = int(clock[:2]), int(clock[3:])
    if hours == 24:
        day, hours = day + _A_DAY, 0  # type: ignore[operator]
    return datetime.combine(day, time(hours, minutes), schedule.timezone).astimezone(UTC)  # type: ignore[arg-type]


def day_begins(schedule: Schedule, now: datetime) -> datetime:
    """Midnight of the schedule's own day."""
    return _moment(schedule, now.astimezone(schedule.timezone).date(), "00:00")
