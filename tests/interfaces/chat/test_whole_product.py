"""The product as it runs, with Slack's side of the wire: asked, looked into, carded, approved, carried out, verified, told."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.actions.catalogue import parse_action
from core.cluster.kinds import KINDS
from core.domain.action import Change
from core.domain.evidence import observe
from core.domain.proposal import Effect, Proposal
from gate.door import LedgerDoor
from runtime.roles import everything
from runtime.settings import Settings
from tests.contracts import experiments
from tests.interfaces.chat.slack_server import Slack, buttons, mention, press, pressed, signed, submitted, words
from tests.runtime.test_experiments import running

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
HOME, TEAM = "C0HOME", "C0TEAM"
PEOPLE = {"UANA": "oidc:ana", "UBO": "oidc:bo", "UDEE": "oidc:dee"}


def with_slack(settings: Settings, folder: Path, api_url: str) -> Settings:
    for name, text in (("token", "xoxb-test"), ("signing", SECRET)):
        (folder / name).write_text(text, encoding="ascii")
    declared = folder / "asked.yaml"
    declared.write_text(experiments.DECLARED.replace("guarded", "suggest"), encoding="utf-8")
    slack = {"token_file": folder / "token", "signing_secret_file": folder / "signing", "channel": HOME, "api_url": api_url}
    roles = {"viewer": ("oidc:dee",), "operator": ("oidc:bo",), "approver": ("oidc:ana",)}
    return settings.model_copy(
        update={
            "web": settings.web.model_copy(update={"listen": "127.0.0.1:0"}),
            "slack": settings.slack.model_copy(update=slack),
            "chat": settings.chat.model_copy(update={"people": tuple(f"slack:{user}={person}" for user, person in PEOPLE.items())}),
            "access": settings.access.model_copy(update=roles),
            "policy": settings.policy.model_copy(update={"objectives": declared}),
        }
    )


async def until(seen: Callable[[], Any], seconds: float = 60.0) -> Any:
    for _ in range(int(seconds / 0.1)):
        if found := seen():
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("it did not happen")


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_from_a_question_in_slack_to_a_verified_action(tmp_path: Path) -> None:
    with running(tmp_path) as (_, settings):
        asyncio.run(_story(settings, tmp_path))


async def _story(plain: Settings, folder: Path) -> None:
    slack = Slack()
    try:
        await _told(slack, with_slack(plain, folder, await slack.start()))
    finally:
        await slack.stop()
    assert slack.refused == []


async def _told(slack: Slack, settings: Settings) -> None:
    stop = asyncio.Event()
    async with everything.opened(settings, children=("judge", "executor", "console")) as product, aiohttp.ClientSession() as http:
        serving = asyncio.create_task(product.controller.serve(stop, 0.2))
        url = f"{product.children.named('console').ready['url']}/slack/events"

        async def deliver(body: str, **how: Any) -> int:
            async with http.post(url, data=body, headers=signed(SECRET, body, **how)) as answer:
                return answer.status

        assert await deliver(mention("scan shop", "UDEE", "1.1"), forged=True) == 401
        for _ in range(2):
            assert await deliver(mention("scan shop", "UDEE", "1.1")) == 200
        answered = await until(lambda: [row for row in slack.thread("1.1") if "answered" in words(row)])
        assert len(slack.thread("1.1")) == 1
        assert "checks run" in words(answered[0])

        view = await _proposed(product)
        ts, card = await until(lambda: next(((ts, row) for (channel, ts), row in slack.messages.items() if channel == HOME), None))
        assert view in words(card)
        assert "needs_approval" in words(card)
        assert await deliver(press(view, ts, "approve", "UDEE", "T1")) == 200
        await until(lambda: [row for row in slack.ephemeral if "may not call" in row["text"]])
        assert await deliver(pressed(card, ts, "approve", "UANA", "T2")) == 200
        modal = await until(lambda: slack.views[-1] if slack.views else None)
        assert await deliver(submitted(modal, "UANA", reason="checked")) == 200
        done = await until(lambda: slack.messages[HOME, ts] if "✓ verified" in words(slack.messages[HOME, ts]) else None, 120.0)
        assert buttons(done) == []
        assert "oidc:ana" in words(done)
        await until(
            lambda: [row for row in slack.thread(ts) if row["text"].partition(":")[0] == f"{view} is verified"]
        )  # just after the card
        assert await deliver(mention(f"who approved {view}", "UDEE", "3.3")) == 200
        who = await until(lambda: slack.thread("3.3"))
        assert "decided by oidc:ana" in who[0]["text"]
        stop.set()
        await serving


async def _proposed(product: Any) -> str:
    """An action of an operator that waits for a person; its id."""
    controller = product.controller
    live = await controller.reader.get(KINDS["Deployment"], "shop", "web")
    cluster = await controller.reader.cluster_uid()
    assert live is not None
    target = {"cluster": cluster, "group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web", "uid": live["metadata"]["uid"]}
    action = parse_action({"id": "act-slack1", "kind": "scale_workload", "target": target, "from_replicas": 3, "to_replicas": 4})
    now = controller.clock.now()
    made = Proposal(
        action=action,
        agent="reliability",
        run="run-slack1",
        why="one more for the sale",
        evidence=(observe("object", action.target, "spec.replicas", "3", now),),
        effect=Effect(summary="one pod more"),
        changes=(Change(path="spec.replicas", old=3, new=4),),
        expires_at=now + timedelta(hours=1),
    )
    await LedgerDoor(controller.ledger, controller.clock).submit(made, by="oidc:bo")
    return action.id
