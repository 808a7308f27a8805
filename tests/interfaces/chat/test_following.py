"""What the chats are told by themselves: cards that follow their record, one line a transition, reminders, the inbox, digests."""

import pytest

from core.domain.chats import Place, Shows
from core.domain.errors import InvalidInput
from core.domain.outcome import ActionState
from interfaces.chat.following import Digests, checked_hour
from interfaces.chat.identities import Identities
from interfaces.chat.ports import MemoryChat
from interfaces.chat.values import Card, Inbox, Notice, Phase
from tests.interfaces.chat.stage import GIVEN, HOME, Stage, people_of


def lines(stage: Stage) -> list[str]:
    return [said.title for _, said in stage.chat.sent.values() if isinstance(said, Notice)]


async def test_a_card_is_posted_once_and_lives_through_every_state_with_one_line_each(stage: Stage) -> None:
    await stage.asked("act-0001")
    for _ in range(3):
        await stage.follower.look()
    (card,) = stage.cards()
    assert (card.phase, card.approval) == (Phase.PENDING, "0/1 approved, needs 1 more, not oidc:bo")
    await stage.offers.call(stage.talk.identities.caller("memory", "UANA"), "actions.approve", {"action": "act-0001", "reason": "fine"})
    await stage.follower.look()
    stage.judged_again("act-0001")
    await stage.follower.look()
    stage.move("act-0001", ActionState.CLAIMED, ActionState.SENDING)
    await stage.follower.look()
    stage.move("act-0001", ActionState.APPLIED)
    await stage.follower.look()
    stage.move("act-0001", ActionState.VERIFIED, note="all held")
    for _ in range(3):
        await stage.follower.look()
    (card,) = stage.cards()
    assert (card.phase, card.buttons) == (Phase.VERIFIED, ())
    assert [line.partition(":")[0] for line in lines(stage)] == [
        f"act-0001 is {word}" for word in ("approved", "executing", "verifying", "verified")
    ]
    threads = {place.thread for place, said in stage.chat.sent.values() if isinstance(said, Notice)}
    assert threads == {"m1"}, "in the card's own thread"
    direct = [said.title.partition(":")[0] for user, said in stage.chat.direct if user == "UBO"]
    assert direct == ["act-0001 is approved", "act-0001 is verified"], "who asked hears of the decision and of the outcome"


ENDS = {ActionState.ROLLED_BACK: Phase.ROLLED_BACK, ActionState.ESCALATED: Phase.INCOMPLETE, ActionState.VERIFIED: Phase.VERIFIED}


@pytest.mark.parametrize(("end", "phase"), ENDS.items())
async def test_every_end_has_its_word_its_reason_and_no_button(stage: Stage, end: ActionState, phase: Phase) -> None:
    await stage.asked("act-0001")
    await stage.follower.look()
    stage.judged_again("act-0001")
    stage.carried("act-0001", end)
    await stage.follower.look()
    (card,) = stage.cards()
    assert (card.phase, card.buttons) == (phase, ())
    assert card.outcome


async def test_a_stop_freezes_open_cards_and_a_resume_thaws_them(stage: Stage) -> None:
    await stage.asked("act-0001")
    await stage.follower.look()
    cy = stage.talk.identities.caller("memory", "UCY")
    await stage.offers.call(cy, "writes.stop", {"reason": "a fire"})
    await stage.follower.look()
    (card,) = stage.cards()
    assert card.phase is Phase.FROZEN
    assert "a fire" in card.outcome
    assert [verb.value for verb in card.buttons] == ["why"]
    await stage.offers.call(cy, "writes.resume", {"reason": "it is out"})
    await stage.follower.look()
    (card,) = stage.cards()
    assert card.phase is Phase.PENDING
    assert "approve" in [verb.value for verb in card.buttons]


async def test_more_than_five_are_one_message_and_with_fewer_each_has_its_card(stage: Stage) -> None:
    for number in range(7):
        await stage.asked(f"act-000{number}", name=f"cart-{number}")
    await stage.follower.look()
    assert stage.cards() == []
    ((_, inbox),) = stage.chat.sent.values()
    assert isinstance(inbox, Inbox)
    assert (len(inbox.rows), inbox.url) == (7, "https://day2.example/approvals")
    stage.move("act-0006", ActionState.DENIED)
    await stage.follower.look()
    ((_, inbox),) = stage.chat.sent.values()
    assert len(inbox.rows) == 6  # type: ignore[union-attr]
    stage.move("act-0005", ActionState.DENIED)
    await stage.follower.look()
    await stage.follower.look()
    assert sorted(card.action for card in stage.cards()) == [f"act-000{number}" for number in range(5)]
    assert not any(isinstance(said, Inbox) for _, said in stage.chat.sent.values())


async def test_reminders_come_at_half_and_near_the_end_to_those_who_may_and_have_not(stage: Stage) -> None:
    await stage.asked("act-0001", hours=4, by="oidc:cy")
    await stage.follower.look()
    for seconds, expected in ((7000, 0), (300, 2), (100, 2), (5000, 4), (600, 4)):
        stage.clock.advance(float(seconds))
        await stage.follower.look()
        assert len(stage.chat.private) == expected
    assert {user for _, user, _ in stage.chat.private} == {"UANA", "UEVE"}, "not who asked, and nobody who only looks"
    assert "is denied then" in stage.chat.private[0][2].title


async def test_where_nobody_is_named_the_thread_is_reminded(stage: Stage) -> None:
    stage.talk.identities = Identities((), dict.fromkeys(GIVEN, ("*",)))
    await stage.asked("act-0001", hours=1)
    await stage.follower.look()
    stage.clock.advance(31 * 60.0)
    await stage.follower.look()
    assert [line for line in lines(stage) if "still waits" in line]
    assert stage.chat.private == []


async def test_a_product_that_is_down_is_told_when_it_is_back_and_others_are_not_kept_waiting(stage: Stage) -> None:
    other = MemoryChat("other")
    stage.talk.identities = people_of("memory", "other")
    stage.attach(stage.chat, other)
    stage.chat.down = True
    await stage.asked("act-0001")
    await stage.follower.look()
    assert [place.product for place, _ in other.sent.values()] == ["other"]
    stage.chat.down = False
    await stage.follower.look()
    assert len(stage.cards()) == 1
    stage.chat.down = True
    stage.move("act-0001", ActionState.DENIED)
    await stage.follower.look()
    stage.chat.down = False
    await stage.follower.look()
    assert stage.cards()[0].phase is Phase.DENIED
    assert [said.phase for _, said in other.sent.values() if isinstance(said, Card)] == [Phase.DENIED]


async def test_a_message_that_was_reserved_and_never_posted_is_posted(kept_stage: Stage) -> None:
    await kept_stage.asked("act-0001")
    assert kept_stage.chats.reserve(Shows.CARD, "act-0001", Place("memory", HOME), kept_stage.clock.now()) is not None
    await kept_stage.follower.look()
    assert len(kept_stage.cards()) == 1


async def test_the_digest_comes_once_a_day_at_the_teams_hour_and_is_silent_where_nothing_changed(tmp_path: object) -> None:
    stage = Stage(tmp_path, digests=Digests(10, "Europe/Berlin"))  # type: ignore[arg-type]  # 09:00 UTC is 10:00 there
    await stage.follower.look()
    assert lines(stage) == [], "nothing happened: nothing is said"
    await stage.asked("act-0001", hours=100)
    stage.clock.advance(24 * 3600.0)
    await stage.follower.look()
    await stage.follower.look()
    assert [line for line in lines(stage) if line.startswith("The last 24 hours")] == [
        "The last 24 hours: 0 actions ended, 1 wait for a person"
    ]
    stage.clock.advance(24 * 3600.0)
    await stage.follower.look()
    assert len([line for line in lines(stage) if line.startswith("The last 24 hours")]) == 1


def test_a_zone_that_there_is_not_is_an_error_with_an_example() -> None:
    assert checked_hour(-1, "UTC").hour is None
    with pytest.raises(InvalidInput, match="is no time zone"):
        checked_hour(9, "Europe/Nowhere")


async def test_a_picture_says_its_conclusion_in_words(stage: Stage) -> None:
    await stage.asked("act-0001")
    await stage.follower.look()
    ((place, picture),) = stage.chat.pictures
    assert place.thread == "m1"
    assert picture.alt == "CPU request of shop/cart from 2000m to 650m; 95 % of the time it uses at most 412m."
    assert picture.png.startswith(b"\x89PNG")


async def test_one_record_that_cannot_be_drawn_keeps_no_other_from_being_followed(stage: Stage) -> None:
    await stage.asked("act-0001", name="one")
    await stage.asked("act-0002", name="two")
    await stage.follower.look()
    stage.move("act-0001", ActionState.APPROVED)
    row = stage.ledger._actions["act-0001"]
    stage.ledger._actions["act-0001"] = row._replace(verdict="{}", changed_at=stage.clock.now())
    stage.move("act-0002", ActionState.DENIED)
    await stage.follower.look()
    assert {card.action: card.phase for card in stage.cards()}["act-0002"] is Phase.DENIED
