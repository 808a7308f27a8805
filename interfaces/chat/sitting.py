"""One person at a terminal: who they are, what they say, and how a dialog and a run are followed to their end. Behind `day2 chat`."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator

from core.domain.access import Caller
from core.domain.chats import Place, Ref, Shows
from interfaces.chat import intents, parts
from interfaces.chat.cards import House
from interfaces.chat.following import Digests, Follower
from interfaces.chat.identities import Identities, read
from interfaces.chat.pressing import Presses
from interfaces.chat.talking import Talk
from interfaces.chat.terminal import Ask, TerminalChat
from interfaces.chat.values import Message, Notice, Press, Verb
from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen
from runtime.roles import console, front, identifying
from runtime.services.offering import Offers
from runtime.settings import Settings

PRODUCT = "terminal"
DOOR = "cli"
LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 60.0
"""How long an answer is waited for where nothing else was asked for."""
DECIDING = {verb.value: verb for verb in (Verb.APPROVE, Verb.DENY, Verb.EDIT, Verb.SNOOZE, Verb.SILENCE, Verb.PATCH)}


class Sitting:
    """A talk. What is said appears on the screen; `document` is the last of it for programs."""

    def __init__(self, offers: Offers, caller: Caller, chat: TerminalChat, *, patience: float, url: str = "") -> None:
        chats = offers.ports.chats
        assert chats is not None  # noqa: S101  the composition root opened it
        known = Identities(read(()), {})
        known.vouch(PRODUCT, caller)
        self._talk = Talk(offers, chats, known, House("", url))
        self._follower = Follower(self._talk, (chat,), (), Digests(None))
        self._presses = Presses(self._talk, self._follower)
        self._offers, self._chat, self._patience = offers, chat, patience
        self._by, self._place = caller.by, Place(PRODUCT, caller.by[:200], offers.ports.ids.new("talk"))

    async def said(self, text: str, *, quiet: bool = False) -> None:
        """One message, to the end of what it began. `quiet` prints nothing: it is shown as a document."""
        screen = self._chat.screen
        if quiet:
            self._chat.screen = Screen(io.StringIO())
        self._chat.said.clear()
        pressed = self._pressed(text)
        if pressed is not None:
            await self._press(pressed)
        else:
            message = Message(self._place, self._by, text, self._offers.ports.ids.new("said"))
            self._talk.accept(message)
            await self._talk.work(self._chat, message)
            await self._asked_back()
            await self._answered()
        self._chat.screen = screen

    @property
    def failed(self) -> bool:
        """Whether the last message was not understood, or refused."""
        last = self._chat.said[-1] if self._chat.said else None
        return isinstance(last, Notice) and last.failed

    def document(self) -> Json:
        shown = [parts.shape(said) for said in self._chat.said]
        items = [
            {
                "title": row.title,
                "badge": row.badge,
                "parts": [{"name": part.name, "lines": list(part.lines)} for part in row.parts],
                "subject": row.subject,
                "next": list(row.commands),
            }
            for row in shown
        ]
        return envelope("ChatReply", items=items)

    def _pressed(self, text: str) -> Press | None:
        """`approve act-...` and its like: at a terminal the words are the button, and its dialog asks before anything is kept."""
        meant = intents.meant(text)
        word = text.split(maxsplit=1)[0].casefold()
        verb = DECIDING.get(word) or (DECIDING.get(meant.verb) if meant.intent == "decide" else None)
        if verb is None or not meant.action:
            return None
        event = self._offers.ports.ids.new("press")
        return Press(self._place, self._by, verb, meant.action, event, trigger=self._by)

    async def _press(self, press: Press) -> None:
        """The card first: nobody decides on what they have not seen."""
        if press.verb in (Verb.APPROVE, Verb.DENY):
            shown = Message(self._place._replace(thread=press.event), self._by, f"show {press.subject}", f"show-{press.event}")
            self._talk.accept(shown)
            await self._talk.work(self._chat, shown)
        await self._presses.pressed(self._chat, press)
        await self._filled()

    async def _filled(self) -> None:
        while self._chat.filled:
            await self._presses.filled(self._chat, self._chat.filled.pop(0))

    async def _asked_back(self) -> None:
        """A question with one button is asked here and now."""
        last = self._chat.said[-1] if self._chat.said else None
        if not isinstance(last, Notice) or last.verb is None:
            return
        if last.verb is not Verb.RESUME:
            answer = self._chat.question(f"{parts.LABELS[last.verb]}? [y/N] ")
            if answer is None or answer.strip().casefold() not in ("y", "yes"):
                self._chat.screen.line("nothing was done")
                return
        press = Press(self._place, self._by, last.verb, last.subject, self._offers.ports.ids.new("press"), trigger=self._by)
        await self._presses.pressed(self._chat, press)
        await self._filled()

    async def _answered(self) -> None:
        """Follow what was begun until it is answered; a run that nobody takes is said to be one."""
        waited = 0.0
        while self._open() and waited < self._patience:
            await asyncio.sleep(LOOK_SECONDS)
            waited += LOOK_SECONDS
            await self._follower.look()
        for ref in self._open():
            more = ("It goes on, or waits for a controller: day2 serve.",)
            await self._chat.send(self._place, Notice(f"{ref.subject} is not answered yet", more, tries=(f"show {ref.subject}",)))
            self._talk.chats.showing(ref.id, before=ref.shown, shown=ref.shown, told=ref.told, still_open=False)

    def _open(self) -> list[Ref]:
        mine = (ref for ref in self._talk.chats.refs(product=PRODUCT) if ref.place == self._place)
        return [ref for ref in mine if ref.shows is Shows.RUN]


@contextlib.asynccontextmanager
async def opened(settings: Settings, screen: Screen, question: Ask, *, patience: float | None = None) -> AsyncIterator[Sitting]:
    """For the person whom the cluster authenticates, at the account that the kernel knows; roles by either name."""
    caller = await identifying.caller(settings, PRODUCT)
    with console.record(settings, create=True):
        pass  # a folder that was never used has no ledger yet
    async with front.opened(settings, door=DOOR) as offers:
        url = settings.web.public_url.rstrip("/") or (f"http://{settings.web.listen}" if settings.web.listen else "")
        chat, waits = TerminalChat(screen, question), PATIENCE_SECONDS if patience is None else patience
        yield Sitting(offers, caller, chat, patience=waits, url=url)
