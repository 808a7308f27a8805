"""Mattermost's REST API as a chat. A 429 is waited for as long as the server says, a few times."""

import asyncio
import json
from typing import Any

import aiohttp

from core.domain.chats import Place
from core.domain.errors import InvalidInput, NotAuthenticated, Unavailable
from interfaces.chat.mattermost import attachments
from interfaces.chat.values import Dialog, Picture, Said

PRODUCT = "mattermost"
RETRIES, LONGEST_WAIT = 3, 30.0
Plain = dict[str, Any]


class MattermostChat:
    """Implements `interfaces.chat.ports.Chat`. `here` is our own address, `secret` seals buttons."""

    product = PRODUCT

    def __init__(self, url: str, token: str, here: str, secret: str) -> None:
        self._url, self._here, self._secret = url.rstrip("/"), here.rstrip("/"), secret
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session: aiohttp.ClientSession | None = None
        self._me = ""

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, place: Place, said: Said) -> str:
        answer = await self._call("POST", "/posts", self._post(place, said))
        return str(answer["id"])

    async def update(self, place: Place, message: str, said: Said) -> None:  # noqa: ARG002  a post's id is enough
        drawn = self._drawn(said)
        await self._call("PUT", f"/posts/{message}/patch", drawn)

    async def privately(self, place: Place, user: str, said: Said) -> None:
        await self._call("POST", "/posts/ephemeral", {"user_id": user, "post": self._post(place, said)})

    async def directly(self, user: str, said: Said) -> None:
        self._me = self._me or str((await self._call("GET", "/users/me"))["id"])
        channel = await self._call("POST", "/channels/direct", [self._me, user])
        await self._call("POST", "/posts", self._post(Place(PRODUCT, str(channel["id"])), said))

    async def ask(self, trigger: str, dialog: Dialog) -> None:
        await self._call(
            "POST", "/actions/dialogs/open", attachments.dialog(dialog, trigger, f"{self._here}/mattermost/dialogs", self._secret)
        )

    async def show(self, place: Place, picture: Picture) -> None:
        form = aiohttp.FormData()
        form.add_field("channel_id", place.conversation)
        form.add_field("files", picture.png, filename=picture.name, content_type="image/png")
        found = await self._call("POST", "/files", form)
        names = [str(item["id"]) for item in found["file_infos"]]
        said = {"channel_id": place.conversation, "message": attachments.escaped(picture.alt), "file_ids": names}
        await self._call("POST", "/posts", said | ({"root_id": place.thread} if place.thread else {}))

    def _drawn(self, said: Said) -> Plain:
        return attachments.post(said, callback=f"{self._here}/mattermost/presses", secret=self._secret)

    def _post(self, place: Place, said: Said) -> Plain:
        return {"channel_id": place.conversation, **({"root_id": place.thread} if place.thread else {}), **self._drawn(said)}

    async def _call(self, method: str, path: str, body: Any = None) -> Any:
        """Raises Unavailable, NotAuthenticated, InvalidInput."""
        session = self._session = self._session or aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        wait: float | None = None
        for _ in range(RETRIES):
            given = {"data": body} if isinstance(body, aiohttp.FormData) else {"json": body} if body is not None else {}
            try:
                async with session.request(
                    method, f"{self._url}/api/v4{path}", headers=self._headers, allow_redirects=False, **given
                ) as answer:
                    wait = _wait(answer) if answer.status == 429 else None
                    if wait is None:
                        return await _read(answer)
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                raise Unavailable(PRODUCT, 5.0, reason=type(error).__name__) from error
            if wait > LONGEST_WAIT:
                break
            await asyncio.sleep(wait)
        raise Unavailable(PRODUCT, wait or 1.0, reason="rate limit")


def _wait(answer: aiohttp.ClientResponse) -> float:
    """Mattermost says in how many seconds its counter begins anew."""
    said = answer.headers.get("X-Ratelimit-Reset") or answer.headers.get("Retry-After") or "1"
    return float(said) if said.isdigit() else 1.0


async def _read(answer: aiohttp.ClientResponse) -> Any:
    text = await answer.text()
    if answer.status in (401, 403):
        raise NotAuthenticated("mattermost does not take our token", mend="renew it: mattermost.token_file")
    if answer.status >= 500:
        raise Unavailable(PRODUCT, 5.0, reason=f"status {answer.status}")
    if answer.status >= 300:
        raise InvalidInput(f"mattermost refused: status {answer.status}", mend="look at docs/chat.md for channels and rights")
    return json.loads(text) if text else {}
