"""Slack's Web API as a chat. A 429 is waited for as long as Slack says, a few times; then it is said that Slack does not answer."""

from collections.abc import Awaitable
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler, AsyncServerErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from core.domain.chats import Place
from core.domain.errors import InvalidInput, Unavailable
from interfaces.chat import parts
from interfaces.chat.slack import blocks
from interfaces.chat.values import Dialog, Picture, Said

PRODUCT = "slack"
QUIET: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False, "parse": "none", "link_names": False}
"""Nothing that a cluster says becomes a preview or a mention."""
RETRIES = 3


def client(token: str, base_url: str) -> AsyncWebClient:
    handlers = [AsyncRateLimitErrorRetryHandler(max_retry_count=RETRIES), AsyncServerErrorRetryHandler(max_retry_count=1)]
    return AsyncWebClient(token=token, base_url=base_url, timeout=10, retry_handlers=handlers)


class SlackChat:
    """Implements `interfaces.chat.ports.Chat`."""

    product = PRODUCT

    def __init__(self, web: AsyncWebClient) -> None:
        self._web = web

    async def send(self, place: Place, said: Said) -> str:
        answer = await _asked(self._web.chat_postMessage(channel=place.conversation, **_thread(place), **QUIET, **blocks.message(said)))
        return str(answer["ts"])

    async def update(self, place: Place, message: str, said: Said) -> None:
        await _asked(self._web.chat_update(channel=place.conversation, ts=message, parse="none", link_names=False, **blocks.message(said)))

    async def privately(self, place: Place, user: str, said: Said) -> None:
        more = _thread(place) | blocks.message(said) | {"parse": "none", "link_names": False}
        await _asked(self._web.chat_postEphemeral(channel=place.conversation, user=user, **more))

    async def directly(self, user: str, said: Said) -> None:
        await _asked(self._web.chat_postMessage(channel=user, **QUIET, **blocks.message(said)))

    async def ask(self, trigger: str, dialog: Dialog) -> None:
        await _asked(self._web.views_open(trigger_id=trigger, view=blocks.modal(dialog)))

    async def show(self, place: Place, picture: Picture) -> None:
        where = _thread(place) | {"channel": place.conversation, "alt_txt": picture.alt[:1000]}
        await _asked(self._web.files_upload_v2(content=picture.png, filename=picture.name, title=picture.name, **where))

    async def home(self, user: str, said: Said) -> None:
        """The home tab of this user."""
        await _asked(self._web.views_publish(user_id=user, view=blocks.home(parts.shape(said))))


def _thread(place: Place) -> dict[str, Any]:
    return {"thread_ts": place.thread} if place.thread else {}


async def _asked(call: Awaitable[Any]) -> Any:
    """Raises Unavailable; InvalidInput for what Slack does not take, such as a channel that it does not know."""
    try:
        return await call
    except SlackApiError as error:
        answer = error.response
        said = str(answer.get("error", "")) or f"status {answer.status_code}"
        if answer.status_code == 429 or said == "ratelimited":
            raise Unavailable(PRODUCT, float(answer.headers.get("Retry-After", 30)), reason="rate limit") from error
        if answer.status_code >= 500:
            raise Unavailable(PRODUCT, 5.0, reason=said) from error
        raise InvalidInput(f"slack refused: {said}", mend="look at docs/chat.md for scopes and channels") from error
    except (TimeoutError, SlackClientError, ClientError, OSError) as error:
        raise Unavailable(PRODUCT, 5.0, reason=type(error).__name__) from error
