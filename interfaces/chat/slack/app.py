"""The Slack app: what arrives is checked by Bolt (signature, five minutes), kept before it is acknowledged, and worked on then.

Bolt does not de-duplicate what Slack delivers twice; `core.domain.chats.Chats.take` does, durably.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import Response

from core.domain.chats import Place
from core.domain.errors import Day2Error
from interfaces.chat import cards, talking
from interfaces.chat.pressing import Presses
from interfaces.chat.slack import blocks
from interfaces.chat.slack.port import PRODUCT, SlackChat
from interfaces.chat.talking import Talk
from interfaces.chat.values import Filled, Message, Notice, Press, Verb
from interfaces.web import problems

log = logging.getLogger(__name__)
LARGEST = 1024 * 1024
Plain = dict[str, Any]
Go = Callable[[], Awaitable[None]]


class SlackApp:
    """One app of one workspace. `chat` is the port, `bolt` what verifies and dispatches."""

    def __init__(self, web: AsyncWebClient, signing_secret: str, talk: Talk, presses: Presses) -> None:
        self.chat = SlackChat(web)
        self._talk, self._presses = talk, presses
        self._working: set[asyncio.Task[None]] = set()
        # over Socket Mode nothing is signed: the connection is ours, opened with the app's token
        self.bolt = AsyncApp(client=web, signing_secret=signing_secret or None, request_verification_enabled=bool(signing_secret))
        self._handler = AsyncSlackRequestHandler(self.bolt)
        self.bolt.middleware(self._keep)
        self.bolt.event("app_mention")(_nothing)
        self.bolt.event("message")(_nothing)
        self.bolt.event("app_home_opened")(self._home)
        self.bolt.command(re.compile(".*"))(_acknowledged)
        self.bolt.action(re.compile(".*"))(_acknowledged)
        self.bolt.view(re.compile(".*"))(_acknowledged)

    async def receive(self, request: Request) -> Response:
        """POST /slack/events. Bolt answers 401 for a bad signature or an old timestamp; what it cannot even read is 401 as well."""
        body = await request.body()
        stamp = request.headers.get("x-slack-request-timestamp", "")
        if len(body) > LARGEST:
            return problems.problem(413, "too large")
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or not _is_text(body):
            return problems.problem(401, "this is not signed by Slack")
        return await self._handler.handle(request)

    def socket(self, app_token: str) -> AsyncSocketModeHandler:
        return AsyncSocketModeHandler(self.bolt, app_token, web_client=self.bolt.client)

    async def idle(self) -> None:
        """Until everything that was taken is worked on."""
        while self._working:
            await asyncio.gather(*self._working, return_exceptions=True)

    async def _keep(self, body: Plain, next: Go) -> BoltResponse | None:  # noqa: A002  Bolt hands it over by this name
        """Before anything is acknowledged: kept, or known already. Then acknowledged, and worked on."""
        work = self._work(body)
        if work is None:
            await next()
            return None
        if isinstance(work, Message) and not self._talk.accept(work):
            return BoltResponse(status=200, body="")
        self._begin(self._worked(work))
        return BoltResponse(status=200, body="")

    def _work(self, body: Plain) -> Message | Press | Filled | None:
        kind = body.get("type")
        if kind == "event_callback":
            return self._message(body)
        if kind == "block_actions":
            return _press(body)
        if kind == "view_submission":
            return _filled(body)
        return _command(body) if body.get("command") else None

    def _message(self, body: Plain) -> Message | None:
        """A mention, a direct message, or what is said in a thread that we are part of. Its channel and time name it: Slack delivers a
        mention twice, once as a mention and once as a message."""
        event = body.get("event") or {}
        if event.get("type") not in ("app_mention", "message") or event.get("bot_id") or event.get("subtype") or not event.get("user"):
            return None
        channel, ts, thread = str(event.get("channel", "")), str(event.get("ts", "")), str(event.get("thread_ts", ""))
        direct = event.get("channel_type") == "im"
        place = Place(PRODUCT, channel, thread or ("" if direct else ts))
        topic = self._talk.chats.topic(place) if thread else None
        ours = event["type"] == "app_mention" or direct or (topic is not None and bool(topic.intent or topic.run or topic.action))
        return Message(place, str(event["user"]), str(event.get("text", "")), f"{channel}:{ts}") if ours else None

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _worked(self, work: Message | Press | Filled) -> None:
        try:
            if isinstance(work, Message):
                await self._talk.work(self.chat, work)
            elif isinstance(work, Press):
                await self._presses.pressed(self.chat, work)
            else:
                await self._presses.filled(self.chat, work)
        except Day2Error as error:
            log.warning("slack: %s", error)

    async def _home(self, event: Plain) -> None:
        """Open approvals, for who may see them."""
        try:
            caller = self._talk.identities.caller(PRODUCT, str(event["user"]))
            queue = await self._talk.offers.call(caller, "approvals.list")
            said = (
                cards.inbox(queue.cards, self._talk.house.url) if queue.cards else Notice("Nothing waits for a person.", tries=("status",))
            )
        except Day2Error as error:
            said = talking.refused(error)
        await self.chat.home(str(event["user"]), said)


async def _nothing(event: Plain) -> None:
    """What is not for us."""
    del event


async def _acknowledged(ack: Callable[[], Awaitable[None]]) -> None:
    """Such as the button that opens a page."""
    await ack()


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _command(body: Plain) -> Message:
    channel, trigger = str(body.get("channel_id", "")), str(body.get("trigger_id", ""))
    return Message(Place(PRODUCT, channel), str(body.get("user_id", "")), str(body.get("text", "")) or "help", f"command:{trigger}"[:200])


def _press(body: Plain) -> Press | None:
    action = (body.get("actions") or [{}])[0]
    verb = _verb(action.get("action_id"))
    if verb is None:
        return None
    message = body.get("message") or {}
    container = body.get("container") or {}
    channel = str((body.get("channel") or {}).get("id") or container.get("channel_id", ""))
    posted = str(message.get("ts") or container.get("message_ts", ""))
    thread = str(message.get("thread_ts") or container.get("thread_ts") or posted)
    user, trigger = str((body.get("user") or {}).get("id", "")), str(body.get("trigger_id", ""))
    event = f"press:{user}:{trigger or action.get('action_ts', '')}"[:200]
    return Press(Place(PRODUCT, channel, thread), user, verb, str(action.get("value", "")), event, trigger, posted)


def _filled(body: Plain) -> Filled | None:
    view = body.get("view") or {}
    verb = _verb(view.get("callback_id"))
    if verb is None:
        return None
    try:
        subject, place = blocks.of_metadata(str(view.get("private_metadata", "")))
    except (ValueError, KeyError, TypeError):
        return None
    fields = {name: _value(item) for row in (view.get("state") or {}).get("values", {}).values() for name, item in row.items()}
    return Filled(place, str((body.get("user") or {}).get("id", "")), verb, subject, f"view:{view.get('id', '')}"[:200], fields)


def _value(item: Plain) -> str:
    return str((item.get("selected_option") or {}).get("value", "") if "selected_option" in item else item.get("value") or "")


def _verb(word: Any) -> Verb | None:
    return Verb(word) if word in set(Verb) else None
