"""The conversation core: what is asked, followed up and commanded, by whom, through the offers alone."""

import pytest

from core.domain.access import Role
from core.domain.chats import Place
from core.domain.outcome import ActionState
from interfaces.chat.talking import run_of
from interfaces.chat.values import Answer, Card, Inbox, Message, Notice, Verb
from tests.interfaces.chat.stage import TEAM, Stage


async def test_a_question_is_a_run_that_its_message_follows_until_it_is_answered(stage: Stage) -> None:
    (said,) = await stage.say("why is checkout slow?", "UDEE", event="e1")
    assert isinstance(said, Answer)
    assert (said.stage, said.over) == ("waiting", False)
    asked = stage.ports.intake.get(said.run)
    assert asked is not None
    assert (asked.request.by, asked.request.trigger, asked.request.act, asked.door) == ("oidc:dee", "chat", False, "memory")
    stage.answered(said.run)
    await stage.follower.look()
    (place, shown), *_ = stage.chat.sent.values()
    assert isinstance(shown, Answer)
    assert (place.thread, shown.stage, [item.id for item in shown.findings]) == ("t1", "answered", ["fnd-0"])
    assert "not run 1 (FIN-101: no metrics)" in shown.coverage
    assert len(stage.chat.sent) == 1, "one message a run"
    await stage.follower.look()
    assert len(stage.chat.edits) == 1


async def test_the_same_message_is_one_run_however_often_it_is_delivered(stage: Stage) -> None:
    for _ in range(5):
        await stage.say("scan payments", event="e1")
    assert [(item.request.namespaces, item.request.text) for item in stage.ports.intake.open()] == [(("payments",), "scan payments")]
    assert len(stage.chat.sent) == 1


async def test_a_thread_goes_on_about_another_namespace_about_why_and_about_the_evidence(stage: Stage) -> None:
    (first,) = await stage.say("why does cart restart in shop")
    assert isinstance(first, Answer)
    stage.answered(first.run)
    (why,) = await stage.say("why?")
    assert isinstance(why, Notice)
    assert any(row.text == "people see errors" for row in why.rows)
    (seen,) = await stage.say("show the evidence")
    assert isinstance(seen, Notice)
    assert "(quoted)" in seen.rows[0].text
    (other,) = await stage.say("and in payments?")
    assert isinstance(other, Answer)
    asked = stage.ports.intake.get(other.run)
    assert asked is not None
    assert (asked.request.text, asked.request.namespaces) == ("why does cart restart in shop", ("payments",))


async def test_without_a_thread_a_follow_up_is_unknown_and_nothing_is_done(stage: Stage) -> None:
    (said,) = await stage.say("and in payments?", thread="new")
    assert isinstance(said, Notice)
    assert said.failed
    assert stage.ports.intake.open() == []


async def test_right_sizing_asks_the_agent_of_cost_and_submits_nothing(stage: Stage) -> None:
    await stage.say("right-size shop dry-run", "UDEE")
    (asked,) = stage.ports.intake.open()
    assert (asked.request.agents, asked.request.namespaces, asked.request.act) == (("finops",), ("shop",), False)


async def test_who_is_mapped_to_nobody_sees_nothing_and_is_told_how(stage: Stage) -> None:
    await stage.asked("act-0001")
    (said,) = await stage.say("approvals", "UNO")
    assert isinstance(said, Notice)
    assert "memory:UNO=PERSON to chat.people" in said.lines[0]
    assert "act-0001" not in repr(said)
    assert stage.chat.sent == {}, "and nobody else reads that"


@pytest.mark.parametrize(
    ("text", "user", "role"),
    [("stop writes", "UDEE", Role.VIEWER), ("resume", "UBO", Role.OPERATOR), ("fix shop", "UANA", Role.APPROVER)],
)
async def test_a_role_that_may_not_is_told_which_may(stage: Stage, text: str, user: str, role: Role) -> None:
    await stage.offers.call(stage.talk.identities.caller("memory", "UCY"), "writes.stop", {"reason": "a fire"})
    (said,) = await stage.say(text, user)
    assert isinstance(said, Notice)
    assert "may not call" in said.title
    assert "access.admin" in said.lines[0]
    assert stage.talk.identities.caller("memory", user).roles == {role}
    assert [row.by for row in stage.ledger.stops()] == ["oidc:cy"]
    assert stage.ports.intake.open() == []


async def test_a_stop_in_so_many_words_holds_at_once_and_resuming_is_asked_about(stage: Stage) -> None:
    (said,) = await stage.say("stop writes in shop", "UBO")
    assert [(row.scope, row.by) for row in stage.ledger.stops()] == [("namespace=shop", "oidc:bo")]
    assert "asked in memory: stop writes in shop" in repr(said)
    (question,) = await stage.say("resume", "UCY")
    assert isinstance(question, Notice)
    assert question.verb is Verb.RESUME
    assert len(stage.ledger.stops()) == 1


async def test_what_only_resembles_a_stop_is_asked_about_first(stage: Stage) -> None:
    said = await stage.say("could you stop writing all of these things for a bit", "UBO")
    assert stage.ledger.stops() == []
    assert not isinstance(said[0], Notice) or said[0].verb in (Verb.STOP, None)


async def test_words_alone_approve_nothing_they_lead_to_the_card(stage: Stage) -> None:
    await stage.asked("act-0001")
    (card,) = await stage.say("approve act-0001")
    assert isinstance(card, Card)
    assert Verb.APPROVE in card.buttons
    assert stage.ledger.approvals("act-0001") == []
    again = await stage.say("approve act-0001")
    assert "its card is above" in repr(again[-1])
    assert len(stage.cards()) == 1


async def test_who_approved_and_why_a_person_is_needed_come_from_the_record(stage: Stage) -> None:
    await stage.asked("act-0001")
    caller = stage.talk.identities.caller("memory", "UANA")
    await stage.offers.call(caller, "actions.approve", {"action": "act-0001", "reason": "checked"})
    (who,) = await stage.say("who approved act-0001", "UDEE")
    assert "oidc:ana" in who.title  # type: ignore[union-attr]
    assert "checked" in repr(who)
    (why,) = await stage.say("explain act-0001", "UDEE")
    assert "a person decides here" in repr(why)


async def test_approvals_and_status_say_what_waits_and_what_is_stopped(stage: Stage) -> None:
    (none,) = await stage.say("approvals")
    assert "Nothing waits" in repr(none)
    await stage.asked("act-0001")
    (inbox,) = await stage.say("approvals")
    assert isinstance(inbox, Inbox)
    assert [row.name for row in inbox.rows] == ["act-0001"]
    (status,) = await stage.say("status")
    assert isinstance(status, Notice)
    assert {row.name for row in status.rows} >= {"writes", "approvals", "agents"}


async def test_what_cannot_be_said_is_said_after_a_restart_and_not_twice(kept_stage: Stage) -> None:
    stage = kept_stage
    message = Message(Place("memory", TEAM, "t1"), "UDEE", "scan payments", "e1")
    stage.chat.down = True
    assert stage.talk.accept(message)
    await stage.talk.work(stage.chat, message)
    assert stage.chat.sent == {}
    stage.chat.down = False
    assert await stage.talk.again(stage.chat) == 1
    assert await stage.talk.again(stage.chat) == 0
    assert [item.request.id for item in stage.ports.intake.open()] == [run_of(message)]
    assert len(stage.chat.sent) == 1
    assert not stage.talk.accept(message)


async def test_a_card_in_a_thread_makes_the_thread_about_its_action(stage: Stage) -> None:
    await stage.asked("act-0001")
    await stage.follower.look()
    message = next(name for name, (_, said) in stage.chat.sent.items() if isinstance(said, Card))
    before = len(stage.chat.sent)
    said = Message(Place("memory", "C0HOME", message), "UANA", "why?", "e9")
    assert stage.talk.accept(said)
    await stage.talk.work(stage.chat, said)
    (_, why) = list(stage.chat.sent.values())[before]
    assert "act-0001" in repr(why)
    assert stage.ledger.get("act-0001").state is ActionState.NEEDS_APPROVAL  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["tell me a joke", "lorem ipsum dolor"])
async def test_what_is_not_understood_is_said_so_with_what_may_be_meant(stage: Stage, text: str) -> None:
    (said,) = await stage.say(text)
    assert isinstance(said, Notice)
    assert said.failed
    assert "Nothing was done" in said.title
    assert said.tries


async def test_a_model_only_names_a_row_and_its_failure_changes_nothing(stage: Stage) -> None:
    async def names_stop(_text: str) -> str:
        return "stop"

    stage.talk._route = names_stop
    (said,) = await stage.say("qwerty asdf", "UBO")
    assert isinstance(said, Notice)
    assert said.verb is Verb.STOP, "what changes something is asked about"
    assert stage.ledger.stops() == []

    async def names_nonsense(_text: str) -> str:
        return "delete everything"

    stage.talk._route = names_nonsense
    (other,) = await stage.say("qwerty asdf", "UBO")
    assert isinstance(other, Notice)
    assert other.failed
