"""The web chat's backing: a conversation of each person, kept in the doors' database, as HTML fragments for the console.

Its user is whom the console authenticated. A GET only shows; every POST is refused where it comes from another site.
"""

import base64
import json
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Form
from markupsafe import Markup
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from core.domain.access import Caller
from core.domain.chats import Chats, Line, Place
from core.domain.clock import Clock
from core.domain.errors import InvalidInput, NotAuthorised
from core.domain.values import bounded
from interfaces.chat import html
from interfaces.chat.pressing import Presses
from interfaces.chat.talking import Talk
from interfaces.chat.values import Answer, Card, Dialog, Filled, Inbox, Message, Notice, Picture, Press, Said, Verb
from interfaces.rendering import letters
from interfaces.web.house import Framed, House, Work

PRODUCT = "web"
LONGEST = 4000
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
KINDS: dict[str, TypeAdapter[Any]] = {kind.__name__: TypeAdapter(kind) for kind in (Card, Answer, Notice, Inbox, Dialog)}
STYLES, SCRIPTS = ("/chat/static/chat.css",), ("/chat/static/chat.js",)
STATIC = {"chat.css": "text/css", "chat.js": "text/javascript"}


class WebChat:
    """Implements `interfaces.chat.ports.Chat` over the lines that are kept. Each conversation has one reader: all of it is private."""

    product = PRODUCT

    def __init__(self, chats: Chats, clock: Clock) -> None:
        self._chats, self._clock = chats, clock

    async def send(self, place: Place, said: Said) -> str:
        return str(self._say(place, _written(said)))

    async def update(self, place: Place, message: str, said: Said) -> None:  # noqa: ARG002  a line's number is enough
        self._chats.resay(int(message), _written(said))

    async def privately(self, place: Place, user: str, said: Said) -> None:
        self._say(place._replace(conversation=user), _written(said))

    async def directly(self, user: str, said: Said) -> None:
        self._say(Place(PRODUCT, user), _written(said))

    async def ask(self, trigger: str, dialog: Dialog) -> None:
        self._say(Place(PRODUCT, trigger), _written(dialog))

    async def show(self, place: Place, picture: Picture) -> None:
        body = {"kind": "Picture", "alt": picture.alt, "png": base64.b64encode(picture.png).decode()}
        self._say(place, json.dumps(body))

    def _say(self, place: Place, body: str) -> int:
        return self._chats.say(place, "day2", body, self._clock.now())


def _written(said: Said | Dialog) -> str:
    name = type(said).__name__
    return json.dumps({"kind": name, "said": KINDS[name].dump_python(said, mode="json")})


def fragment(line: Line) -> Markup:
    """One line of a conversation, everything in it escaped."""
    body = json.loads(line.body)
    if body["kind"] == "Text":
        return Markup('<article class="mine" id="line-{}"><p>{}</p></article>').format(line.id, letters.shown(body["text"]))
    if body["kind"] == "Picture":
        return Markup('<figure id="line-{0}"><img src="/chat/pictures/{0}" alt="{1}"><figcaption>{1}</figcaption></figure>').format(
            line.id, letters.shown(body["alt"])
        )
    said = KINDS[body["kind"]].validate_python(body["said"])
    drawn = html.asked(said) if isinstance(said, Dialog) else html.fragment(said, line=line.id)
    return Markup('<div id="line-{}">{}</div>').format(line.id, drawn)


class WebDoor:
    """The routes. They are joined in `interfaces/chat/joining.py`."""

    def __init__(self, house: House, talk: Talk, presses: Presses, chat: WebChat) -> None:
        self._house, self._talk, self._presses, self._chat = house, talk, presses, chat

    def join(self, app: FastAPI) -> None:
        for path, route, method in (
            ("/chat", self.page, "GET"),
            ("/chat/lines", self.lines, "GET"),
            ("/chat/pictures/{line}", self.picture, "GET"),
            ("/chat/static/{name}", self.static, "GET"),
            ("/chat/messages", self.said, "POST"),
            ("/chat/presses", self.pressed, "POST"),
            ("/chat/dialogs", self.filled, "POST"),
        ):
            app.add_api_route(path, route, methods=[method], include_in_schema=False, response_model=None)

    async def page(self, request: Request) -> Response:
        async def work() -> Framed:
            caller = await self._caller(request)
            await self._talk.again(self._chat, user=caller.by)
            shown = Markup("").join(fragment(line) for line in self._lines(caller))
            body = Markup(html.page("conversation.html", fragments=shown, by=caller.by))  # noqa: S704  the template escapes
            return Framed("Chat", "/chat", body, STYLES, SCRIPTS)

        return await self._browsed(request, work)

    async def _browsed(self, request: Request, work: Work) -> Response:
        """Inside the console's frame for who is logged in there; a page of its own for a program that sends its token, and where no console
        is served."""
        if self._house.frames and "authorization" not in request.headers:
            return await self._house.frames[0](request, work)
        made = await work()
        return HTMLResponse(html.page("alone.html", shown=made), headers=HEADERS) if isinstance(made, Framed) else made

    async def lines(self, request: Request) -> Response:
        """All lines of the newest hundred: those that are edited too."""
        caller = await self._caller(request)
        await self._talk.again(self._chat, user=caller.by)
        return HTMLResponse(Markup("").join(fragment(line) for line in self._lines(caller)), headers=HEADERS)

    async def picture(self, request: Request, line: int) -> Response:
        caller = await self._caller(request)
        found = next((row for row in self._lines(caller) if row.id == line), None)
        body = json.loads(found.body) if found else {}
        if body.get("kind") != "Picture":
            raise InvalidInput("there is no such picture in your conversation", mend="look at /chat")
        return Response(base64.b64decode(body["png"]), media_type="image/png", headers=HEADERS)

    async def static(self, name: str) -> Response:
        if name not in STATIC:
            raise InvalidInput(f"there is no {bounded(name, 40)!r}", mend="look at /chat")
        return FileResponse(html.TEMPLATES / name, media_type=STATIC[name], headers={"X-Content-Type-Options": "nosniff"})

    async def said(self, request: Request, text: str = Form(max_length=LONGEST)) -> Response:
        async def work() -> Response:
            caller = await self._caller(request, changes=True)
            if text.strip():
                place = Place(PRODUCT, caller.by)
                line = self._talk.chats.say(place, caller.by, json.dumps({"kind": "Text", "text": bounded(text, LONGEST)}), self._now())
                message = Message(place, caller.by, text, f"line:{line}")
                if self._talk.accept(message):
                    await self._talk.work(self._chat, message)
            return _back()

        return await self._browsed(request, work)

    async def pressed(self, request: Request, verb: str = Form(max_length=20), subject: str = Form(max_length=200)) -> Response:
        async def work() -> Response:
            caller = await self._caller(request, changes=True)
            if verb not in set(Verb):
                raise InvalidInput(f"{bounded(verb, 20)!r} is no button", mend="use the buttons of a card")
            event = f"press:{self._house.offers.ports.ids.new('press')}"
            press = Press(Place(PRODUCT, caller.by), caller.by, Verb(verb), subject, event, trigger=caller.by)
            await self._presses.pressed(self._chat, press)
            return _back()

        return await self._browsed(request, work)

    async def filled(self, request: Request) -> Response:
        async def work() -> Response:
            caller = await self._caller(request, changes=True)
            form = {name: str(value)[:2000] for name, value in (await request.form()).items()}
            verb, subject = form.pop("verb", ""), form.pop("subject", "")
            if verb not in set(Verb):
                raise InvalidInput("this is no dialog of ours", mend="use the buttons of a card")
            self._answer(caller, verb, subject)
            event = f"dialog:{self._house.offers.ports.ids.new('press')}"
            await self._presses.filled(self._chat, Filled(Place(PRODUCT, caller.by), caller.by, Verb(verb), subject, event, form))
            return _back()

        return await self._browsed(request, work)

    def _answer(self, caller: Caller, verb: str, subject: str) -> None:
        """The dialog in the conversation gives way to the word that it was answered."""
        for line in self._lines(caller):
            body = json.loads(line.body)
            if body["kind"] == "Dialog" and (body["said"]["verb"], body["said"]["subject"]) == (verb, subject):
                self._talk.chats.resay(line.id, _written(Notice(f"{body['said']['title']} You answered.")))

    async def _caller(self, request: Request, *, changes: bool = False) -> Caller:
        """Raises NotAuthenticated; NotAuthorised for what another site sends in a reader's name."""
        caller = await self._house.visitor(request)
        if changes and not _own(request):
            raise NotAuthorised("this came from another site", right="same origin", mend="use the page of the console itself")
        self._talk.identities.vouch(PRODUCT, caller)
        return caller

    def _lines(self, caller: Caller) -> list[Line]:
        return self._talk.chats.lines(Place(PRODUCT, caller.by), limit=100)

    def _now(self) -> Any:
        return self._house.offers.ports.clock.now()


def _own(request: Request) -> bool:
    """A browser says where a request comes from; a program that sends a token in a header is no browser's page."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc == request.headers.get("host", "")
    return "authorization" in request.headers


def _back() -> Response:
    return RedirectResponse("/chat", 303, headers=HEADERS)
