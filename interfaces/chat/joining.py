"""The chats join the web application: their routes, and the work that goes on beside it. Secrets come from files alone."""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fastapi import FastAPI

from core.domain.chats import Place
from core.domain.errors import InvalidInput
from interfaces.chat import following, identities, modelling
from interfaces.chat.cards import House as Shown
from interfaces.chat.following import Follower, Home
from interfaces.chat.identities import Identities
from interfaces.chat.ports import Chat
from interfaces.chat.pressing import Presses
from interfaces.chat.talking import Route, Talk, by_words
from interfaces.chat.web import WebChat, WebDoor
from interfaces.web.house import House
from runtime.roles.identifying import given
from runtime.services.offering import Offers
from runtime.settings import MattermostSettings, Settings, SlackSettings

if TYPE_CHECKING:
    from interfaces.chat.mattermost.app import MattermostApp
    from interfaces.chat.slack.app import SlackApp

log = logging.getLogger(__name__)
PACE_SECONDS = 0.5


@dataclass
class Chatting:
    """All chats of one process. `slack` and `mattermost` are None where the settings name none."""

    talk: Talk
    follower: Follower
    presses: Presses
    slack: "SlackApp | None" = None
    mattermost: "MattermostApp | None" = None
    app_token: str = field(default="", repr=False)

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """While the application serves."""
        stop = asyncio.Event()
        task = asyncio.create_task(self.serve(stop))
        task.add_done_callback(_ended)
        try:
            yield
        finally:
            stop.set()
            await task

    async def serve(self, stop: asyncio.Event) -> None:
        """Follow the record, and hold Slack's connection where there is one, until told to stop."""
        async with contextlib.AsyncExitStack() as stack:
            for app in (self.slack, self.mattermost):
                if app is not None:
                    await self.talk.again(app.chat)
            if self.mattermost is not None:
                stack.push_async_callback(self.mattermost.chat.close)
            if self.slack is not None and self.app_token:
                held = self.slack.socket(self.app_token)
                stack.push_async_callback(held.close_async)
                await held.connect_async()  # type: ignore[no-untyped-call]
            await self.follower.serve(stop, PACE_SECONDS)


def _ended(task: "asyncio.Task[None]") -> None:
    """The page goes on without it; that it ended is said at once, and not when all ends."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("chats are followed no more: %s", error)


class Product(NamedTuple):
    """One chat of others: how it is spoken to, where cards are posted by themselves, and what it is made into once presses are there."""

    chat: Chat
    channel: str
    app: Callable[[Chatting], None]


def made(offers: Offers, settings: Settings, url: str, *, chats: tuple[Chat, ...] = (), route: Route = by_words) -> Chatting:
    """Raises InvalidInput for settings that cannot be, and secrets that cannot be read."""
    kept = offers.ports.chats
    if kept is None:
        raise InvalidInput("this process keeps nothing of chats", mend="open it by runtime.roles.front")
    known = Identities(identities.read(settings.chat.people), given(settings.access))
    talk = Talk(offers, kept, known, Shown(settings.kubernetes.context, url), route=route)
    products = [product for product in (_slack(settings.slack), _mattermost(settings.mattermost, url)) if product is not None]
    homes = [Home(product.chat, Place(product.chat.product, product.channel)) for product in products if product.channel]
    spoken = [*chats, *(product.chat for product in products)]
    follower = Follower(talk, spoken, homes, following.checked_hour(settings.chat.digest_hour, settings.chat.zone))
    chatting = Chatting(talk, follower, Presses(talk, follower))
    for product in products:
        product.app(chatting)
    return chatting


def _slack(settings: SlackSettings) -> Product | None:
    if settings.token_file is None:
        return None
    from interfaces.chat.slack.app import SlackApp  # a second of imports that only those pay who use it
    from interfaces.chat.slack.port import SlackChat, client

    web = client(secret(settings.token_file, "slack.token_file"), settings.api_url)
    signing = secret(settings.signing_secret_file, "slack.signing_secret_file") if settings.signing_secret_file else ""
    app_token = secret(settings.app_token_file, "slack.app_token_file") if settings.app_token_file else ""
    if not signing and not app_token:
        raise InvalidInput(
            "Slack can reach us by no way", mend="set slack.signing_secret_file (HTTP) or slack.app_token_file (Socket Mode)"
        )

    def app(chatting: Chatting) -> None:
        chatting.app_token = app_token
        chatting.slack = SlackApp(web, signing, chatting.talk, chatting.presses)

    return Product(SlackChat(web), settings.channel, app)


def _mattermost(settings: MattermostSettings, url: str) -> Product | None:
    if not settings.url:
        return None
    from interfaces.chat.mattermost.app import MattermostApp
    from interfaces.chat.mattermost.port import MattermostChat

    token = secret(settings.token_file, "mattermost.token_file")
    hook = secret(settings.webhook_token_file, "mattermost.webhook_token_file")
    seal = hashlib.sha256(b"day2ops seal of buttons\0" + token.encode()).hexdigest()
    chat = MattermostChat(settings.url, token, url, seal)

    def app(chatting: Chatting) -> None:
        chatting.mattermost = MattermostApp(chat, hook, seal, chatting.talk, chatting.presses)

    return Product(chat, settings.channel, app)


def join(app: FastAPI, house: House) -> None:
    """Routes of the web chat, and of the products that the settings name."""
    ports = house.offers.ports
    if ports.chats is None:
        return
    web = WebChat(ports.chats, ports.clock)
    chatting = made(house.offers, house.settings, house.url, chats=(web,), route=modelling.router(house.settings))
    WebDoor(house, chatting.talk, chatting.presses, web).join(app)
    if chatting.slack is not None and house.settings.slack.signing_secret_file is not None:
        app.add_api_route("/slack/events", chatting.slack.receive, methods=["POST"], include_in_schema=False, response_model=None)
    if chatting.mattermost is not None:
        for path, route in (
            ("hook", chatting.mattermost.hook),
            ("presses", chatting.mattermost.press),
            ("dialogs", chatting.mattermost.dialog),
        ):
            app.add_api_route(f"/mattermost/{path}", route, methods=["POST"], include_in_schema=False, response_model=None)
    app.state.chatting = chatting
    house.living.append(chatting.living)


def secret(path: Path | None, setting: str) -> str:
    """What a file holds. Raises InvalidInput that names the setting, and never its content."""
    if path is None:
        raise InvalidInput(f"{setting} is not set", mend=f"write the secret into a file of mode 0600 and set {setting}")
    try:
        text = path.expanduser().read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"cannot read {path}: {getattr(error, 'strerror', None) or 'no text'}", mend=f"set {setting} to a readable file"
        ) from error
    if not text:
        raise InvalidInput(f"{path} is empty", mend=f"write the secret into it: {setting}")
    return text
