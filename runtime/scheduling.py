"""Autonomous runs: what is due becomes a row, a row becomes a request in the intake, and what came of it becomes a report.

Used by the scheduler role, which calls each step again and again, from any number of processes, whenever it likes: each is decided by what
the timetable, the intake and the ledger say, and each changes one row that stands where it was expected. A process that dies between two
steps has lost nothing, and the next one does nothing twice.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from core.domain.clock import Clock
from core.domain.errors import Day2Error, InvalidInput
from core.domain.intake import OVER, Asked, Intake, Stage
from core.domain.ledger import Ledger
from core.domain.objective import Autonomy
from core.domain.proposal import Leash
from core.domain.report import Report
from core.domain.request import Request, RunBudget
from core.domain.timetable import Sending, Tick, TickState, Timetable
from core.policy import ticks
from core.policy.redaction import redact
from core.policy.schedules import Schedule
from runtime.services import digests, reporting
from runtime.services.reporting import Digest, Ended

log = logging.getLogger(__name__)
DOOR = "schedule"
DIGEST = "day2-weekly-digest"
"""The name under which the digest's ticks are kept. It is no schedule that people can make."""
OPEN_DAYS = timedelta(days=3)
"""How far back runs are looked at for what they wrote today, and reports for whether they were sent."""
SEND_AGAIN = timedelta(minutes=5)
"""After which a report that no channel took is sent again."""
CLAIMED_FOR = timedelta(minutes=10)
"""A digest that was being sent for longer belongs to a process that died; whether it went out is not known, and it is not sent again."""
MOST_WAITING = ticks.MOST
"""Ticks of one schedule that queue behind a run; what comes on top is left out, and says so."""


class Post(Protocol):
    """One place that reports are sent to."""

    async def send(self, title: str, text: str, page: str = "") -> None:
        """`page` is HTML, attached where the place takes files. Raises Unavailable: it was not taken."""


@dataclass(frozen=True)
class Scheduling:
    """`schedules` gives those in force, read anew at each look. `answer` is what a finished run answered; `posts` are channels by name.
    `url` is where people reach the console, for links; empty: nowhere."""

    timetable: Timetable
    intake: Intake
    ledger: Ledger
    clock: Clock
    schedules: Callable[[], Sequence[Schedule]]
    answer: Callable[[str], Awaitable[Mapping[str, Any]]]
    posts: Mapping[str, Post]
    digest: Schedule | None = None
    url: str = ""
    _refused: dict[str, datetime] = field(default_factory=dict)

    def look(self) -> list[str]:
        """Write down what is due; the runs of all ticks that wait to begin. Raises what the stores raise."""
        paused = {pause.schedule for pause in self.timetable.pauses()}
        for schedule in (*self.schedules(), *([self.digest] if self.digest else [])):
            if schedule.suspended or schedule.name in paused:
                self.timetable.pass_over(schedule.name, self.clock.now())
                continue
            self._note_due(schedule)
        return [tick.run_id for tick in self.timetable.standing(TickState.DUE) if tick.schedule != DIGEST]

    def _note_due(self, schedule: Schedule) -> None:
        now = self.clock.now()
        found = ticks.due(schedule, self.timetable.after(schedule.name, now), now)
        rows = [_tick(schedule, at, TickState.DUE, now) for at in found.run]
        missed = "nobody was there to run it, and it is not caught up" + (", as are older ones" if found.unseen else "")
        rows += [_tick(schedule, at, TickState.MISSED, now)._replace(note=missed) for at in found.missed]
        if rows:
            self.timetable.add(rows)

    def begin(self, run_id: str) -> bool:
        """Put one tick's request into the intake, unless something forbids it now. Safe to call at any time, any number of times."""
        tick = self.timetable.get(run_id)
        if tick is None or tick.state is not TickState.DUE:
            return False
        now = self.clock.now()
        schedule = next((item for item in self.schedules() if item.name == tick.schedule), None)
        if said := self._forbids(schedule, tick):
            self.timetable.move(run_id, expected=TickState.DUE, to=TickState.SKIPPED, at=now, note=said)
            return False
        if not tick.asked_by and self._ahead(tick):
            return False
        return self.timetable.begin(run_id, now) and self._ask(run_id)

    def _forbids(self, schedule: Schedule | None, tick: Tick) -> str:
        """Why this tick is left out. Empty where it may begin, or wait behind another run."""
        if schedule is None:
            return "the schedule is gone"
        if tick.asked_by:
            return ""
        if schedule.suspended or any(pause.schedule == schedule.name for pause in self.timetable.pauses()):
            return "it was paused before it began"
        if schedule.windows.run and ticks.open_until(schedule.windows.run, schedule, self.clock.now()) is None:
            return "outside the windows in which it may run"
        busy = any(other.schedule == tick.schedule for other in self.timetable.standing(TickState.RUNNING))
        if not busy:
            return ""
        if schedule.overlap == "skip":
            return "the run before it has not ended"
        return f"{MOST_WAITING} ticks wait already" if len(self._ahead(tick)) >= MOST_WAITING else ""

    def _ahead(self, tick: Tick) -> list[Tick]:
        """Ticks of its schedule that wait and are older: they come first."""
        waiting = self.timetable.standing(TickState.DUE)
        return [other for other in waiting if other.schedule == tick.schedule and other.at < tick.at and not other.asked_by]

    def _ask(self, run_id: str) -> bool:
        """The request of a running tick. Made once: one that is there already is left as it is."""
        tick = self.timetable.get(run_id)
        schedule = next((item for item in self.schedules() if tick and item.name == tick.schedule), None)
        if tick is None or schedule is None or self.intake.get(run_id):
            return False
        return self.intake.put(self._request(schedule, tick), door=DOOR, thread=schedule.name)

    def _request(self, schedule: Schedule, tick: Tick) -> Request:
        now = self.clock.now()
        until = ticks.open_until(schedule.windows.write, schedule, now) if schedule.windows.write else None
        left = self._writes_left(schedule)
        shut = bool(schedule.windows.write) and until is None
        return Request(
            id=tick.run_id,
            trigger="schedule",
            by=tick.asked_by or schedule.by,
            text=redact(schedule.text),
            namespaces=schedule.namespaces,
            agents=schedule.agents,
            act=schedule.ceiling is not Autonomy.OBSERVE and not shut and left > 0,
            budget=RunBudget(writes=left),
            leash=Leash(ceiling=schedule.ceiling.value, until=until),
            at=now,
        )

    def _writes_left(self, schedule: Schedule) -> int:
        budget, now = schedule.budget, self.clock.now()
        if not budget.writes_per_day:
            return budget.writes_per_run
        today, since = ticks.day_begins(schedule, now), now - OPEN_DAYS
        runs = {tick.run_id for tick in self.timetable.recent(schedule.name, 5000) if max(tick.at, tick.changed_at) >= since}
        runs |= {
            item.run for item in self.timetable.reports(schedule=schedule.name, limit=1000) if not item.complete or item.made_at >= today
        }
        rows = [row for run in sorted(runs) for row in self.ledger.of_run(run)]
        return reporting.writes_left(rows, today, budget.writes_per_run, budget.writes_per_day)

    async def follow(self) -> None:
        """Runs that have ended get their report, and reports that were not complete are made again. Then they are sent."""
        await self._send_digest()
        for tick in self.timetable.standing(TickState.RUNNING):
            if tick.schedule == DIGEST:
                continue
            asked = self.intake.get(tick.run_id)
            if asked is None:
                if not self._ask(tick.run_id) and self.intake.get(tick.run_id) is None:  # it was removed between its begin and its request
                    self._over(tick, TickState.SKIPPED, "the schedule is gone")
            elif asked.stage in OVER:
                await self._end(tick, asked)
        for old in self.timetable.unfinished():
            fresh = reporting.again(old, self.ledger.of_run(old.run), self.clock.now())
            if fresh.model_copy(update={"made_at": old.made_at}) != old:
                self.timetable.report(fresh)
        await self._send()

    async def _end(self, tick: Tick, asked: Asked) -> None:
        answer, note = None, asked.note
        if asked.stage is Stage.ENDED:
            try:
                answer = await self.answer(tick.run_id)
            except InvalidInput as error:  # it ended, and its checkpoint is gone
                note = str(error)
        ended = Ended(tick, self.clock.now(), answer, note, asked.request.leash.ceiling)
        self.timetable.report(reporting.report(ended, self.ledger.of_run(tick.run_id), self.clock.now()))
        failed = answer is None
        self._over(tick, TickState.FAILED if failed else TickState.ENDED, note if failed else "")

    def _over(self, tick: Tick, to: TickState, note: str) -> None:
        self.timetable.move(tick.run_id, expected=TickState.RUNNING, to=to, at=self.clock.now(), note=note)

    async def _send(self) -> None:
        """Each report once, when its run has ended: what waits for people must not wait for the rest of it."""
        told = {schedule.name: schedule.report_to for schedule in self.schedules()}
        since = self.clock.now() - OPEN_DAYS
        for found in self.timetable.reports(since=since):
            if self.timetable.sending(found.run) is Sending.UNSENT and self._refused.get(found.run, since) <= self.clock.now():
                await self._sent(found, told.get(found.schedule, ()))

    async def _send_digest(self) -> None:
        """Claimed before it is sent, so that no two processes send it."""
        if self.digest is None:
            return
        now = self.clock.now()
        for tick in self.timetable.standing(TickState.RUNNING):
            if tick.schedule == DIGEST and now - tick.changed_at > CLAIMED_FOR:
                self._over(tick, TickState.FAILED, "it is not known whether it was sent")
        for tick in self.timetable.standing(TickState.DUE):
            if tick.schedule == DIGEST and self.timetable.begin(tick.run_id, now):
                found = week(self.timetable, tick.at)
                posts = [self.posts[name] for name in self.digest.report_to if name in self.posts]
                text, page = digests.markdown(found, digests.link(self.url, found)), digests.page(found)
                told = [await _posted(post, digests.title(found), text, page) for post in posts]
                self._over(tick, TickState.ENDED if any(told) else TickState.FAILED, "" if any(told) else "no channel took it")

    async def _sent(self, found: Report, names: Iterable[str]) -> None:
        posts = [self.posts[name] for name in names if name in self.posts]
        if not posts:
            self.timetable.send(found.run, expected=Sending.UNSENT, to=Sending.NOBODY)
            return
        if not self.timetable.send(found.run, expected=Sending.UNSENT, to=Sending.CLAIMED):
            return
        taken = [await _posted(post, reporting.headline(found), reporting.words(found)) for post in posts]
        if not any(taken):
            self._refused[found.run] = self.clock.now() + SEND_AGAIN
        self.timetable.send(found.run, expected=Sending.CLAIMED, to=Sending.SENT if any(taken) else Sending.UNSENT)


async def _posted(post: Post, title: str, text: str, page: str = "") -> bool:
    try:
        await post.send(title, text, page)
    except Day2Error as error:
        log.warning("a report was not taken: %s", error)
        return False
    return True


def week(timetable: Timetable, until: datetime) -> Digest:
    since = until - reporting.A_WEEK - timedelta(days=1)
    seen = [tick for tick in timetable.recent(limit=20_000) if tick.schedule != DIGEST]
    return reporting.weekly(timetable.reports(since=since, limit=20_000), seen, until)


def _tick(schedule: Schedule, at: datetime, state: TickState, now: datetime) -> Tick:
    return Tick(schedule.name, at, ticks.run_id(schedule.name, at), state, now)
