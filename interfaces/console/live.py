"""What changed, told to every browser that looks: the audit chains are read once for all of them.

An event's name is the id of what changed (`act-...`, `run-...`), and a page that shows it asks for that one row again. `beat` says until
when a page is up to date. Who does not read is dropped, and comes back by itself; nothing waits for them.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from core.domain.access import Right
from core.domain.errors import Day2Error, NotAuthenticated
from interfaces.console.sessions import Desk
from interfaces.rendering.envelopes import moment

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
BEAT_SECONDS = 3.0
WAITING_EVENTS = 256
MOST_CLIENTS = 500
PAGE = 2000
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
        return EventSourceResponse(self._told(request), ping=3600, send_timeout=10)

    async def _told(self, request: Request) -> AsyncIterator[ServerSentEvent]:
        queue: asyncio.Queue[ServerSentEvent | None] = asyncio.Queue(WAITING_EVENTS)
        self._listening.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        try:
            yield self._beat()
            while (event := await queue.get()) is not None:
                if event.event == "beat" and not self._still_in(request):
                    return
                yield event
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

    def _tell_changes(self, at: int) -> int:
        """Each subject once for a look, however much was recorded of it."""
        while rows := self._ports.ledger.chain(at, PAGE):
            at = rows[-1].place + 1
            subjects = dict.fromkeys(row.subject for row in rows if row.subject.startswith(SUBJECTS))
            for subject in subjects:
                self._tell(ServerSentEvent(subject, event=subject))
            if subjects or any(row.event in ("stopped", "resumed") for row in rows):
                self._tell(ServerSentEvent(str(len(subjects)), event="changed"))
            if any(row.event == "run.started" or row.event == "submitted" for row in rows):
                self._tell(ServerSentEvent("new", event="new"))
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
