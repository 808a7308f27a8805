"""The whole door to Slack, over HTTP and Socket Mode, against a workspace that refuses what Slack's documentation does not allow."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from core.domain.action import Change
from core.domain.outcome import ActionState
from interfaces.chat.slack.app import SlackApp
from interfaces.chat.slack.port import client
from interfaces.chat.values import Notice, Row
from tests.interfaces.chat import slack_server
from tests.interfaces.chat.slack_server import Slack, buttons, command, mention, press, pressed, signed, submitted, words
from tests.interfaces.chat.stage import HOSTILE, Stage
from tools.stores.front import opening
from tools.stores.front.chats import SqlChats

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
HOME = "C0HOME"


class Door:
    """A workspace, the app that serves it, and Slack's side of the wire."""

    def __init__(self, slack: Slack, stage: Stage, app: SlackApp, http: httpx.AsyncClient) -> None:
        self.slack, self.stage, self.app, self.http = slack, stage, app, http

    async def deliver(self, body: str, **how: Any) -> int:
        answer = await self.http.post("/slack/events", content=body, headers=signed(SECRET, body, **how))
        return answer.status_code

    async def settled(self, body: str, **how: Any) -> int:
        """Delivered, and worked to its end."""
        status = await self.deliver(body, **how)
        await self.app.idle()
        await self.stage.follower.look()
        return status

    def card(self) -> tuple[str, dict[str, Any]]:
        return next((ts, row) for (channel, ts), row in self.slack.messages.items() if channel == HOME and "thread_ts" not in row)


@asynccontextmanager
async def opened(folder: Path, signing: str = SECRET) -> AsyncIterator[Door]:
    slack = Slack()
    url = await slack.start()
    database = opening.opened(f"sqlite:///{folder / 'front.db'}")
    web = client("xoxb-test", url)
    stage = Stage(folder, product="slack", chats=SqlChats(database))
    app = SlackApp(web, signing, stage.talk, stage.presses)
    stage.attach(app.chat)
    app._presses = stage.presses
    api = FastAPI()
    api.add_api_route("/slack/events", app.receive, methods=["POST"], response_model=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://day2") as http:
        yield Door(slack, stage, app, http)
    await app.idle()
    database.close()
    await slack.stop()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with opened(tmp_path) as found:
        yield found
        assert found.slack.refused == [], "every call fits Slack's limits"


async def test_asked_carded_approved_followed_live_and_verified(door: Door) -> None:
    assert await door.settled(mention("why does cart restart in shop?", "UDEE", "1.1")) == 200
    (answer,) = door.slack.thread("1.1")
    assert "waiting" in words(answer)
    (asked,) = door.stage.ports.intake.open()
    door.stage.answered(asked.request.id)
    await door.stage.follower.look()
    (answer,) = door.slack.thread("1.1")
    assert "people see errors" in words(answer)

    await door.stage.asked("act-0001")
    await door.stage.follower.look()
    ts, card = door.card()
    assert card["text"].startswith("[prod-eu] ? pending: Scale")
    assert {item["action_id"] for item in buttons(card)} == {"approve", "deny", "why", "edit", "snooze", "open"}
    assert {item["value"] for item in buttons(card) if "value" in item} == {"act-0001"}, "buttons carry the id and nothing else"
    assert await door.settled(pressed(card, ts, "approve", "UANA", "T1")) == 200
    (modal,) = door.slack.views
    assert await door.settled(submitted(modal, "UANA", reason="checked with the team")) == 200
    (approval,) = door.stage.ledger.approvals("act-0001")
    assert (approval.by, approval.reason) == ("oidc:ana", "checked with the team")
    assert "You approved act-0001" in words(door.slack.ephemeral[-1])
    assert "approve" not in {item["action_id"] for item in buttons(door.card()[1])}
    door.stage.judged_again("act-0001")
    await door.stage.follower.look()
    door.stage.carried("act-0001")
    await door.stage.follower.look()
    _, card = door.card()
    assert "✓ verified" in words(card)
    assert buttons(card) == []
    told = [row["text"].partition(":")[0] for row in door.slack.thread(ts) if "blocks" in row]
    assert told == ["act-0001 is approved", "act-0001 is verified"]
    assert [row["alt"] for row in door.slack.files] == [
        "CPU request of shop/cart from 2000m to 650m; 95 % of the time it uses at most 412m."
    ]
    direct = [row for (channel, _), row in door.slack.messages.items() if channel == "UBO"]
    assert len(direct) == 2, "who asked hears of the decision and of the outcome"


async def test_denied_with_a_preset_and_words(door: Door) -> None:
    await door.stage.asked("act-0001")
    await door.stage.follower.look()
    ts, card = door.card()
    await door.settled(pressed(card, ts, "deny", "UANA", "T1"))
    await door.settled(submitted(door.slack.views[-1], "UANA", preset="by hand instead", reason="on Monday"))
    (denial,) = door.stage.ledger.approvals("act-0001")
    assert (denial.decision, denial.reason) == ("denied", "by hand instead: on Monday")


async def test_two_people_and_a_press_after_expiry(door: Door) -> None:
    door.stage.ports.__dict__["people_needed"] = lambda _risk: 2
    await door.stage.asked("act-0001", hours=1)
    await door.stage.follower.look()
    ts, card = door.card()
    await door.settled(pressed(card, ts, "approve", "UANA", "T1"))
    await door.settled(submitted(door.slack.views[-1], "UANA", reason="one"))
    assert "1/2 approved" in words(door.card()[1])
    await door.settled(pressed(card, ts, "approve", "UANA", "T2"))
    assert "you have decided on act-0001 already" in words(door.slack.ephemeral[-1])
    door.stage.clock.advance(2 * 3600.0)
    door.stage.move("act-0001", ActionState.EXPIRED, note="nobody else decided")
    await door.settled(press("act-0001", ts, "approve", "UEVE", "T3"))
    assert "act-0001 is expired: there is nothing to decide" in words(door.slack.ephemeral[-1])
    assert buttons(door.card()[1]) == []
    assert len(door.stage.ledger.approvals("act-0001")) == 1


async def test_high_risk_has_no_deciding_button_and_a_forged_press_is_refused(door: Door) -> None:
    await door.stage.asked("act-0001", risky=True)
    await door.stage.follower.look()
    ts, card = door.card()
    assert {item["text"]["text"] for item in buttons(card)} >= {"Review in console"}
    assert not {"approve", "deny"} & {item["action_id"] for item in buttons(card)}
    await door.settled(press("act-0001", ts, "approve", "UANA", "T1"))
    assert "decided in the console alone" in words(door.slack.ephemeral[-1])
    assert door.slack.views == []


@pytest.mark.parametrize(
    ("how", "status"),
    [({}, 200), ({"forged": True}, 401), ({"at": 1_500_000_000}, 401), ({"at": "in an hour"}, 401)],
    ids=["right", "forged", "old", "early"],
)
async def test_only_what_slack_signed_within_five_minutes_is_heard(door: Door, how: dict[str, Any], status: int) -> None:
    if how.get("at") == "in an hour":
        how = {"at": time.time() + 3600}
    assert await door.settled(mention("scan payments", "UDEE", "1.1"), **how) == status
    assert len(door.stage.ports.intake.open()) == (status == 200)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-slack-request-timestamp": "soon"},
        {"x-slack-request-timestamp": "9" * 40, "x-slack-signature": "v0=x"},
        {"x-slack-request-timestamp": "²"},
    ],
)
async def test_what_is_not_signed_at_all_is_refused_and_never_an_error_of_ours(door: Door, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode("utf-8")) for name, value in headers.items()]
    for body in (b"{}", b"\xff\xfe", b"payload=%7B", b""):
        answer = await door.http.post("/slack/events", content=body, headers=raw)
        assert answer.status_code == 401


async def test_a_url_is_verified_and_what_nobody_knows_does_nothing(door: Door) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"})
    answer = await door.http.post("/slack/events", content=body, headers=signed(SECRET, body))
    assert (answer.status_code, "abc" in answer.text) == (200, True)
    for event in (
        {"type": "message", "channel": "C0TEAM", "user": "UDEE", "text": "hello", "ts": "5.5"},
        {"type": "message", "subtype": "bot_message"},
    ):
        await door.settled(json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "Ev9", "event": event}))
    assert door.slack.messages == {}
    assert door.stage.ports.intake.open() == []


async def test_a_thread_goes_on_without_a_mention_and_a_mention_is_not_heard_twice(door: Door) -> None:
    await door.settled(mention("why does cart restart", "UDEE", "1.1"))
    follow = {
        "type": "message",
        "channel": "C0TEAM",
        "channel_type": "channel",
        "user": "UDEE",
        "text": "and in payments?",
        "ts": "1.2",
        "thread_ts": "1.1",
    }
    for _ in range(2):
        await door.settled(json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "Ev2", "event": follow}))
    await door.settled(mention("and in payments?", "UDEE", "1.2", thread="1.1"))
    assert sorted(item.request.namespaces for item in door.stage.ports.intake.open()) == [(), ("payments",)]
    assert len(door.slack.thread("1.1")) == 2


async def test_the_slash_command_the_home_tab_and_private_refusals(door: Door) -> None:
    await door.stage.asked("act-0001")
    await door.settled(command("approvals", "UDEE", "T7"))
    assert "act-0001" in words(door.slack.last())
    opened_home = {"type": "app_home_opened", "user": "UANA", "tab": "home", "channel": "D0ANA", "event_ts": "9.9"}
    await door.settled(json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "Ev3", "event": opened_home}))
    await asyncio.sleep(0.05)
    assert "act-0001" in words(door.slack.homes["UANA"])
    before = len(door.slack.messages)
    await door.settled(command("approvals", "UNO", "T8"))
    assert len(door.slack.messages) == before
    assert "slack:UNO=PERSON" in words(door.slack.ephemeral[-1])


async def test_a_rate_limit_is_waited_for_and_one_that_does_not_end_is_told_later(door: Door) -> None:
    door.slack.limited["chat.postMessage"] = 2
    await door.settled(mention("status", "UDEE", "1.1"))
    assert len(door.slack.thread("1.1")) == 1
    door.slack.limited["chat.postMessage"] = 10
    await door.deliver(mention("status", "UDEE", "2.2"))
    await door.app.idle()
    assert door.slack.thread("2.2") == []
    door.slack.limited["chat.postMessage"] = 0
    await door.stage.follower.look()
    await door.stage.follower.look()
    assert len(door.slack.thread("2.2")) == 1


async def test_a_thousand_deliveries_with_duplicates_retries_forgeries_and_old_ones_have_one_effect_each(door: Door) -> None:
    """250 messages by who may, each delivered at least once right, shuffled among forged, old and doubled ones; and 10 approvals."""
    dice = random.Random(7)
    for number in range(10):
        await door.stage.asked(f"act-00{number:02}", name=f"cart-{number}")
    plan: list[tuple[str, dict[str, Any], int]] = []
    for number in range(250):
        body = mention(f"scan ns-{number}", "UDEE", f"{1000 + number}.5")
        plan += [(body, {}, 200)] * dice.choice((1, 2, 2, 3))
        if number < 100:
            plan.append((mention(f"scan bad-{number}", "UDEE", f"{5000 + number}.5"), {"forged": True}, 401))
        if number < 100:
            plan.append((mention(f"scan old-{number}", "UDEE", f"{7000 + number}.5"), {"at": time.time() - 301 - number}, 401))
    for number in range(10):
        view: dict[str, Any] = {"type": "modal", "callback_id": "approve", "id": f"V{number}", "blocks": []}
        view["private_metadata"] = json.dumps({"subject": f"act-00{number:02}", "place": [HOME, "1.1"]})
        state = {"reason": {"reason": {"type": "plain_text_input", "value": "fine"}}}
        payload = {"type": "view_submission", "user": {"id": "UANA"}, "team": {"id": "T1"}, "view": view | {"state": {"values": state}}}
        plan += [("payload=" + httpx.QueryParams({"p": json.dumps(payload)}).__str__().removeprefix("p="), {}, 200)] * 5
    plan += [(mention("scan again", "UDEE", "1000.5"), {}, 200)] * max(0, 1000 - len(plan))
    assert len(plan) >= 1000
    dice.shuffle(plan)
    right = {}
    for start in range(0, len(plan), 50):
        batch = plan[start : start + 50]
        answers = await asyncio.gather(*(door.deliver(body, **how) for body, how, _ in batch))
        assert answers == [status for _, _, status in batch]
    await door.app.idle()
    open_runs = door.stage.ports.intake.open()
    for item in open_runs:
        right[item.request.text] = right.get(item.request.text, 0) + 1
    assert len(open_runs) == 250
    assert not [text for text in right if "bad-" in text or "old-" in text]
    assert {len(door.stage.ledger.approvals(f"act-00{number:02}")) for number in range(10)} == {1}
    assert len([row for row in door.slack.messages.values() if row["channel"] == "C0TEAM"]) == 250
    assert sum("You approved" in row["text"] for row in door.slack.ephemeral) == 10


@pytest.mark.parametrize(
    "text", [HOSTILE, "x" * 5_000, "", "\u202egnp", "`" * 500, "<@U1> <#C1> <!subteam^S1>", "a\nb\nc" * 900, "&amp;&lt;"]
)
async def test_hostile_and_huge_text_stays_text_and_within_the_limits(door: Door, text: str) -> None:
    changes = tuple(Change(path=f"spec.{text[:200]}.{number}", old=text, new=text) for number in range(40))
    await door.stage.asked("act-0001", why=text[:400], changes=changes)
    await door.stage.follower.look()
    _, card = door.card()
    assert "+ 28 more in the console" in words(card)
    mrkdwn = [
        item
        for block in card["blocks"]
        for item in ([block.get("text")] if block["type"] == "section" else [])
        if item and item["type"] == "mrkdwn"
    ]
    assert mrkdwn == [], "nothing of it is parsed"
    rows = tuple(Row(text[:100] or "row", text) for _ in range(120))
    await door.app.chat.send(door.stage.follower._homes[0].place, Notice(text or "empty", (text,) * 3, rows))


async def test_socket_mode_is_acknowledged_and_means_the_same(tmp_path: Path) -> None:
    async with opened(tmp_path, signing="") as door:
        held = door.app.socket("xapp-test")
        await held.connect_async()  # type: ignore[no-untyped-call]
        for number in range(2):
            body = json.loads(mention("scan payments", "UDEE", "1.1"))
            await door.slack.sockets[-1].send_json(
                {"type": "events_api", "envelope_id": f"e{number}", "payload": body, "accepts_response_payload": False}
            )
        for _ in range(200):
            if len(door.slack.acknowledged) >= 2 and door.slack.thread("1.1"):
                break
            await asyncio.sleep(0.02)
        await door.app.idle()
        assert {row["envelope_id"] for row in door.slack.acknowledged} == {"e0", "e1"}
        assert len(door.stage.ports.intake.open()) == 1
        assert len(door.slack.thread("1.1")) == 1
        await held.close_async()  # type: ignore[no-untyped-call]


def button(**over: str) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": over.pop("text", "b")}} | over


@pytest.mark.parametrize(
    "block",
    [
        {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}},
        {"type": "actions", "elements": [button(action_id=str(number)) for number in range(26)]},
        {"type": "actions", "elements": [button(text="b" * 76)]},
        {"type": "actions", "elements": [button(value="v" * 2001)]},
        {"type": "actions", "elements": [button(), button()]},
        {"type": "context", "elements": []},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": ""}]}]},
        {"type": "marquee"},
    ],
)
def test_the_workspace_of_these_tests_refuses_what_slack_would(block: dict[str, Any]) -> None:
    with pytest.raises(slack_server.Bad):
        slack_server.blocks([block], 50)
    with pytest.raises(slack_server.Bad):
        slack_server.blocks([{"type": "divider"}] * 51, 50)
