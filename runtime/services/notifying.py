"""One pass of the notifier: look into the ledger, tell each channel what is due, write Events, and keep on record what was told.

Called in a loop by `runtime.roles.notifier`. Nothing waits for it and it decides nothing; whatever goes wrong out there is tried again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.domain.alert import Channel, EventWriter
from core.domain.clock import Clock
from core.domain.errors import Corrupt, Day2Error, NotAuthorised, Refused, Unavailable
from core.domain.ledger import AuditRow, Ledger
from core.domain.values import bounded
from runtime.services import alerting, eventing
from runtime.services.alerting import Due, Move, Watch

EVENTS = "events"
PAUSE_SECONDS, LONGEST_PAUSE = 2.0, 60.0
"""Before a place that failed is tried again; each failure in a row doubles it."""
QUIET = timedelta(seconds=1)
"""While the chains say nothing new, a pass every so often: for what ends, or is said again, by time alone."""
log = logging.getLogger(__name__)


@dataclass
class Verification:
    """The audit chains, verified now and then in a thread of its own: a long chain takes seconds. `verify` gives what is wrong."""

    verify: Callable[[], Sequence[str]]
    every: timedelta
    problems: Sequence[str] = ()
    _looked: datetime | None = None

    async def look(self, now: datetime) -> Sequence[str]:
        """What the last verification found. A ledger that others lock now is verified at the next look."""
        if self._looked is None or now - self._looked >= self.every:
            with contextlib.suppress(Unavailable):
                self.problems = await asyncio.to_thread(self.verify)
                self._looked = now
        return self.problems


@dataclass
class Notifier:
    """`events` is None where no identity for Events is configured: none are written then. `failures` counts the last pass's."""

    ledger: Ledger
    clock: Clock
    watch: Watch
    channels: Sequence[Channel]
    events: EventWriter | None
    verification: Verification
    _seen: datetime | None = None
    failures: int = 0
    _pauses: dict[str, tuple[float, float]] = field(default_factory=dict)

    async def step(self) -> int:
        """How many places could not be told. Raises Corrupt for a damaged ledger, Unavailable for one that does not answer."""
        now = self.clock.now()
        if not self.watch.catch_up(self.ledger, now) and self._seen and now - self._seen < QUIET and not self.failures:
            return 0
        self._seen, self.failures = now, await self._pass(now)
        return self.failures

    async def _pass(self, now: datetime) -> int:
        problems = await self.verification.look(now)
        holding = alerting.conditions(self.ledger, self.watch.journal, now, self.watch.limits, problems)
        self.watch.forget([channel.name for channel in self.channels], now)
        missed = 0
        for channel in self.channels:
            due = self.watch.due(channel, holding, now)
            if due:
                missed += not await self._tried(channel.name, lambda channel=channel, due=due: self._tell(channel, due, now))  # type: ignore[misc]
        return missed + (not await self._events(now))

    async def _tell(self, channel: Channel, due: Due, now: datetime) -> None:
        """Told first, recorded then: what dies in between is told again, which is better than never."""
        await channel.tell((*due.new, *due.again), due.over, now)
        self.watch.last |= {(channel.name, alert.key): now for alert in (*due.new, *due.again)}
        for alert in due.new:
            self._record(alerting.SENT, alerting.subject(alert), alerting.sent(alert, channel.name), now)
        for alert in due.over:
            self.watch.last.pop((channel.name, alert.key), None)
            self._record(alerting.OVER, alerting.subject(alert), {"channel": channel.name, "key": alert.key, "name": alert.name}, now)

    async def _events(self, now: datetime) -> bool:
        writer, waiting = self.events, self.watch.journal.events
        if writer is None:
            waiting.clear()
            return True
        for move, record in list(waiting.items()):
            if not await self._tried(EVENTS, lambda move=move, record=record: self._write(writer, move, record, now)):  # type: ignore[misc]
                return False
        return True

    async def _write(self, writer: EventWriter, move: Move, record: AuditRow, now: datetime) -> None:
        row = self.ledger.get(move[0])
        if row is None or row.owner == alerting.CANARY:
            del self.watch.journal.events[move]
            return
        said = {"state": move[1].value, "event": alerting.event_name(move)}
        try:
            await writer.write(eventing.event(row, move, record))
        except (Refused, NotAuthorised) as error:  # its namespace is going, or is none of ours
            self._record(alerting.REFUSED, row.action_id, {**said, "why": bounded(str(error))}, now)
        else:
            self._record(alerting.WRITTEN, row.action_id, said, now)

    def _record(self, event: str, subject: str, body: Mapping[str, Any], now: datetime) -> None:
        self.ledger.record(role=alerting.ROLE, event=event, subject=subject, body=dict(body), at=now)

    async def _tried(self, place: str, call: Callable[[], Awaitable[None]]) -> bool:
        """False where it failed, now or a moment ago. Its error is logged once in a row; it holds no address."""
        now = asyncio.get_running_loop().time()
        not_before, pause = self._pauses.get(place, (now, 0.0))
        if now < not_before:
            return False
        try:
            await call()
        except Corrupt:
            raise
        except Day2Error as error:
            if not pause:
                log.warning("%s: %s", place, error)
            longer = min(max(2 * pause, PAUSE_SECONDS), LONGEST_PAUSE)
            self._pauses[place] = (now + longer, longer)
            return False
        self._pauses.pop(place, None)
        return True
