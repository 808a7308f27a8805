"""Deciding on the console: bound to who is logged in, with a reason, by the service alone; severe ones ask again who it is."""

import html
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from core.domain.outcome import ActionState
from interfaces.web.callers import local_token
from tests.contracts.consoles import Browser, World

S = ActionState


@pytest.fixture
async def browser(tmp_path: Path) -> Browser:
    made = Browser(World(tmp_path))
    await made.log_in()
    return made


def later(browser: Browser, seconds: int) -> None:
    browser.world.ports.clock.advance(seconds)  # type: ignore[attr-defined]


async def test_an_approval_is_kept_with_who_and_why(browser: Browser) -> None:
    row = await browser.world.action()
    answer = await browser.send(f"/actions/{row.action_id}/approve", reason="looked at the graph")
    assert answer.status_code == 303
    (kept,) = browser.world.ports.ledger.approvals(row.action_id)
    assert (kept.decision, kept.reason, kept.by.partition(":")[0]) == ("approved", "looked at the graph", "local")
    assert "Approved" in (await browser.get(answer.headers["location"])).text


async def test_a_second_click_and_a_late_one_are_answered(browser: Browser) -> None:
    row = await browser.world.action()
    path = f"/actions/{row.action_id}/deny"
    assert (await browser.send(path, reason="no")).status_code == 303
    assert browser.world.ports.ledger.move(
        row.action_id, S.NEEDS_APPROVAL, S.DENIED, role="judge", at=browser.world.ports.clock.now(), event={}
    )
    late = await browser.send(path, reason="no")
    assert late.status_code == 409
    assert "is denied and waits for nobody" in html.unescape(late.text)
    assert len(browser.world.ports.ledger.approvals(row.action_id)) == 1


async def test_who_asked_cannot_approve_and_is_told(browser: Browser) -> None:
    from runtime.roles.identifying import account

    row = await browser.world.action(by=account())
    answer = await browser.send(f"/actions/{row.action_id}/approve", reason="mine")
    assert answer.status_code == 403
    assert "who asks cannot approve" in html.unescape(answer.text)
    assert browser.world.ports.ledger.approvals(row.action_id) == []


async def test_no_reason_no_decision(browser: Browser) -> None:
    row = await browser.world.action()
    assert (await browser.send(f"/actions/{row.action_id}/approve", reason="")).status_code == 400
    assert browser.world.ports.ledger.approvals(row.action_id) == []


async def test_what_cannot_be_undone_is_confirmed_by_name(browser: Browser) -> None:
    row = await browser.world.action(kind="delete_pod", name="web-1")
    assert 'name="confirm"' in (await browser.get(f"/actions/{row.action_id}")).text
    wrong = await browser.send(f"/actions/{row.action_id}/approve", reason="it hangs", confirm="web-2")
    assert wrong.status_code == 400
    assert (await browser.send(f"/actions/{row.action_id}/approve", reason="it hangs", confirm="web-1")).status_code == 303


async def test_a_severe_one_asks_who_it_is_after_five_minutes_and_nothing_is_lost(browser: Browser) -> None:
    row = await browser.world.action(kind="delete_pod", name="web-1")
    later(browser, 301)
    path, fields = f"/actions/{row.action_id}/approve", {"reason": 'it hangs & "waits"', "confirm": "web-1"}
    asked = await browser.send(path, **fields)
    assert asked.status_code == 401
    assert "Once more: who are you?" in asked.text
    assert browser.world.ports.ledger.approvals(row.action_id) == []
    back = html.unescape(asked.text.partition('name="next" value="')[2].partition('"')[0])
    wrong = await browser.send("/again", token="guess", next=back)
    assert wrong.status_code == 401
    assert back in html.unescape(wrong.text)
    before = browser.client.cookies.get("day2_session")
    again = await browser.send("/again", token=local_token(browser.world.settings), next=back)
    assert (again.status_code, browser.client.cookies.get("day2_session") != before) == (303, True)
    form = (await browser.get(again.headers["location"].partition("#")[0])).text
    assert 'value="it hangs &amp; &#34;waits&#34;"' in form
    assert 'value="web-1"' in form
    assert browser.world.ports.ledger.approvals(row.action_id) == []
    assert (await browser.send(path, **fields)).status_code == 303
    assert len(browser.world.ports.ledger.approvals(row.action_id)) == 1


async def test_what_can_be_undone_asks_nobody_again_and_denying_is_always_possible(browser: Browser) -> None:
    plain, severe = await browser.world.action(), await browser.world.action(kind="delete_pod", name="web-1")
    later(browser, 1800)
    assert (await browser.send(f"/actions/{plain.action_id}/approve", reason="seen")).status_code == 303
    assert (await browser.send(f"/actions/{severe.action_id}/deny", reason="no")).status_code == 303


async def test_a_wish_is_taken_back(browser: Browser) -> None:
    row = await browser.world.action()
    assert (await browser.send(f"/actions/{row.action_id}/cancel", reason="not now")).status_code == 303
    found = browser.world.ports.ledger.get(row.action_id)
    assert found is not None
    assert found.state is S.CANCELLED


async def test_a_stop_is_seen_on_every_page_until_it_is_lifted(browser: Browser) -> None:
    assert (await browser.send("/stop", scope="all", reason="a fire <b>", forward="1")).status_code == 303
    for path in ("/", "/approvals", "/evals"):
        page = (await browser.get(path)).text
        assert "All writes" in page
        assert "a fire &lt;b&gt;" in page
        assert "undo goes through" in page
    assert (await browser.send("/resume", scope="all", reason="it is out")).status_code == 303
    assert "All writes" not in (await browser.get("/")).text
    assert (await browser.send("/stop", scope="approver=ana", reason="x")).status_code == 400


async def test_one_stored_verdict_that_cannot_be_read_hides_no_other_card(browser: Browser) -> None:
    good, bad = await browser.world.action(), await browser.world.action(name="search")
    ledger = browser.world.ports.ledger
    ledger._actions[bad.action_id] = bad._replace(verdict='{"decision": "perhaps"}')  # type: ignore[attr-defined]  # the twin's table
    page = await browser.get("/approvals")
    assert page.status_code == 200
    assert good.action_id in page.text
    assert bad.action_id not in page.text


class Near:
    """A cluster that answers, as far as an edit asks it: what the change is shown against."""

    async def cluster_uid(self) -> str:
        return "c-1"

    async def get(self, _kind: Any, namespace: str, name: str) -> Any:
        return {"metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}"}, "spec": {"replicas": 4}}


@pytest.fixture
async def near(tmp_path: Path) -> Browser:
    made = Browser(World(tmp_path, reader=Near()))
    await made.log_in()
    return made


async def test_an_edit_is_another_action_that_goes_before_the_judge(near: Browser) -> None:
    row = await near.world.action()
    page = (await near.get(f"/actions/{row.action_id}")).text
    assert 'name="argument.to_replicas" maxlength="2000" autocomplete="off" spellcheck="false" value="2"' in page
    assert "argument.from_replicas" not in page, "what was seen is no wish"
    answer = await near.send(f"/actions/{row.action_id}/edit", **{"argument.to_replicas": "3"})
    assert answer.status_code == 303
    ledger = near.world.ports.ledger
    (new,) = [found for found in ledger.search() if found.action_id != row.action_id]
    assert answer.headers["location"].startswith(f"/actions/{new.action_id}?")
    old = ledger.get(row.action_id)
    assert old is not None
    assert (old.state, new.state) == (S.CANCELLED, S.SUBMITTED)
    assert json.loads(new.proposal)["action"]["to_replicas"] == 3
    assert new.submitted_by.startswith("local:"), "who edited asks for it, and may not approve it"


async def test_an_edit_that_changes_nothing_or_makes_no_sense_leaves_all_as_it_was(near: Browser) -> None:
    row = await near.world.action()
    for fields in ({}, {"argument.to_replicas": "2"}, {"argument.to_replicas": "many"}, {"argument.id": "act-other"}):
        assert (await near.send(f"/actions/{row.action_id}/edit", **fields)).status_code == 400
    assert [found.state for found in near.world.ports.ledger.search()] == [S.NEEDS_APPROVAL]


async def test_several_of_low_risk_are_approved_with_one_reason_and_a_record_each(browser: Browser) -> None:
    rows = [await browser.world.action(kind="cordon_node", name=f"node-{number}") for number in (1, 2, 3)]
    page = (await browser.get("/approvals")).text
    assert "3 of kind cordon node, of low risk" in page
    assert "checked" not in page, "nothing is ticked before somebody ticks it"
    ticks = {f"tick.{row.action_id}": "1" for row in rows[:2]}
    answer = await browser.send("/approvals/batch", reason="the rack is rewired", **ticks)
    assert answer.status_code == 303
    assert "2 approved." in (await browser.get(answer.headers["location"])).text
    kept = [browser.world.ports.ledger.approvals(row.action_id) for row in rows]
    assert [[item.reason for item in found] for found in kept] == [["the rack is rewired"], ["the rack is rewired"], []]


async def test_what_is_not_alike_is_not_approved_together(browser: Browser) -> None:
    low = await browser.world.action(kind="cordon_node", name="node-1")
    other = await browser.world.action(kind="cordon_node", name="node-2", policy="1" * 64)
    risky = await browser.world.action()
    for rows, said in (((low, risky), "is not of low risk"), ((low, other), "judged by different rules")):
        answer = await browser.send("/approvals/batch", reason="all fine", **{f"tick.{row.action_id}": "1" for row in rows})
        assert answer.status_code == 400
        assert said in html.unescape(answer.text)
    assert (await browser.send("/approvals/batch", reason="all fine")).status_code == 400
    assert [browser.world.ports.ledger.approvals(row.action_id) for row in (low, other, risky)] == [[], [], []]


async def test_who_asked_for_one_of_them_leaves_that_one(browser: Browser) -> None:
    from runtime.roles.identifying import account

    mine = await browser.world.action(kind="cordon_node", name="node-1", by=account())
    theirs = await browser.world.action(kind="cordon_node", name="node-2")
    ticks = {f"tick.{row.action_id}": "1" for row in (mine, theirs)}
    answer = await browser.send("/approvals/batch", reason="the rack is rewired", **ticks)
    page = html.unescape((await browser.get(answer.headers["location"])).text)
    assert f"1 approved. {mine.action_id} was left" in page
    assert "who asks cannot approve" in page
    assert browser.world.ports.ledger.approvals(mine.action_id) == []


async def test_what_a_repository_writes_is_changed_there(browser: Browser) -> None:
    row = await browser.world.action(owner="argocd/shop")
    page = html.unescape((await browser.get(f"/actions/{row.action_id}")).text)
    assert "argocd/shop writes this object" in page
    patch = await browser.get(f"/actions/{row.action_id}/patch")
    assert f'filename="{row.action_id}.yaml"' in patch.headers["content-disposition"]
    assert "kind: Deployment" in patch.text
    assert "replicas: 2" in patch.text
    plain = await browser.world.action(name="web")
    assert (await browser.get(f"/actions/{plain.action_id}/patch")).status_code == 400


async def test_asking_why_and_snoozing_go_through_the_conversation(browser: Browser) -> None:
    row = await browser.world.action()
    page = (await browser.get(f"/actions/{row.action_id}")).text
    assert page.count('action="/chat/presses"') == 2
    headers = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
    for verb in ("why", "snooze"):
        answer = await browser.client.post("/chat/presses", content=urlencode({"verb": verb, "subject": row.action_id}), headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, "/chat")
    said = html.unescape((await browser.get("/chat")).text)
    assert "autonomy is guarded here: a person decides" in said
    assert f"You are reminded of {row.action_id} at" in said
    assert browser.world.ports.ledger.approvals(row.action_id) == []
