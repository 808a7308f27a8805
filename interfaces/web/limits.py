"""What a caller may send: how much at once, and how often."""

import time
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interfaces.web import problems

MEBI = 1024 * 1024
LARGEST = MEBI
LARGER = {"/api/v1/alerts/alertmanager": 16 * MEBI}
"""Bodies in bytes, by path: a group of an Alertmanager may have thousands of alerts."""
MOST_CALLERS = 10_000


class BodyLimit:
    """Middleware: a body that is too large is answered with 413 before it is read whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = LARGER.get(scope["path"], LARGEST)
        told = dict(scope["headers"]).get(b"content-length", b"")
        if told.isdigit() and int(told) > limit:
            await _too_large(limit)(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, _said(limit))
        return message

    return counted


def _too_large(limit: int) -> ASGIApp:
    return problems.problem(413, "Content Too Large", detail=_said(limit), mend="send less at once")


def _said(limit: int) -> str:
    return f"a body here has at most {limit} bytes"


class Rate:
    """So many calls a minute for each caller, with a burst of as many as in ten seconds."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._now = per_minute / 60, max(1.0, per_minute / 6), now
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, by: str) -> float:
        """Take one. Seconds until the next may be taken where there is none now, else 0."""
        if not self._per_second:
            return 0.0
        now = self._now()
        left, at = self._left.get(by, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        taken = left >= 1
        if by not in self._left and len(self._left) >= MOST_CALLERS:
            self._left.clear()
        self._left[by] = (left - taken, now)
        return 0.0 if taken else (1 - left) / self._per_second
