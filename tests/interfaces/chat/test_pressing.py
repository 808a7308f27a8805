"""Presses and dialogs, on a chat that is no product's: one effect each, a clear private answer always, and the ledger decides.

The six bugs that recur in chat approvals are replayed here by name; `test_slack.py` replays those again that are Slack's own.
"""

import asyncio
from datetime import timedelta

import pytest

from core.domain.chats import Place
from core.domain.outcome import ActionState
from interfaces.chat.values import Card, Filled, Message, Notice, Phase, Press, Verb
from tests.interfaces.chat.stage import HOME, Stage

EVENTS = iter(range(10**6))


async def press(stage: Stage, verb: Verb, subject: str = "act-0001", user: str = "UANA", event: str = "") -> Notice | None:
    """The private answer, None where a dialog was opened or nothing was said."""
    before = len(stage.chat.private)
    found = Press(Place(stage.product, HOME, "m1"), user, verb, subject, event or f"p{next(EVENTS)}", trigger="T1", message="m1")
    await stage.presses.pressed(stage.chat, found)
    told = stage.chat.private[before:]
    assert all(row[1] == user for row in told), "nobody else is told"
    return told[-1][2] if told else None


async def fill(stage: Stage, verb: Verb, subject: str = "act-0001", user: str = "UANA", event: str = "", **fields: str) -> Notice:
    before = len(stage.chat.private)
    found = Filled(Place(stage.product, HOME, "m1"), user, verb, subject, event or f"f{next(EVENTS)}", fields)
    await stage.presses.filled(stage.chat, found)
    return stage.chat.private[before:][-1][2]  # type: ignore[no-any-return]


async def posted(stage: Stage, action: str = "act-0001", **over: object) -> None:
    await stage.asked(action, **over)  # type: ignore[arg-type]
    await stage.follower.look()


def shown(stage: Stage) -> Card:
    return stage.cards()[-1]


async def test_approving_asks_first_by_object_and_cluster_and_then_counts_once(stage: Stage) -> None:
    await posted(stage)
    assert await press(stage, Verb.APPROVE) is None
    ((trigger, dialog),) = stage.chat.dialogs
    assert trigger == "T1"
    assert "shop/" in dialog.text
    assert "prod-eu" in dialog.text
    assert stage.ledger.approvals("act-0001") == [], "opening a dialog decides nothing"
    told = await fill(stage, Verb.APPROVE, reason="checked with the team")
    assert told.title == "You approved act-0001."
    (approval,) = stage.ledger.approvals("act-0001")
    assert (approval.by, approval.decision, approval.reason, approval.door) == ("oidc:ana", "approved", "checked with the team", "console")
    assert shown(stage).phase is Phase.APPROVED
    assert Verb.APPROVE not in shown(stage).buttons


async def test_denying_needs_a_reason_and_is_the_end(stage: Stage) -> None:
    await posted(stage)
    await press(stage, Verb.DENY)
    told = await fill(stage, Verb.DENY, preset="other: see below", reason="  ")
    assert "no reason" in told.title
    assert stage.ledger.approvals("act-0001") == []
    await fill(stage, Verb.DENY, preset="not now", reason="the sale is on")
    (denial,) = stage.ledger.approvals("act-0001")
    assert (denial.decision, denial.reason) == ("denied", "not now: the sale is on")
    stage.move("act-0001", ActionState.DENIED, note="denied by oidc:ana: not now: the sale is on")
    await stage.follower.look()
    assert (shown(stage).phase, shown(stage).buttons) == (Phase.DENIED, ())
    assert "not now: the sale is on" in shown(stage).outcome


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.DENY])
@pytest.mark.parametrize(("user", "said"), [("UDEE", "may not call"), ("UNO", "I do not know who"), ("UBO", "may not call")])
async def test_who_may_not_is_told_privately_and_nothing_is_decided(stage: Stage, verb: Verb, user: str, said: str) -> None:
    await posted(stage)
    told = await press(stage, verb, user=user)
    assert told is not None
    assert said in told.title
    assert told.lines, "and how it is mended"
    assert stage.chat.dialogs == []
    told = await fill(stage, verb, user=user, reason="I say so", preset="not now")
    assert said in told.title, "a dialog that was forged is checked as well"
    assert stage.ledger.approvals("act-0001") == []


async def test_who_asked_cannot_approve_and_may_deny(stage: Stage) -> None:
    await posted(stage, by="oidc:ana")
    told = await press(stage, Verb.APPROVE)
    assert told is not None
    assert "who asks cannot approve" in told.title
    told = await fill(stage, Verb.APPROVE, reason="mine")
    assert "who asks cannot approve" in told.title
    assert stage.ledger.approvals("act-0001") == []
    assert await press(stage, Verb.DENY) is None


async def test_two_people_are_two_people_and_one_person_twice_is_one(stage: Stage) -> None:
    await posted(stage)
    stage.presses._talk.offers.ports.__dict__["people_needed"] = lambda _risk: 2
    await fill(stage, Verb.APPROVE, reason="one")
    assert shown(stage).phase is Phase.PARTLY
    assert "1/2 approved" in shown(stage).approval
    again = await press(stage, Verb.APPROVE)
    assert again is not None
    assert "you have decided" in again.title
    told = await fill(stage, Verb.APPROVE, reason="and again")
    assert "has decided on act-0001 already" in told.title
    await fill(stage, Verb.APPROVE, user="UEVE", reason="two")
    assert shown(stage).phase is Phase.APPROVED
    assert [item.by for item in stage.ledger.approvals("act-0001")] == ["oidc:ana", "oidc:eve"]


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.DENY])
async def test_high_risk_and_what_cannot_be_undone_is_never_decided_in_a_chat(stage: Stage, verb: Verb) -> None:
    await posted(stage, risky=True)
    card = shown(stage)
    assert card.review_only
    assert not {Verb.APPROVE, Verb.DENY} & set(card.buttons)
    told = await press(stage, verb)
    assert told is not None
    assert "decided in the console alone" in told.title
    assert told.url == "https://day2.example/actions/act-0001"
    assert stage.chat.dialogs == []


async def test_an_approval_that_nobody_gives_expires_and_is_never_waived(stage: Stage) -> None:
    await posted(stage, hours=1)
    stage.clock.advance(2 * 3600.0)
    stage.move("act-0001", ActionState.EXPIRED, note="nobody decided")
    told = await press(stage, Verb.APPROVE)
    assert told is not None
    assert "act-0001 is expired: there is nothing to decide. Nothing was done." in told.title
    assert (shown(stage).phase, shown(stage).buttons) == (Phase.EXPIRED, ())
    told = await fill(stage, Verb.APPROVE, reason="too late")
    assert "waits for nobody" in told.title
    assert stage.ledger.approvals("act-0001") == []


async def test_what_changed_under_the_card_is_judged_again_and_the_card_says_so(stage: Stage) -> None:
    await posted(stage)
    await fill(stage, Verb.APPROVE, reason="fine")
    stage.move("act-0001", ActionState.APPROVED, ActionState.NEEDS_APPROVAL, attempts=1)
    stage.ledger._approvals.clear()
    await stage.follower.look()
    assert shown(stage).phase is Phase.STALE
    assert Verb.APPROVE in shown(stage).buttons


async def test_editing_is_a_new_action_with_a_new_id_that_the_editor_cannot_approve(stage: Stage) -> None:
    await posted(stage)

    class Reader:
        async def cluster_uid(self) -> str:
            return "c-1"

        async def get(self, *_args: object) -> dict[str, object]:
            meta = {"name": "cart", "namespace": "shop", "uid": "u-cart", "generation": 1, "resourceVersion": "1"}
            return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"replicas": 4}}

    stage.ports.__dict__["reader"] = Reader()
    assert await press(stage, Verb.EDIT, user="UBO") is None
    told = await fill(stage, Verb.EDIT, user="UBO", changes="to_replicas=3")
    assert "takes the place of act-0001" in told.title
    (new,) = stage.ledger.in_states(ActionState.SUBMITTED)
    assert new.submitted_by == "oidc:bo"
    assert new.digest != stage.ledger.get("act-0001").digest  # type: ignore[union-attr]
    assert (shown(stage).action, shown(stage).phase, shown(stage).buttons) == ("act-0001", Phase.SUPERSEDED, ())
    bad = await fill(stage, Verb.EDIT, new.action_id, user="UBO", changes="no_such=3")
    assert "there is no 'no_such'" in bad.title


async def test_a_snooze_reminds_this_person_alone_after_an_hour_and_only_while_it_waits(stage: Stage) -> None:
    await posted(stage)
    told = await press(stage, Verb.SNOOZE)
    assert told is not None
    assert "You are reminded of act-0001" in told.title
    await stage.follower.look()
    before = len(stage.chat.private)
    stage.clock.advance(timedelta(minutes=61).total_seconds())
    await stage.follower.look()
    await stage.follower.look()
    again = [said for _, user, said in stage.chat.private[before:] if said.title.startswith("Again:")]
    assert len(again) == 1
    await press(stage, Verb.SNOOZE)
    stage.move("act-0001", ActionState.CANCELLED)
    stage.clock.advance(timedelta(minutes=61).total_seconds())
    before = len(stage.chat.private)
    await stage.follower.look()
    assert len(stage.chat.private) == before


async def test_a_finding_is_silenced_for_a_while_with_a_reason_and_nothing_is_decided(stage: Stage) -> None:
    await posted(stage, findings=("fnd-3fa9c2d1e0", "fnd-4fa9c2d1e0"))
    assert Verb.SILENCE in shown(stage).buttons
    assert await press(stage, Verb.SILENCE, user="UBO") is None
    ((_, dialog),) = stage.chat.dialogs
    assert "fnd-3fa9c2d1e0, fnd-4fa9c2d1e0" in dialog.text
    assert (await fill(stage, Verb.SILENCE, user="UBO", hours="24 hours")).title == "no reason was given"
    assert (await fill(stage, Verb.SILENCE, user="UBO", hours="for ever", reason="a drill")).title == "that is none of the times"
    assert stage.ports.mutes.all() == ()
    told = await fill(stage, Verb.SILENCE, user="UBO", hours="24 hours", reason="a drill")
    assert len(told.lines) == 3
    kept = sorted(stage.ports.mutes.all(), key=lambda mute: mute.finding)
    assert [(mute.finding, mute.by, mute.reason) for mute in kept] == [
        (name, "oidc:bo", "a drill") for name in ("fnd-3fa9c2d1e0", "fnd-4fa9c2d1e0")
    ]
    assert {mute.until - stage.clock.now() for mute in kept} == {timedelta(hours=24)}
    assert (shown(stage).phase, stage.ledger.approvals("act-0001")) == (Phase.PENDING, [])


async def test_what_is_about_no_finding_and_in_no_repository_has_no_button_for_it_and_says_so(stage: Stage) -> None:
    await posted(stage)
    assert {Verb.SILENCE, Verb.PATCH} & set(shown(stage).buttons) == set()
    for verb, said in ((Verb.SILENCE, "not about a finding"), (Verb.PATCH, "no repository is known")):
        told = await press(stage, verb, user="UBO")
        assert told is not None
        assert said in told.title


async def test_what_a_repository_owns_is_changed_there_first(stage: Stage) -> None:
    await posted(stage, owner="shop-app")
    assert shown(stage).buttons[0] is Verb.PATCH
    told = await press(stage, Verb.PATCH)
    assert told is not None
    assert "shop-app" in told.lines[0]
    assert told.code[-2:] == ("spec:", "  replicas: 2")
    assert stage.ledger.approvals("act-0001") == []


async def test_starting_and_stopping_by_a_button_happen_once(stage: Stage) -> None:
    (question,) = await stage.say("fix shop", "UBO", event="q1")
    assert isinstance(question, Notice)
    assert question.verb is Verb.START
    place = Place(stage.product, "C0TEAM", "t1")
    for event in ("p-a", "p-b"):
        await stage.presses.pressed(stage.chat, Press(place, "UBO", Verb.START, question.subject, event))
    (asked,) = stage.ports.intake.open()
    assert (asked.request.act, asked.request.namespaces, asked.request.by) == (True, ("shop",), "oidc:bo")
    assert "answered already" in stage.chat.private[-1][2].title


async def test_resuming_by_its_button_needs_the_right_and_a_reason(stage: Stage) -> None:
    await stage.say("stop writes", "UCY")
    (question,) = await stage.say("resume", "UCY")
    assert isinstance(question, Notice)
    await press(stage, Verb.RESUME, question.subject, user="UBO")
    assert stage.chat.dialogs == []
    await press(stage, Verb.RESUME, question.subject, user="UCY")
    assert len(stage.chat.dialogs) == 1
    assert "may not call" in (await fill(stage, Verb.RESUME, "all", user="UBO", reason="well")).title
    assert len(stage.ledger.stops()) == 1
    await fill(stage, Verb.RESUME, "all", user="UCY", reason="it is out")
    assert stage.ledger.stops() == []


# --- the bugs that recur (by what others reported)


async def test_bug_1_decided_elsewhere_the_buttons_go_from_every_copy(stage: Stage) -> None:
    await posted(stage)
    await stage.say("show act-0001", thread="t1")
    await stage.say("show act-0001", thread="t2")
    assert len(stage.cards()) == 3
    await stage.offers.call(stage.talk.identities.caller("memory", "UEVE"), "actions.deny", {"action": "act-0001", "reason": "by API"})
    stage.move("act-0001", ActionState.DENIED, note="denied by oidc:eve: by API")
    await stage.follower.look()
    assert [(card.phase, card.buttons) for card in stage.cards()] == [(Phase.DENIED, ())] * 3
    assert stage.chats.refs() == [], "and none is followed any more"


async def test_bug_2_a_second_press_during_a_slow_execution_does_nothing(stage: Stage) -> None:
    await posted(stage)
    await fill(stage, Verb.APPROVE, reason="go")
    assert Verb.APPROVE not in shown(stage).buttons, "at once, before the judge has looked"
    for states in ((ActionState.APPROVED, ActionState.PERMITTED), (ActionState.CLAIMED, ActionState.SENDING), (ActionState.APPLIED,)):
        stage.move("act-0001", *states)
        told = await press(stage, Verb.APPROVE, user="UEVE")
        assert told is not None
        assert "there is nothing to decide" in told.title
    assert len(stage.ledger.approvals("act-0001")) == 1


async def test_bug_3_a_restart_orphans_nothing_the_first_press_after_it_counts(kept_stage: Stage) -> None:
    await posted(kept_stage)
    again = Stage(kept_stage.folder, chats=kept_stage.chats, ledger=kept_stage.ledger, chat=kept_stage.chat)
    assert await press(again, Verb.APPROVE) is None
    assert len(again.chat.dialogs) == 1
    await fill(again, Verb.APPROVE, reason="after the restart")
    assert len(again.ledger.approvals("act-0001")) == 1
    assert shown(again).phase is Phase.APPROVED
    await again.follower.look()
    assert len(again.cards()) == 1, "and the card is not posted again"


async def test_bug_4_two_updates_at_once_keep_who_decided(stage: Stage) -> None:
    await posted(stage)
    stage.presses._talk.offers.ports.__dict__["people_needed"] = lambda _risk: 2
    looks = [stage.follower.look_at("act-0001") for _ in range(3)]
    await asyncio.gather(fill(stage, Verb.APPROVE, user="UANA", reason="one"), *looks, fill(stage, Verb.APPROVE, user="UEVE", reason="two"))
    assert len(shown(stage).decided) == 2
    assert all(name in repr(shown(stage).decided) for name in ("oidc:ana", "oidc:eve"))


async def test_bug_5_links_lead_to_pages_of_the_console(stage: Stage) -> None:
    await posted(stage)
    assert shown(stage).url == "https://day2.example/actions/act-0001"
    (answer,) = await stage.say("scan shop")
    assert answer.url == f"https://day2.example/runs/{answer.run}"  # type: ignore[union-attr]


async def test_bug_6_the_same_press_delivered_again_is_one_and_opens_one_dialog(kept_stage: Stage) -> None:
    await posted(kept_stage)
    for _ in range(4):
        await press(kept_stage, Verb.APPROVE, event="same")
    assert len(kept_stage.chat.dialogs) == 1
    for _ in range(4):
        found = Filled(Place("memory", HOME, "m1"), "UANA", Verb.APPROVE, "act-0001", "same view", {"reason": "go"})
        await kept_stage.presses.filled(kept_stage.chat, found)
    assert len(kept_stage.ledger.approvals("act-0001")) == 1
    assert sum("You approved" in said.title for _, _, said in kept_stage.chat.private) == 1


async def test_an_action_that_there_is_not_is_said_and_a_product_that_is_down_costs_no_decision(stage: Stage) -> None:
    told = await press(stage, Verb.APPROVE, "act-none")
    assert told is not None
    assert "no action" in told.title
    await posted(stage)
    stage.chat.down = True
    found = Filled(Place("memory", HOME, "m1"), "UANA", Verb.APPROVE, "act-0001", "e", {"reason": "go"})
    await stage.presses.filled(stage.chat, found)
    assert len(stage.ledger.approvals("act-0001")) == 1
    stage.chat.down = False
    await stage.follower.look()
    assert shown(stage).phase is Phase.APPROVED


async def test_a_message_is_worked_on_once_also_where_two_look_for_what_is_left(stage: Stage) -> None:
    message = Message(Place("memory", "C0TEAM", "t1"), "UDEE", "status", "e1")
    stage.talk.accept(message)
    await asyncio.gather(stage.talk.work(stage.chat, message), stage.talk.again(stage.chat))
    assert len(stage.chat.sent) == 1
