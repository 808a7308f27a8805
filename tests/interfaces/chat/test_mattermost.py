"""The same story in a second chat: the core is no Slack."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from core.domain.chats import Place
from core.domain.errors import Day2Error, InvalidInput, NotAuthenticated, Unavailable
from core.domain.outcome import ActionState
from interfaces.chat.mattermost.app import MattermostApp
from interfaces.chat.mattermost.port import MattermostChat
from interfaces.chat.values import Notice
from interfaces.web import problems
from tests.interfaces.chat.mattermost_server import TOKEN, Mattermost, pressed, submitted
from tests.interfaces.chat.stage import HOME, HOSTILE, Stage

HOOK = "token-of-the-webhook"
SECRET = "seal"


class Door:
    def __init__(self, server: Mattermost, stage: Stage, app: MattermostApp, http: httpx.AsyncClient) -> None:
        self.server, self.stage, self.app, self.http = server, stage, app, http

    async def hears(self, text: str, user: str, post: str, **over: Any) -> int:
        body = {"token": HOOK, "user_id": user, "channel_id": "team", "post_id": post, "text": f"day2 {text}", "trigger_word": "day2"}
        return await self._settled("hook", data=body | over)

    async def press(self, body: dict[str, Any]) -> int:
        return await self._settled("presses", json=body)

    async def fill(self, body: dict[str, Any]) -> int:
        return await self._settled("dialogs", json=body)

    async def _settled(self, path: str, **body: Any) -> int:
        answer = await self.http.post(f"/mattermost/{path}", **body)
        await self.app.idle()
        await self.stage.follower.look()
        return answer.status_code

    def card(self) -> tuple[str, dict[str, Any]]:
        return next((name, row) for name, row in self.server.posts.items() if row["channel_id"] == HOME and not row.get("root_id"))


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    server = Mattermost()
    chat = MattermostChat(await server.start(), TOKEN, "http://day2", SECRET)
    stage = Stage(tmp_path, product="mattermost", chat=chat)
    app = MattermostApp(chat, HOOK, SECRET, stage.talk, stage.presses)
    api = FastAPI()
    api.add_exception_handler(Day2Error, problems.answer)
    for path, route in (("hook", app.hook), ("presses", app.press), ("dialogs", app.dialog)):
        api.add_api_route(f"/mattermost/{path}", route, methods=["POST"], response_model=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://day2") as http:
        yield Door(server, stage, app, http)
    await app.idle()
    await chat.close()
    await server.stop()
    assert server.refused == []


async def test_asked_carded_approved_and_verified(door: Door) -> None:
    assert await door.hears("why does cart restart in shop?", "UDEE", "p1") == 200
    assert await door.hears("why does cart restart in shop?", "UDEE", "p1") == 200
    (asked,) = door.stage.ports.intake.open()
    door.stage.answered(asked.request.id)
    await door.stage.follower.look()
    (answer,) = [row for row in door.server.posts.values() if row.get("root_id") == "p1"]
    assert "people see errors" in repr(answer)
    await door.stage.asked("act-0001")
    await door.stage.follower.look()
    name, card = door.card()
    await door.press(pressed(name, card, "approve", "UANA", "T1"))
    assert await door.fill(submitted(door.server.dialogs[-1], "UANA", reason="checked")) == 200
    (approval,) = door.stage.ledger.approvals("act-0001")
    assert (approval.by, approval.reason) == ("oidc:ana", "checked")
    assert "You approved act\\-0001" in door.server.ephemeral[-1]["post"]["message"]
    door.stage.judged_again("act-0001")
    door.stage.carried("act-0001")
    await door.stage.follower.look()
    _, card = door.card()
    (attachment,) = card["props"]["attachments"]
    assert "verified" in attachment["fields"][0]["value"]
    assert "actions" not in attachment
    assert door.server.files, "and the plot beside it"


async def test_a_press_by_who_may_not_a_second_and_a_forged_one(door: Door) -> None:
    await door.stage.asked("act-0001")
    await door.stage.follower.look()
    name, card = door.card()
    await door.press(pressed(name, card, "approve", "UDEE", "T1"))
    assert "may not call" in door.server.ephemeral[-1]["post"]["message"]
    forged = pressed(name, card, "approve", "UANA", "T2")
    forged["context"]["subject"] = "act-0002"
    assert await door.press(forged) == 401
    as_deny = pressed(name, card, "approve", "UANA", "T3")
    as_deny["context"]["verb"] = "deny"
    assert await door.press(as_deny) == 401
    await door.press(pressed(name, card, "deny", "UANA", "T4"))
    sent = submitted(door.server.dialogs[-1], "UANA", preset="not now", reason="")
    assert await door.fill(sent | {"state": sent["state"].replace("deny", "approve")}) == 401
    for _ in range(3):
        await door.fill(sent)
    assert [item.decision for item in door.stage.ledger.approvals("act-0001")] == ["denied"]
    door.stage.move("act-0001", ActionState.DENIED)
    await door.press(pressed(name, card, "approve", "UEVE", "T5"))
    assert "there is nothing to decide" in door.server.ephemeral[-1]["post"]["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"token": "another"}, 401),
        ({"token": ""}, 401),
        ({"token": HOOK, "text": "scan"}, 400),
        ({"token": HOOK, "post_id": "p1", "channel_id": "team", "user_id": "UNO", "text": "scan"}, 200),
    ],
)
async def test_only_the_server_that_we_know_is_heard(door: Door, body: dict[str, str], status: int) -> None:
    answer = await door.http.post("/mattermost/hook", data=body)
    await door.app.idle()
    assert answer.status_code == status
    assert door.stage.ports.intake.open() == []


async def test_what_is_no_json_is_refused(door: Door) -> None:
    for path in ("hook", "presses", "dialogs"):
        answer = await door.http.post(f"/mattermost/{path}", content=b"{", headers={"content-type": "application/json"})
        assert answer.status_code == 400
        answer = await door.http.post(f"/mattermost/{path}", content=b"[1]", headers={"content-type": "application/json"})
        assert answer.status_code == 400


async def test_a_rate_limit_is_waited_for_and_errors_say_what_to_do(door: Door) -> None:
    door.server.limited = 2
    await door.app.chat.send(Place("mattermost", HOME), Notice("hello"))
    door.server.limited = 9
    with pytest.raises(Unavailable):
        await door.app.chat.send(Place("mattermost", HOME), Notice("hello"))
    door.server.limited = 0
    assert door.server.server is not None
    stranger = MattermostChat(str(door.server.server.make_url("")), "wrong", "http://day2", SECRET)
    with pytest.raises(NotAuthenticated, match="does not take our token"):
        await stranger.send(Place("mattermost", HOME), Notice("hello"))
    await stranger.close()
    first = await door.app.chat.send(Place("mattermost", HOME), Notice("a root"))
    second = await door.app.chat.send(Place("mattermost", HOME, first), Notice("a reply"))
    with pytest.raises(InvalidInput, match="status 400"):
        await door.app.chat.send(Place("mattermost", HOME, second), Notice("a reply to a reply"))
    door.server.refused.clear()


async def test_hostile_text_is_letters(door: Door) -> None:
    await door.stage.asked("act-0001", why=HOSTILE)
    await door.stage.follower.look()
    _, card = door.card()
    text = "".join(field["value"] for field in card["props"]["attachments"][0]["fields"])
    assert "@channel" not in text
    assert "](http" not in text
    assert "evil" in text
