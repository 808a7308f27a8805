"""One visit of a page: who is there, what they may call, and how its page comes of it. Every page and every form goes through here."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from core.domain.access import Caller
from core.domain.errors import BudgetSpent, Day2Error, InvalidInput, NotAuthenticated
from interfaces.console import guarding
from interfaces.console.sessions import Desk, Known
from interfaces.console.templating import render
from interfaces.rendering.envelopes import Json, moment
from interfaces.rendering.offered import DOCUMENTS
from interfaces.web import problems
from interfaces.web.house import Framed, House, Work

log = logging.getLogger(__name__)
LARGEST_FORM = 64 * 1024
THEME = "day2_theme"
SEE_OTHER = 303


class Page(NamedTuple):
    """A template with what it shows. `at` is the row of the navigation."""

    template: str
    data: Mapping[str, Any]
    at: str = ""
    status: int = 200


class Moved(NamedTuple):
    """What a form answers: go there. `said` is shown once, on the page that one comes to."""

    to: str
    said: str = ""


Answer = Page | Moved | Response


@dataclass(frozen=True)
class Visit:
    """`form` is empty for what was only looked at. `place` is how far the audit chains were read before the page was made: what is
    recorded after it is told by the live stream, also what is recorded before that is open."""

    request: Request
    house: House
    known: Known
    form: Mapping[str, str] = field(default_factory=dict)
    place: int = 0

    @property
    def caller(self) -> Caller:
        return self.known.caller

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    @property
    def part(self) -> bool:
        """Only a part of the page is wanted: a row that changed."""
        return self.request.headers.get("hx-request") == "true"

    def can(self) -> frozenset[str]:
        """The services that this caller may call."""
        return frozenset(row.name for row in self.house.offers.listed(self.caller))

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    async def answer(self, name: str, /, **wanted: Any) -> Any:
        """What the service itself answers, for a page that shows more of it than its document has. Raises what the service raises."""
        return await self.house.offers.call(self.caller, name, wanted)

    async def call(self, name: str, /, **wanted: Any) -> Json:
        """The document of the service's answer. Raises what the service raises."""
        found = await self.answer(name, **wanted)
        return DOCUMENTS[name](found, self.house.offers.ports)

    async def read(self, name: str, /, **wanted: Any) -> Json | None:
        """None where there is no such service here, or this caller may not call it: the page then says so."""
        return await self.call(name, **wanted) if name in self.can() else None

    def whole(self, name: str, default: int, *, most: int) -> int:
        """A number of the address. What is none is the default: an old link must not break."""
        text = self.query.get(name, "")
        return min(most, max(0, int(text))) if text.isascii() and text.isdecimal() and len(text) < 9 else default


View = Callable[[Visit], Awaitable[Answer]]


@dataclass(frozen=True)
class Visiting:
    """Makes routes of views."""

    house: House
    desk: Desk

    def page(self, view: View) -> Callable[[Request], Awaitable[Response]]:
        """A page that is looked at: it decides nothing."""

        async def shown(request: Request) -> Response:
            try:
                known = self.desk.known(request)
            except NotAuthenticated as error:
                return self._to_login(request, str(error))
            visit = Visit(request, self.house, known)
            return await self._answered(visit, view)

        return shown

    def form(self, view: View) -> Callable[[Request], Awaitable[Response]]:
        """A form that was sent: by who is logged in, from a page of ours, with the token of their session."""

        async def sent(request: Request) -> Response:
            try:
                known = self.desk.known(request)
            except NotAuthenticated as error:
                return self._to_login(request, str(error), back=request.headers.get("referer", ""))
            visit = Visit(request, self.house, known)
            try:
                guarding.own_origin(request, self.house.url)
                fields = await fields_of(request)
                guarding.same_token(fields.pop(guarding.FIELD, ""), known.secret)
            except Day2Error as error:
                return await self.failure(visit, error)
            return await self._answered(Visit(request, self.house, known, fields), view)

        return sent

    async def framed(self, request: Request, work: Work) -> Response:
        """A page of another door, with the navigation around it. What that door is sent, it guards itself."""

        async def view(_visit: Visit) -> Answer:
            made = await work()
            return Page("framed.html", {"framed": made}, at=made.at) if isinstance(made, Framed) else made

        return await self.page(view)(request)

    async def _answered(self, visit: Visit, view: View) -> Response:
        try:
            history = self.house.offers.ports.history
            history.catch_up()
            visit = replace(visit, place=history.place)
            answer = await view(visit)
        except Day2Error as error:
            return await self.failure(visit, error)
        if isinstance(answer, Moved):
            return moved(answer)
        if isinstance(answer, Page):
            return await self.rendered(visit, answer)
        return answer

    async def rendered(self, visit: Visit, page: Page) -> HTMLResponse:
        return HTMLResponse(render(page.template, await self._frame(visit, page) | dict(page.data)), page.status)

    async def failure(self, visit: Visit, error: Day2Error) -> HTMLResponse:
        """The error as a page: what failed, and its mend."""
        status = problems.status(error)
        data = {"error": type(error).__name__, "said": str(error), "mend": error.mend, "code": status}
        answer = await self.rendered(visit, Page("error.html", data, status=status))
        if isinstance(error, BudgetSpent):
            answer.headers["Retry-After"] = "60"
        return answer

    async def _frame(self, visit: Visit, page: Page) -> dict[str, Any]:
        """What every page has around it."""
        ports, settings = self.house.offers.ports, self.house.settings
        now = ports.clock.now()
        return {
            "at": page.at,
            "by": visit.caller.by,
            "roles": sorted(role.value for role in visit.caller.roles),
            "can": visit.can(),
            "csrf": guarding.csrf(visit.known.secret),
            "now": moment(now),
            "stops": (await visit.read("stops.list") or {"items": []})["items"],
            "theme": theme(visit.request),
            "said": visit.query.get("said", "")[:300],
            "here": _here(visit.request),
            "simulated": settings.clock != "system",
            "part": visit.part,
            "place": visit.place,
            "query": visit.query,
            "talks": ports.chats is not None,
            "login": "oidc" if settings.oidc.issuer else "token",
        }

    def _to_login(self, request: Request, why: str, *, back: str = "") -> Response:
        """A link survives the login. A part of a page cannot be logged in: the browser is sent as a whole."""
        del back  # a form that was sent without a session is sent again by its person: it is never repeated by us
        to = f"/login?{urlencode({'next': _here(request) if request.method == 'GET' else '/', 'why': why})}"
        if request.headers.get("hx-request") == "true":
            return Response(status_code=401, headers={"HX-Redirect": to})
        return RedirectResponse(to, SEE_OTHER)


def _here(request: Request) -> str:
    query = urlencode([(name, value) for name, value in request.query_params.multi_items() if name not in ("said", "token")])
    return f"{request.url.path}?{query}" if query else request.url.path


def moved(answer: Moved) -> RedirectResponse:
    glue = "&" if "?" in answer.to else "?"
    return RedirectResponse(f"{answer.to}{glue}{urlencode({'said': answer.said})}" if answer.said else answer.to, SEE_OTHER)


def inside(path: str) -> str:
    """A path of ours to go on to after a login; anything that could lead elsewhere is the first page."""
    good = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path and len(path) < 2000
    return path if good else "/"


def theme(request: Request) -> str:
    found = request.cookies.get(THEME, "")
    return found if found in ("dark", "light") else ""


async def fields_of(request: Request) -> dict[str, str]:
    """The text fields of a form that is not larger than forms are. Raises InvalidInput."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise InvalidInput("this is no form", mend="send application/x-www-form-urlencoded")
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > LARGEST_FORM:
        raise InvalidInput("this form is too large", mend=f"at most {LARGEST_FORM} bytes, with a Content-Length")
    read: FormData = await request.form(max_fields=100)
    return {name: value.replace("\r\n", "\n") for name, value in read.items() if isinstance(value, str)}  # a browser sends CRLF
