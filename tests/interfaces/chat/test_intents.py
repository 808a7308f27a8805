"""What a message asks for, without a model: the table, and phrasings that it has not seen."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from interfaces.chat import intents
from interfaces.chat.intents import INTENTS, meant
from interfaces.chat.talking import ROWS

HELD_OUT: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "held_out.yaml").read_text(encoding="utf-8"))
LEAST = 85
"""Per cent of the held-out phrasings; docs/chat.md has the number."""


def rightly(row: dict[str, Any]) -> bool:
    found = meant(row["text"], follows=row.get("follows", False), about_action=row.get("about_action", False))
    return found.intent == row["intent"] and row.get("namespace", found.namespace) == found.namespace


def test_most_phrasings_that_nobody_tuned_for_are_understood() -> None:
    missed = [row["text"] for row in HELD_OUT if not rightly(row)]
    assert len(HELD_OUT) >= 150
    assert 100 * (len(HELD_OUT) - len(missed)) / len(HELD_OUT) >= LEAST, missed


def test_no_phrasing_is_taken_for_one_that_changes_something_without_being_asked_about() -> None:
    changing = {"stop", "start", "resume"}
    rows = [(row, meant(row["text"], follows=row.get("follows", False))) for row in HELD_OUT if row["intent"] not in changing]
    assert [row["text"] for row, found in rows if found.intent == "stop" and found.sure] == []


@pytest.mark.parametrize("intent", INTENTS, ids=lambda row: row.name)
def test_what_help_shows_is_understood_as_it_stands(intent: intents.Intent) -> None:
    found = meant(intent.shown, follows=intent.hidden)
    assert (found.intent, found.sure) == (intent.name, True)


def test_each_row_has_its_doing_and_no_example_stands_in_two() -> None:
    assert set(ROWS) == {intent.name for intent in INTENTS} | {"unknown"}
    said = [example for intent in INTENTS for example in intent.examples]
    assert sorted(said) == sorted(set(said))
    assert not {row["text"].casefold() for row in HELD_OUT} & {example.casefold() for example in said}


def test_a_dash_of_a_telephone_is_a_hyphen_and_a_mention_is_nothing() -> None:
    assert meant("<@U123> right—size shop dry–run").intent == "size"
    assert meant("@day2 scan payments").namespace == "payments"


def test_what_is_nobodys_business_is_unknown_and_near_rows_are_offered() -> None:
    assert meant("tell me a joke about cats").intent == ""
    near = meant("stop the music in the kitchen please")
    assert near.intent != "stop" or not near.sure


def test_an_id_alone_is_its_card_and_words_about_an_action_in_its_thread_need_no_id() -> None:
    assert meant("act-3fa9c2d1e0").intent == "show"
    found = meant("approve it", follows=True, about_action=True)
    assert (found.intent, found.verb, found.action) == ("decide", "approve", "")
    assert meant("approve it").intent != "decide"
