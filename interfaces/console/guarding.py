"""What holds for every answer and every form: headers, the token against forged forms, where a form may come from, attempts to log in."""

import hmac
from collections import deque
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.domain.errors import BudgetSpent, NotAuthorised

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers hide the origin of our own forms too
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""Of every answer, where the route says nothing else."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
FIELD = "csrf"


class Headers:
    """ASGI middleware; streams pass through it as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


def named(secret: str) -> str:
    """What is kept of a session's id."""
    return sha256(secret.encode()).hexdigest()


def csrf(secret: str) -> str:
    """The token of a session's forms: whoever does not have the cookie cannot compute it."""
    return hmac.new(secret.encode(), b"day2ops form", sha256).hexdigest()


def same_token(given: str, secret: str) -> None:
    """Raises NotAuthorised."""
    if not hmac.compare_digest(given.encode(), csrf(secret).encode()):
        raise NotAuthorised("this form is not of your session", mend="go back, load the page again, and send it once more")


def own_origin(request: Request, url: str) -> None:
    """A form comes from a page of ours. Raises NotAuthorised."""
    told = request.headers.get("origin") or request.headers.get("referer") or ""
    where = urlsplit(told)
    if told and where.netloc.casefold() in ours(request, url) and where.scheme in ("http", "https"):
        return
    raise NotAuthorised("this form was sent from somewhere else", mend=f"open {url} and send it there")


def ours(request: Request, url: str) -> frozenset[str]:
    """The hosts under which we are known: our address, and this machine's own names where somebody speaks to it from here."""
    known = {urlsplit(url).netloc.casefold()}
    host = request.headers.get("host", "").casefold()
    if urlsplit(f"//{host}").hostname in LOOPBACK:
        known.add(host)
    return frozenset(known)


class Attempts:
    """At most `most` failures of one caller within `within`, and ten times as many of all."""

    def __init__(self, most: int = 10, within: timedelta = timedelta(minutes=5)) -> None:
        self._most, self._within = most, within
        self._failed: dict[str, deque[datetime]] = {}

    def check(self, who: str, now: datetime) -> None:
        """Raises BudgetSpent."""
        for key, most in ((who, self._most), ("", self._most * 10)):
            row = self._failed.get(key, deque())
            while row and now - row[0] >= self._within:
                row.popleft()
            if len(row) >= most:
                again = row[0] + self._within
                raise BudgetSpent(f"too many attempts to log in; the next is heard at {again:%H:%M:%SZ}", mend="wait, then log in again")

    def failed(self, who: str, now: datetime) -> None:
        for key in (who, ""):
            self._failed.setdefault(key, deque(maxlen=self._most * 10)).append(now)
        if len(self._failed) > 10_000:  # a caller may come from many addresses: those of long ago are forgotten
            self._failed = {key: row for key, row in self._failed.items() if row and now - row[-1] < self._within}

    def succeeded(self, who: str) -> None:
        self._failed.pop(who, None)
