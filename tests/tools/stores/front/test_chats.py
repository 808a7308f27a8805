"""What chats remember: one contract, on sqlite, on Postgres and on its twin."""

from datetime import UTC, datetime, timedelta

import pytest

from core.domain.chats import Chats, Place, Shows, Snooze, Taken, Topic
from tools.stores.front import opening
from tools.stores.front.chats import MemoryChats, SqlChats
from tools.stores.opening import Database

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
HERE = Place("slack", "C1", "1.1")


@pytest.fixture
def chats(database: Database | None) -> Chats:
    return SqlChats(database) if database else MemoryChats()


def taken(event: str, product: str = "slack", seconds: int = 0) -> Taken:
    return Taken(product, event, f"body of {event}", AT + timedelta(seconds=seconds))


def test_an_event_is_taken_once_and_waits_until_it_is_done(chats: Chats) -> None:
    assert chats.take(taken("e2", seconds=2))
    assert chats.take(taken("e1", seconds=1))
    assert not chats.take(taken("e1"))
    assert chats.take(taken("e1", "mattermost"))
    assert [row.event for row in chats.undone("slack")] == ["e1", "e2"]
    chats.done("slack", "e1")
    assert [(row.event, row.body) for row in chats.undone("slack")] == [("e2", "body of e2")]
    assert not chats.take(taken("e1")), "what is done is known still"


def test_only_what_is_done_and_old_is_forgotten(chats: Chats) -> None:
    for number in range(3):
        chats.take(taken(f"e{number}", seconds=number))
    chats.done("slack", "e0")
    chats.done("slack", "e2")
    assert chats.forget(AT + timedelta(seconds=2)) == 1
    assert chats.take(taken("e0"))
    assert not chats.take(taken("e2"))


def test_a_place_shows_a_record_once_at_a_time(chats: Chats) -> None:
    ref = chats.reserve(Shows.CARD, "act-1", HERE, AT)
    assert ref is not None
    assert chats.reserve(Shows.CARD, "act-1", HERE, AT) is None
    assert chats.reserve(Shows.CARD, "act-1", HERE._replace(thread=""), AT) is not None
    chats.posted(ref.id, "m1")
    assert chats.showing(ref.id, before="", shown="d1", told="pending", still_open=True)
    assert not chats.showing(ref.id, before="", shown="d0", told="pending", still_open=True), "somebody else drew it meanwhile"
    (shown, _) = chats.refs(subject="act-1")
    assert (shown.message, shown.shown, shown.told, shown.place) == ("m1", "d1", "pending", HERE)
    assert chats.showing(ref.id, before="d1", shown="d2", told="verified", still_open=False)
    assert not chats.showing(ref.id, before="d2", shown="d3", told="pending", still_open=True), "what is over is never opened again"
    assert [row.place.thread for row in chats.refs(product="slack")] == [""]
    assert len(chats.refs(only_open=False)) == 2


def test_a_reminder_is_given_once_and_never_an_earlier_one_after_a_later(chats: Chats) -> None:
    ref = chats.reserve(Shows.CARD, "act-1", HERE, AT)
    assert ref is not None
    assert chats.reminded(ref.id, 50)
    assert not chats.reminded(ref.id, 50)
    assert chats.reminded(ref.id, 85)
    assert not chats.reminded(ref.id, 50)


def test_a_thread_remembers_what_it_was_about_last(chats: Chats) -> None:
    assert chats.topic(HERE) == Topic()
    chats.about(HERE, Topic("ask", "why", "shop", "run-1"), AT)
    chats.about(HERE, Topic("show", action="act-1"), AT)
    assert chats.topic(HERE) == Topic("show", action="act-1")
    assert chats.topic(HERE._replace(thread="2.2")) == Topic()


def test_a_snooze_is_woken_once_and_a_second_takes_the_place_of_the_first(chats: Chats) -> None:
    chats.snooze(Snooze("act-1", "U1", HERE, AT))
    chats.snooze(Snooze("act-1", "U1", HERE, AT + timedelta(hours=1)))
    assert [row.until for row in chats.snoozed()] == [AT + timedelta(hours=1)]
    assert chats.wake("act-1", "U1")
    assert not chats.wake("act-1", "U1")


def test_lines_are_of_one_conversation_oldest_first_and_may_be_said_anew(chats: Chats) -> None:
    mine = Place("web", "oidc:ana")
    numbers = [chats.say(mine, "oidc:ana", f"line {number}", AT) for number in range(4)]
    chats.say(Place("web", "oidc:bo"), "oidc:bo", "another's", AT)
    chats.resay(numbers[3], "edited")
    assert [line.body for line in chats.lines(mine)] == ["line 0", "line 1", "line 2", "edited"]
    assert [line.body for line in chats.lines(mine, after=numbers[1])] == ["line 2", "edited"]
    assert [line.body for line in chats.lines(mine, limit=1)] == ["edited"]


def test_a_small_thing_is_kept_over_a_restart(front_url: str) -> None:
    first = opening.opened(front_url)
    assert SqlChats(first).kept("digest") == ""
    SqlChats(first).keep("digest", "one")
    SqlChats(first).keep("digest", "two")
    first.close()
    again = opening.opened(front_url)
    assert SqlChats(again).kept("digest") == "two"
    again.close()
