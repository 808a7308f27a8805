"""What changed, told to every browser that looks: the audit chains are read once for all of them.

An event's name is the id of what changed (`act-...`, `run-...`), and a page that shows it asks for that one row again. `beat` says until
when a page is up to date. Who does not read is dropped, and comes back by itself; nothing waits for them.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from core.domain.access import Right
from core.domain.errors import Day2Error, NotAuthenticated
from core.domain.ledger import AuditRow
from interfaces.console.sessions import Desk
from interfaces.rendering.envelopes import moment

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
BEAT_SECONDS = 3.0
WAITING_EVENTS = 256
MOST_CLIENTS = 500
PAGE = 2000
NEW, STOPS = frozenset({"run.started", "submitted"}), frozenset({"stop", "resume"})
SUBJECTS = ("act-", "run-", "inc-", "exp-", "epi-", "sch-")


class Hub:
    """One look for all. It works while somebody listens."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._ports = desk, desk.house.offers.ports
        self._listening: set[asyncio.Queue[ServerSentEvent | None]] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def clients(self) -> int:
        return len(self._listening)

    async def stream(self, request: Request) -> Response:
        try:
            known = self._desk.known(request)
        except NotAuthenticated:
            return Response(status_code=401)
        if not known.caller.may(Right.READ) or len(self._listening) >= MOST_CLIENTS:
            return Response(status_code=403 if len(self._listening) < MOST_CLIENTS else 503, headers={"Retry-After": "10"})
        since = request.query_params.get("since", "")
        return EventSourceResponse(
            self._told(request, int(since) if since.isdecimal() and len(since) < 12 else 0), ping=3600, send_timeout=10
        )

    async def _told(self, request: Request, since: int) -> AsyncIterator[ServerSentEvent]:
        """First what was recorded after the page was made and before it listened: of a change in between it would never hear."""
        queue: asyncio.Queue[ServerSentEvent | None] = asyncio.Queue(WAITING_EVENTS)
        self._listening.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        try:
            yield self._beat()
            for event in self._missed(since):
                yield event
            while (heard := await queue.get()) is not None:
                if heard.event == "beat" and not self._still_in(request):
                    return
                yield heard
        finally:
            self._listening.discard(queue)

    def _still_in(self, request: Request) -> bool:
        try:
            return self._desk.known(request, used=False).caller.may(Right.READ)
        except NotAuthenticated:
            return False

    async def _look(self) -> None:
        """Ends with the last who listens."""
        at, since = self._newest(), 0.0
        while self._listening:
            await asyncio.sleep(LOOK_SECONDS)
            since += LOOK_SECONDS
            with contextlib.suppress(Day2Error):  # a store that is away for a while: the next look tells all of it
                at = self._tell_changes(at)
                if since >= BEAT_SECONDS:
                    since = 0.0
                    self._tell(self._beat())

    def _newest(self) -> int:
        with contextlib.suppress(Day2Error):
            self._ports.history.catch_up()
        return self._ports.history.place

    def _missed(self, since: int) -> list[ServerSentEvent]:
        with contextlib.suppress(Day2Error):
            return _events(self._ports.ledger.chain(since, PAGE)) if since else []
        return []

    def _tell_changes(self, at: int) -> int:
        while rows := self._ports.ledger.chain(at, PAGE):
            at = rows[-1].place + 1
            for event in _events(rows):
                self._tell(event)
        return at

    def _tell(self, event: ServerSentEvent) -> None:
        for queue in list(self._listening):
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._listening.discard(queue)
                queue.get_nowait()  # room for the word that it is over
                queue.put_nowait(None)

    def _beat(self) -> ServerSentEvent:
        return ServerSentEvent(moment(self._ports.clock.now())[11:], event="beat")


def _events(rows: Sequence[AuditRow]) -> list[ServerSentEvent]:
    """Each subject once for a look, however much was recorded of it; then that something changed, and how much of it is new."""
    subjects = dict.fromkeys(row.subject for row in rows if row.subject.startswith(SUBJECTS))
    found = [ServerSentEvent(subject, event=subject) for subject in subjects][-WAITING_EVENTS // 2 :]
    fresh = sum(row.event in NEW for row in rows)
    if found or any(row.event in STOPS for row in rows):
        found.append(ServerSentEvent(str(len(found)), event="changed"))
    return [*found, ServerSentEvent(str(fresh), event="new")] if fresh else found
