"""Alerts that an Alertmanager hands in: kept before it is answered, joined to incidents, and each incident investigated by one run.

Notifications that arrive together are one transaction, so that a storm costs few commits. What follows a commit, records in the audit
chain and runs in the intake, is derived from what was kept, soon after and for all at once: where a process dies between, the next look
makes up for it.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from core.domain.clock import Clock
from core.domain.errors import Day2Error
from core.domain.incidents import Handed, Incident, Incidents, Taken
from core.domain.intake import Intake
from core.domain.ledger import AuditRow, Entry
from core.domain.request import Request, RunBudget

DOOR = BY = "alertmanager"
ROLE = "door"
AN_HOUR, A_MINUTE = timedelta(hours=1), timedelta(minutes=1)
LOOK_SECONDS = 30.0
GATHER_SECONDS = 0.005
"""A notification waits so long for others to share its commit. Alertmanagers wait seconds for an answer, and a flush costs about this."""
AFTER_SECONDS = 0.25
"""What follows waits so long for what comes meanwhile: nobody is kept waiting by it."""
MOVES = ("incident.opened", "incident.resolved", "incident.reopened")
log = logging.getLogger(__name__)


class Rules(NamedTuple):
    """`act`: proposals of a run that an alert begins go before the judge; else it only looks.
    `runs_per_hour` bounds what a storm begins. An alert of which nothing is heard for a `silence` is over: three times the four hours after
    which an Alertmanager repeats itself."""

    act: bool = False
    runs_per_hour: int = 12
    reopen: timedelta = timedelta(minutes=30)
    keep: timedelta = timedelta(days=30)
    writes: int = 20
    silence: timedelta = timedelta(hours=12)


class Chain(Protocol):
    """What the desk asks of a ledger."""

    def record_all(self, entries: Sequence[Entry]) -> list[AuditRow]:
        """In this order, by one commit: all of them, or none."""


class _Waiting(NamedTuple):
    handed: Sequence[Handed]
    done: "asyncio.Future[Taken]"


class Desk:
    """`take` returns once what was handed in is durable. `look` does what is owed since."""

    def __init__(self, kept: Incidents, intake: Intake, ledger: Chain, clock: Clock, rules: Rules) -> None:
        self.kept, self.rules = kept, rules
        self._intake, self._ledger, self._clock = intake, ledger, clock
        self._queue: list[_Waiting] = []
        self._keeping: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._owed = False
        self._forgot: datetime | None = None
        self._lapsed = self._since = clock.now()

    async def take(self, handed: Sequence[Handed]) -> Taken:
        """Raises what the store raises: then nothing of this was kept, and it is to be sent again."""
        done: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(handed, done))
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep_all())
        return await done

    async def settled(self) -> None:
        """Returns when everything that was taken is followed up."""
        for task in (self._keeping, self._looking):
            if task is not None:
                await asyncio.wait({task})

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Looks now and then: at what the last process left, and at what the storm limit held back."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _watch(self) -> None:
        while True:
            self._follow_up()
            await asyncio.sleep(LOOK_SECONDS)

    async def _keep_all(self) -> None:
        while self._queue:
            await asyncio.sleep(GATHER_SECONDS)
            waiting, self._queue = self._queue, []
            try:
                found = await asyncio.to_thread(self._keep, [item.handed for item in waiting])
            except Exception as error:  # noqa: BLE001  each of those who wait is told, whatever it was
                for item in waiting:
                    if not item.done.done():
                        item.done.set_exception(error)
                continue
            for item, taken in zip(waiting, found, strict=True):
                if not item.done.done():
                    item.done.set_result(taken)
            self._follow_up()

    def _keep(self, many: Sequence[Sequence[Handed]]) -> list[Taken]:
        return self.kept.take(many, at=self._clock.now(), again_within=self.rules.reopen)

    def _follow_up(self) -> None:
        self._owed = True
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while self._owed:
            await asyncio.sleep(AFTER_SECONDS)
            self._owed = False
            try:
                await asyncio.to_thread(self.look)
            except Day2Error as error:
                log.warning("what alerts ask for is done later: %s", error)

    def look(self) -> None:
        """End what nobody speaks of any more, tell the audit chain what moved, begin the runs that are due, forget what is old. Raises what
        the stores raise."""
        now = self._clock.now()
        self._lapse(now)
        while untold := self.kept.untold():
            self._ledger.record_all([entry for incident in untold for entry in _moves(incident, now)])
            self.kept.told({incident.id: incident.moves for incident in untold})
        self._begin(now)
        if self._forgot is None or now - self._forgot >= AN_HOUR:
            self._forgot = now
            self.kept.forget(now - self.rules.keep)

    def _lapse(self, now: datetime) -> None:
        """Not before this process has listened for a third of that time: what could not be heard has not fallen silent."""
        if now - self._since < self.rules.silence / 3 or now - self._lapsed < A_MINUTE:
            return
        self._lapsed = now
        while self.kept.lapse(at=now, silence=self.rules.silence):
            pass

    def _begin(self, now: datetime) -> None:
        room = self.rules.runs_per_hour - self.kept.runs_since(now - AN_HOUR)
        for incident in self.kept.waiting(room) if room > 0 else ():
            wanted = request(incident, self.rules, now)
            self._intake.put(wanted, door=DOOR, thread=incident.id)
            self.kept.begun(incident.id, wanted.id, now)


_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_WORKLOAD = re.compile(r"([a-z]{1,12}/)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_ALERT = re.compile(r"[A-Za-z][A-Za-z0-9_:.-]{0,99}")


def request(incident: Incident, rules: Rules, now: datetime) -> Request:
    """Its id comes of the incident's, so that it is one run whoever begins it. Of the alert's text it has only what can be a name."""
    namespace = incident.place.namespace
    return Request(
        id=f"run-{incident.id}",
        trigger="alert",
        by=BY,
        text=asked(incident),
        namespaces=(namespace,) if _NAMESPACE.fullmatch(namespace) else (),
        act=rules.act,
        budget=RunBudget(writes=rules.writes),
        at=now,
    )


def asked(incident: Incident) -> str:
    """A sentence of ours around names."""
    place = incident.place
    where = [name for name, form in ((place.namespace, _NAMESPACE), (place.workload, _WORKLOAD)) if form.fullmatch(name)]
    what = incident.title if _ALERT.fullmatch(incident.title) else "an alert with an unusual name"
    return " ".join(["alert", what, *(["at", *where] if where else [])])


def _moves(incident: Incident, now: datetime) -> Iterator[Entry]:
    """Those that the chain does not have."""
    for number in range(incident.told, incident.moves):
        yield Entry(ROLE, MOVES[number if number < 2 else 2 - number % 2], incident.id, _said(incident), now)


def _said(incident: Incident) -> dict[str, Any]:
    return {
        "title": incident.title,
        "severity": incident.severity,
        **incident.place._asdict(),
        "alerts": incident.alerts,
        "firing": incident.firing,
        "lapsed": incident.lapsed,
    }
