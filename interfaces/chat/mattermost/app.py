"""What a Mattermost server calls: an outgoing webhook and a slash command with their token, buttons and dialogs with our seal."""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.domain.chats import Place
from core.domain.errors import Day2Error, InvalidInput, NotAuthenticated
from interfaces.chat.mattermost import attachments
from interfaces.chat.mattermost.port import PRODUCT, MattermostChat
from interfaces.chat.pressing import Presses
from interfaces.chat.talking import Talk
from interfaces.chat.values import Filled, Message, Press, Verb

log = logging.getLogger(__name__)
LARGEST = 256 * 1024
Plain = dict[str, Any]


class MattermostApp:
    """`token` is what webhook and slash command send; `secret` is that of our seals."""

    def __init__(self, chat: MattermostChat, token: str, secret: str, talk: Talk, presses: Presses) -> None:
        self.chat, self._token, self._secret, self._talk, self._presses = chat, token, secret, talk, presses
        self._working: set[asyncio.Task[None]] = set()

    async def hook(self, request: Request) -> Response:
        """POST /mattermost/hook: form or JSON. Kept, answered at once, and worked on then."""
        body = await _body(request)
        if not hmac.compare_digest(str(body.get("token", "")).encode(), self._token.encode()):
            raise NotAuthenticated(
                "this is not from the Mattermost that we know", mend="mattermost.webhook_token_file has the token of its webhook"
            )
        command = bool(body.get("command"))
        post = str(body.get("post_id") or body.get("trigger_id") or "")
        if not post or not body.get("channel_id"):
            raise InvalidInput("a message needs post_id and channel_id", mend="docs/chat.md")
        text = str(body.get("text", ""))
        word = str(body.get("trigger_word", ""))
        clean = text.removeprefix(word).strip() if word else text
        place = Place(PRODUCT, str(body["channel_id"]), "" if command else str(body.get("root_id") or post))
        message = Message(place, str(body.get("user_id", "")), clean or "help", f"post:{post}"[:200])
        if self._talk.accept(message):
            self._begin(self._talk.work(self.chat, message))
        return JSONResponse({"response_type": "ephemeral", "text": ""} if command else {})

    async def press(self, request: Request) -> Response:
        """POST /mattermost/presses."""
        body = await _body(request)
        context = body.get("context") or {}
        verb, subject = str(context.get("verb", "")), str(context.get("subject", ""))
        self._sealed(str(context.get("seal", "")), verb, subject)
        post, user, trigger = str(body.get("post_id", "")), str(body.get("user_id", "")), str(body.get("trigger_id", ""))
        place = self._place(str(body.get("channel_id", "")), post)
        self._begin(
            self._presses.pressed(self.chat, Press(place, user, Verb(verb), subject, f"press:{user}:{trigger}"[:200], trigger, post))
        )
        return JSONResponse({})

    async def dialog(self, request: Request) -> Response:
        """POST /mattermost/dialogs."""
        body = await _body(request)
        given, _, state = str(body.get("state", "")).partition("\n")
        self._sealed(given, "dialog", state)
        if body.get("cancelled"):
            return JSONResponse({})
        verb, subject, conversation, thread = state.split("\n")
        fields = {str(name): str(value or "") for name, value in (body.get("submission") or {}).items()}
        user = str(body.get("user_id", ""))
        event = f"dialog:{user}:{attachments.seal(self._secret, state, json.dumps(fields, sort_keys=True))}"[:200]
        self._begin(self._presses.filled(self.chat, Filled(Place(PRODUCT, conversation, thread), user, Verb(verb), subject, event, fields)))
        return JSONResponse({})

    async def idle(self) -> None:
        while self._working:
            await asyncio.gather(*self._working, return_exceptions=True)

    def _place(self, channel: str, post: str) -> Place:
        """The thread of a post that shows a record; a post that we do not know is its own."""
        shown = next((ref for ref in self._talk.chats.refs(product=PRODUCT, only_open=False) if ref.message == post), None)
        return Place(PRODUCT, channel, (shown.place.thread if shown else "") or post)

    def _sealed(self, given: str, *words: str) -> None:
        if not hmac.compare_digest(given.encode(), attachments.seal(self._secret, *words).encode()):
            raise NotAuthenticated("this button is not ours", mend="use the buttons of a card")

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(_logged(work))
        self._working.add(task)
        task.add_done_callback(self._working.discard)


async def _logged(work: Awaitable[None]) -> None:
    try:
        await work
    except Day2Error as error:
        log.warning("mattermost: %s", error)


async def _body(request: Request) -> Plain:
    """Raises InvalidInput."""
    if int(request.headers.get("content-length") or 0) > LARGEST:
        raise InvalidInput("too large", mend=f"at most {LARGEST} bytes")
    if "json" not in request.headers.get("content-type", ""):
        return dict(await request.form())
    try:
        found = json.loads(await request.body())
    except ValueError as error:
        raise InvalidInput("this is no JSON", mend="docs/chat.md") from error
    if not isinstance(found, dict):
        raise InvalidInput("a JSON object is needed", mend="docs/chat.md")
    return found
