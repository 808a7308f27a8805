"""Who is logged in: a cookie that only the browser has, and a session in the doors' database that knows its hash alone."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from core.domain.access import Caller, roles_of
from core.domain.errors import NotAuthenticated
from core.domain.sessions import Session, Sessions
from interfaces.console.guarding import named
from interfaces.web.house import House
from runtime.roles.identifying import given

DOOR = "console"
COOKIE = "day2_session"
TOUCH = timedelta(seconds=30)
"""A session is marked as used at most so often."""


class Known(NamedTuple):
    """`secret` is the cookie's value; it never reaches the database."""

    secret: str
    session: Session
    caller: Caller


@dataclass(frozen=True)
class Desk:
    """Sessions of this house."""

    house: House
    kept: Sessions

    @property
    def idle(self) -> timedelta:
        return timedelta(minutes=self.house.settings.web.idle_minutes)

    @property
    def longest(self) -> timedelta:
        return timedelta(hours=self.house.settings.web.session_hours)

    def known(self, request: Request, *, used: bool = True) -> Known:
        """`used` False: a page that stays open by itself keeps no session alive. Raises NotAuthenticated."""
        secret, now = request.cookies.get(COOKIE, ""), self.house.offers.ports.clock.now()
        session = self.kept.get(named(secret)) if secret else None
        if session is None:
            raise NotAuthenticated("nobody is logged in", mend=f"log in at {self.house.url}/login")
        if session.over(now, idle=self.idle, longest=self.longest):
            self.kept.close(session.key)
            raise NotAuthenticated("your session is over", mend=f"log in again at {self.house.url}/login")
        if used and now - session.seen_at >= TOUCH:
            self.kept.touch(session.key, now)
        return Known(secret, session, self.caller(session))

    async def visitor(self, request: Request) -> Caller | None:
        """Who has a session here, for other doors' pages; None for who has none. What a page asks by itself keeps no session alive."""
        try:
            return self.known(request, used="day2-watching" not in request.headers).caller
        except NotAuthenticated:
            return None

    def caller(self, session: Session) -> Caller:
        """Roles are those of now."""
        roles = roles_of(session.by, session.groups, given(self.house.settings.access))
        return Caller(session.by, roles, DOOR, session.groups, session.authenticated_at)

    def begin(self, response: Response, by: str, groups: tuple[str, ...], how: str, *, instead_of: str = "") -> str:
        """A new session, and its cookie on this answer. The one before is over: an id that somebody planted is worth nothing."""
        now, secret = self.house.offers.ports.clock.now(), secrets.token_urlsafe(32)
        if instead_of:
            self.kept.close(named(instead_of))
        self.kept.forget(seen_before=now - self.idle, began_before=now - self.longest)
        self.kept.open(Session(named(secret), by, groups, how, now, now, now))
        response.set_cookie(COOKIE, secret, httponly=True, secure=self.house.url.startswith("https:"), samesite="lax", path="/")
        return secret

    def end(self, request: Request, response: Response) -> None:
        self.kept.close(named(request.cookies.get(COOKIE, "")))
        response.delete_cookie(COOKIE, path="/")
