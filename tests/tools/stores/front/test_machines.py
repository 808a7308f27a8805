"""What is kept for machines, on sqlite, on Postgres and on its twins: tokens, answers under idempotency keys, targets of webhooks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from core.domain.access import Role
from core.domain.answers import Answer, Answers
from core.domain.tokens import Token, Tokens
from core.domain.webhooks import Target, Targets
from tools.stores.front import opening
from tools.stores.front.answers import MemoryAnswers, SqlAnswers
from tools.stores.front.tokens import MemoryTokens, SqlTokens
from tools.stores.front.webhooks import MemoryTargets, SqlTargets
from tools.stores.opening import Database

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
DAY, MOMENT = timedelta(days=1), timedelta(minutes=2)


@pytest.fixture
def tokens(database: Database | None) -> Tokens:
    return SqlTokens(database) if database else MemoryTokens()


@pytest.fixture
def answers(database: Database | None) -> Answers:
    return SqlAnswers(database) if database else MemoryAnswers()


@pytest.fixture
def targets(database: Database | None) -> Targets:
    return SqlTargets(database) if database else MemoryTargets()


def token(name: str, minutes: int = 0) -> Token:
    roles = frozenset({Role.VIEWER, Role.SENDER})
    return Token(name, roles, "local:ana", AT + timedelta(minutes=minutes), AT + DAY)


def test_a_token_is_found_by_its_digest_until_it_is_revoked(tokens: Tokens) -> None:
    assert tokens.add(token("b"), "d1")
    assert not tokens.add(token("b"), "d2")
    assert tokens.add(token("a", 1), "d3")
    assert tokens.find("d2") is None
    found = tokens.find("d1")
    assert found == token("b")
    assert found.state(AT) == "active"
    assert found.state(AT + DAY) == "expired"
    tokens.used("b", AT + MOMENT)
    assert tokens.revoke("b", by="local:bo", at=AT + DAY)
    assert not tokens.revoke("b", by="local:bo", at=AT + DAY)
    assert not tokens.revoke("none", by="local:bo", at=AT + DAY)
    first, second = tokens.all()
    assert (first.name, first.last_used_at, first.revoked_by, first.state(AT)) == ("b", AT + MOMENT, "local:bo", "revoked")
    assert second.state(AT) == "active"


def begin(answers: Answers, digest: str = "d", *, key: str = "k", by: str = "a", at: datetime = AT) -> Answer | None:
    return answers.begin(by, key, digest, at=at, stale_before=at - MOMENT, forget_before=at - DAY)


def test_a_key_is_taken_once_and_then_has_its_answer_for_a_day(answers: Answers) -> None:
    assert begin(answers) is None
    assert begin(answers) == Answer("d", 0, "", AT)
    assert begin(answers, by="b") is None
    assert begin(answers, key="other") is None
    answers.keep("a", "k", status=202, body="{}")
    answers.drop("a", "k")  # what was answered stays
    assert begin(answers, "another", at=AT + MOMENT * 2) == Answer("d", 202, "{}", AT)
    assert begin(answers, at=AT + DAY + MOMENT) is None


def test_a_key_whose_taker_died_is_free_for_the_same_request_only(answers: Answers) -> None:
    begin(answers)
    assert begin(answers, "another", at=AT + MOMENT * 2) is not None
    assert begin(answers, at=AT + MOMENT * 2) is None
    answers.drop("a", "k")
    assert begin(answers, "another", at=AT + MOMENT * 2) is None


def test_of_many_at_once_one_takes_the_key(front_url: str) -> None:
    database = opening.opened(front_url)
    answers = SqlAnswers(database)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: begin(answers), range(16)))
    database.close()
    assert found.count(None) == 1


def test_a_target_is_kept_by_who_holds_it_and_one_that_was_removed_stays_removed(targets: Targets) -> None:
    made = Target("siem", "https://siem.example/", ("dev.day2.run.",), "siem", "oidc:ana", AT, 7)
    assert targets.add(made)
    assert not targets.add(made._replace(url="https://other.example/"))
    held = targets.claim(made, "one", at=AT, until=AT + MOMENT)
    assert held == made._replace(held_by="one", held_until=AT + MOMENT)
    moved = held._replace(cursor=9, failures=2, failing_since=AT, next_at=AT + MOMENT, said="HTTP 500")
    assert targets.keep(moved)
    assert targets.all() == [moved]
    assert not targets.keep(moved._replace(held_by="other", cursor=10))
    assert targets.keep(moved._replace(dead=True))
    assert targets.claim(moved, "one", at=AT, until=AT + DAY) is None
    assert targets.remove("siem")
    assert not targets.remove("siem")
    assert not targets.keep(moved)
    assert targets.all() == []
    again = made._replace(made_at=AT + DAY)
    assert targets.add(again)
    assert not targets.keep(moved._replace(held_by=""))  # of the one before, whose task ends only now
    assert targets.claim(moved, "one", at=AT, until=AT + DAY) is None
    assert targets.all() == [again]


def test_a_target_is_held_by_one_sender_until_that_is_over_or_released(targets: Targets) -> None:
    made = Target("siem", "https://siem.example/", (), "siem", "oidc:ana", AT, 7)
    targets.add(made)
    assert targets.claim(made, "one", at=AT, until=AT + MOMENT)
    assert targets.claim(made, "other", at=AT, until=AT + DAY) is None
    longer = targets.claim(made, "one", at=AT, until=AT + MOMENT * 2)
    assert longer is not None
    assert targets.claim(made, "other", at=AT + MOMENT, until=AT + DAY) is None
    taken = targets.claim(made, "other", at=AT + MOMENT * 2, until=AT + DAY)
    assert taken is not None
    assert not targets.keep(longer._replace(cursor=8))
    targets.release("one")
    assert targets.claim(made, "one", at=AT + MOMENT * 2, until=AT + DAY) is None
    targets.release("other")
    assert targets.claim(made, "one", at=AT, until=AT + DAY)
