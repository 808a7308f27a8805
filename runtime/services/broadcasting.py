"""What happens, as CloudEvents: one reader of the ledger for everybody who follows, in this process.

An event is a record of the audit chain, so its place there is its id, and who was away asks for what came after the last one they saw.
Nobody has a queue: a follower is a place in the ring of the last events, or, when it is behind that, in the ledger. One that never reads
costs nothing but its place. Used by the API's stream, the console's live pages and the webhooks out.
"""

import asyncio
import contextlib
import itertools
import json
import logging
from collections import deque
from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

from core.domain.errors import Day2Error, Unavailable
from core.domain.ledger import AuditRow, Ledger
from core.domain.outcome import ActionState
from core.domain.values import Json
from core.policy.redaction import redact_data

RING = 2_000
PAGE = 500
LOOK_SECONDS = 0.25
AGAIN_SECONDS = 2.0
MOST_FOLLOWERS = 500
PREFIX = "dev.day2"
log = logging.getLogger(__name__)


class Event(NamedTuple):
    """CloudEvents 1.0.2 without its envelope. `place` is where it stands among all records; `data` is redacted and at most 4 KiB."""

    place: int
    type: str
    subject: str
    at: datetime
    data: Json

    def cloud(self, source: str) -> Json:
        """The structured form."""
        return {
            "specversion": "1.0",
            "id": str(self.place),
            "source": source,
            "type": self.type,
            "subject": self.subject,
            "time": self.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": self.data,
        }


_STATES = frozenset(state.value for state in ActionState)
_NAMES = {
    "approval.approved": "approval.approved",
    "approval.denied": "approval.denied",
    "run.started": "run.started",
    "run.finished": "run.finished",
    "stop": "writes.stopped",
    "resume": "writes.resumed",
    "incident.opened": "incident.opened",
    "incident.reopened": "incident.reopened",
    "incident.resolved": "incident.resolved",
    "webhook.dead": "webhook.dead",
}
TYPES = tuple(sorted(f"{PREFIX}.{name}.v1" for name in (*_NAMES.values(), *(f"action.{state}" for state in _STATES))))
"""All types there are. A subscription may name some."""


def event_of(row: AuditRow) -> Event | None:
    """None for records that move nothing that people follow, such as an anchor."""
    name = f"action.{row.event}" if row.event in _STATES else _NAMES.get(row.event)
    if name is None:
        return None
    return Event(row.place, f"{PREFIX}.{name}.v1", row.subject, row.at, {"record": row.name, **redact_data(json.loads(row.body))})


class Events:
    """`follow` gives what came after a place, for ever; the first follower starts the reader, the last one ends it."""

    def __init__(self, ledger: Ledger, *, look_seconds: float = LOOK_SECONDS, ring: int = RING) -> None:
        self._ledger, self._look_seconds = ledger, look_seconds
        self._ring: deque[Event] = deque(maxlen=ring)
        self._from = 0  # the ring holds every event after this place
        self._upto = 0  # and the ledger was read up to this one
        self._moved = asyncio.Condition()
        self._followers = 0
        self._reader: asyncio.Task[None] | None = None

    @property
    def followers(self) -> int:
        return self._followers

    def place(self) -> int:
        """The last record there is. Who follows from here sees only what comes."""
        return last_place(self._ledger)

    def since(self, after: int, limit: int = PAGE) -> tuple[list[Event], int]:
        """Events after a place, and how far the ledger was read for them: the place to go on from."""
        rows = self._ledger.chain(after + 1, limit)
        return [found for row in rows if (found := event_of(row))], rows[-1].place if rows else after

    async def follow(self, after: int | None = None) -> AsyncIterator[Event]:
        """Every event after this place, in order, none twice; None: from now on. Raises Unavailable where too many follow already."""
        if self._followers >= MOST_FOLLOWERS:
            raise Unavailable("the stream of events", 10.0, reason=f"{self._followers} follow it already", mend="follow from fewer places")
        self._followers += 1
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())
        try:
            here = await asyncio.to_thread(self.place)
            seen = here if after is None else min(after, here)
            while True:
                found, seen = await self._after(seen)
                for event in found:
                    yield event
        finally:
            self._followers -= 1
            if not self._followers:
                self._end()

    def _end(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
        self._reader, self._from, self._upto = None, 0, 0
        self._ring.clear()

    async def _after(self, seen: int) -> tuple[list[Event], int]:
        async with self._moved:
            await self._moved.wait_for(lambda: self._upto > seen or seen < self._from)
            if seen >= self._horizon():
                newer = itertools.takewhile(lambda event: event.place > seen, reversed(self._ring))
                return list(newer)[::-1], self._upto
        return await asyncio.to_thread(self.since, seen)

    def _horizon(self) -> int:
        """Events up to this place are not in the ring."""
        return self._ring[0].place - 1 if len(self._ring) == self._ring.maxlen else self._from

    async def _read(self) -> None:
        begun = False
        while True:
            try:
                found, upto = await asyncio.to_thread(self.since, self._upto) if begun else ([], await asyncio.to_thread(self.place))
            except Day2Error as error:
                log.warning("the ledger was not read for those who follow it: %s", error)
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if begun and upto == self._upto:
                await asyncio.sleep(self._look_seconds)
                continue
            async with self._moved:
                self._from = self._from if begun else upto
                self._ring.extend(found)
                self._upto, begun = upto, True
                self._moved.notify_all()


def last_place(ledger: Ledger) -> int:
    """Places have no gaps: doubled until there is nothing, then halved."""
    beyond = 1
    while ledger.chain(beyond, 1):
        beyond *= 2
    known = beyond // 2
    while beyond - known > 1:
        middle = (known + beyond) // 2
        known, beyond = (middle, beyond) if ledger.chain(middle, 1) else (known, middle)
    return known


async def nothing_for(seconds: float, wanted: "AsyncIterator[Event]") -> "AsyncIterator[Event | None]":
    """The same events, and None whenever nothing came for so long: time for a heartbeat, or to look whether who follows still may."""
    following = aiter(wanted)
    coming: asyncio.Future[Event] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(following))
            done, _ = await asyncio.wait({coming}, timeout=seconds)
            if not done:
                yield None
                continue
            try:
                event = coming.result()
            except StopAsyncIteration:
                return
            coming = None
            yield event
    finally:
        if coming is not None:
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await coming
        closing = getattr(following, "aclose", None)
        if closing is not None:
            await closing()
