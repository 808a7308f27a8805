"""Logging in, out, and once more before something severe. By the token of this machine, or by the OpenID provider."""

import base64
import binascii
import hmac
import json
import secrets
import zlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from core.domain.access import roles_of
from core.domain.errors import Day2Error, NotAuthenticated, NotAuthorised
from interfaces.console import guarding
from interfaces.console.guarding import LOOPBACK, Attempts
from interfaces.console.login import Provider, Started
from interfaces.console.sessions import COOKIE, Desk
from interfaces.console.templating import render
from interfaces.console.visiting import SEE_OTHER, fields_of, inside, theme
from interfaces.web import problems
from interfaces.web.callers import local_token
from runtime.roles.identifying import account, given

PENDING = "day2_login"
PENDING_SECONDS = 600
FORM = "day2_form"


@dataclass(frozen=True)
class Entrance:
    desk: Desk
    attempts: Attempts = field(default_factory=Attempts)

    @property
    def _provider(self) -> Provider | None:
        told = self.desk.house.settings.oidc
        return Provider(told, f"{self.desk.house.url}/login/back") if told.issuer else None

    async def login(self, request: Request) -> Response:
        """The page; with the token in the address, as `day2 serve` prints it, a session at once."""
        after = inside(request.query_params.get("next", "/"))
        if "token" in request.query_params:
            return self._by_token(request, request.query_params["token"], after)
        return self._page(request, after, request.query_params.get("why", "")[:300])

    async def sent(self, request: Request) -> Response:
        """The form with the token. Its own token against forged forms lies in a cookie: nobody has a session yet."""
        after = "/"
        try:
            guarding.own_origin(request, self.desk.house.url)
            fields = await fields_of(request)
            after = inside(fields.get("next", "/"))
            guarding.same_token(fields.get(guarding.FIELD, ""), request.cookies.get(FORM, ""))
        except Day2Error as error:
            return self._page(request, after, str(error), status=problems.status(error))
        return self._by_token(request, fields.get("token", ""), after)

    def _by_token(self, request: Request, token: str, after: str) -> Response:
        house, now = self.desk.house, self.desk.house.offers.ports.clock.now()
        client = request.client.host if request.client else ""
        try:
            if house.settings.oidc.issuer or urlsplit(house.url).hostname not in LOOPBACK:
                raise NotAuthorised("the token of this machine logs in at this machine only", mend="set oidc.issuer")
            self.attempts.check(client, now)
            if not hmac.compare_digest(token.strip().encode(), local_token(house.settings).encode()):
                self.attempts.failed(client, now)
                raise NotAuthenticated("this is not the token of this machine")
        except Day2Error as error:
            return self._page(request, after, str(error), status=problems.status(error))
        self.attempts.succeeded(client)
        return self._in(request, after, account(), (), "token")

    def _in(self, request: Request, after: str, by: str, groups: tuple[str, ...], how: str) -> Response:
        """Raises NotAuthorised for who is known and has no role here."""
        if not roles_of(by, groups, given(self.desk.house.settings.access)):
            return self._page(request, after, f"{by} is known and has no role here: access.viewer and its like give one", status=403)
        answer = RedirectResponse(after, SEE_OTHER)
        self.desk.begin(answer, by, groups, how, instead_of=request.cookies.get(COOKIE, ""))
        answer.delete_cookie(FORM, path="/")
        answer.delete_cookie(PENDING, path="/")
        return answer

    async def away(self, request: Request) -> Response:
        """To the provider. It is down: a page that says so, from which one tries again, and where one wanted to go is kept."""
        after, again = inside(request.query_params.get("next", "/")), request.query_params.get("again") == "1"
        provider = self._provider
        if provider is None:
            return RedirectResponse(f"/login?{urlencode({'next': after})}", SEE_OTHER)
        try:
            self.attempts.check("provider", self.desk.house.offers.ports.clock.now())
            where, started = await provider.start(after, again=again)
        except Day2Error as error:
            return self._page(request, after, str(error), status=problems.status(error), again=again)
        answer = RedirectResponse(where, SEE_OTHER)
        self._cookie(answer, PENDING, _packed(started), PENDING_SECONDS)
        return answer

    async def back(self, request: Request) -> Response:
        """From the provider."""
        started = _unpacked(request.cookies.get(PENDING, ""))
        provider = self._provider
        if started is None or provider is None:
            return self._page(request, "/", "this login was not begun here, or it took too long", status=401)
        client, now = request.client.host if request.client else "", self.desk.house.offers.ports.clock.now()
        after = inside(started.next)
        try:
            self.attempts.check(client, now)
            address = f"{self.desk.house.url}/login/back?{request.url.query}"
            proven = await provider.finish(address, request.query_params, started)
            if started.again:
                self._same_person(request, proven.by)
        except Day2Error as error:
            self.attempts.failed(client, now)
            return self._page(request, after, str(error), status=problems.status(error), again=started.again)
        self.attempts.succeeded(client)
        return self._in(request, after, proven.by, proven.groups, "oidc")

    def _same_person(self, request: Request, by: str) -> None:
        """Raises NotAuthenticated where somebody else logged in than who was there: what one wrote is not for another to send."""
        if self.desk.known(request).session.by != by:
            raise NotAuthenticated("somebody else logged in now than before", mend="log out first")

    async def again(self, request: Request) -> Response:
        """The token once more, before something severe: a new session of the same person, and back to what they wrote."""
        known, house = self.desk.known(request), self.desk.house
        fields = await fields_of(request)
        after, client, now = inside(fields.get("next", "/")), request.client.host if request.client else "", house.offers.ports.clock.now()
        guarding.own_origin(request, house.url)
        guarding.same_token(fields.get(guarding.FIELD, ""), known.secret)
        try:
            if known.session.how != "token":
                raise NotAuthorised("you did not log in by the token of this machine", mend="log in at the provider again")
            self.attempts.check(client, now)
            if not hmac.compare_digest(fields.get("token", "").strip().encode(), local_token(house.settings).encode()):
                self.attempts.failed(client, now)
                raise NotAuthenticated("this is not the token of this machine: nothing was decided, and what you wrote is kept")
        except Day2Error as error:
            data = {
                "back": after,
                "why": str(error),
                "csrf": guarding.csrf(known.secret),
                "theme": theme(request),
                "login": known.session.how,
            }
            return HTMLResponse(render("again.html", data), problems.status(error))
        self.attempts.succeeded(client)
        return self._in(request, after, known.session.by, known.session.groups, "token")

    async def logout(self, request: Request) -> Response:
        known = self.desk.known(request)
        guarding.own_origin(request, self.desk.house.url)
        guarding.same_token((await fields_of(request)).get(guarding.FIELD, ""), known.secret)
        answer = RedirectResponse("/login", SEE_OTHER)
        self.desk.end(request, answer)
        return answer

    def _page(self, request: Request, after: str, why: str, *, status: int = 200, again: bool = False) -> HTMLResponse:
        house = self.desk.house
        secret = request.cookies.get(FORM, "") or secrets.token_urlsafe(24)
        oidc = house.settings.oidc.issuer
        data: dict[str, Any] = {
            "after": after,
            "why": why,
            "csrf": guarding.csrf(secret),
            "oidc": oidc,
            "local": not oidc and urlsplit(house.url).hostname in LOOPBACK,
            "away": f"/login/oidc?{urlencode({'next': after} | ({'again': '1'} if again else {}))}",
            "theme": theme(request),
            "failed": status >= 400,
        }
        answer = HTMLResponse(render("login.html", data), status)
        self._cookie(answer, FORM, secret, PENDING_SECONDS)
        return answer

    def _cookie(self, answer: Response, name: str, value: str, seconds: int) -> None:
        secure = self.desk.house.url.startswith("https:")
        answer.set_cookie(name, value, max_age=seconds, httponly=True, secure=secure, samesite="lax", path="/")


def _packed(started: Started) -> str:
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(started).encode())).decode()


def _unpacked(text: str) -> Started | None:
    """None for what is no login of ours."""
    try:
        found = json.loads(zlib.decompressobj().decompress(base64.urlsafe_b64decode(text.encode()), 16_384))
        state, nonce, verifier, after, again = found
    except (ValueError, binascii.Error, zlib.error, TypeError):
        return None
    return Started(str(state), str(nonce), str(verifier), str(after), bool(again))
