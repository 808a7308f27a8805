"""The store of sessions and its twin: the same answers."""

from datetime import UTC, datetime, timedelta

import pytest

from core.domain.sessions import Session, Sessions
from tools.stores.front.sessions import MemorySessions, SqlSessions
from tools.stores.opening import Database

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


@pytest.fixture
def store(database: Database | None) -> Sessions:
    return SqlSessions(database) if database else MemorySessions()


def session(key: str, *, minutes: int = 0) -> Session:
    return Session(key, "oidc:ana@example.org", ("sre", "päy"), "oidc", AT, AT + timedelta(minutes=minutes), AT)


def test_what_was_opened_is_there_until_it_is_closed(store: Sessions) -> None:
    store.open(session("a"))
    assert store.get("a") == session("a")
    assert store.get("b") is None
    assert store.close("a")
    assert not store.close("a")
    assert store.get("a") is None


def test_use_is_kept_and_what_is_over_is_forgotten(store: Sessions) -> None:
    store.open(session("idle"))
    store.open(session("used"))
    store.touch("used", AT + timedelta(minutes=50))
    store.touch("nobody", AT)
    assert store.forget(seen_before=AT + timedelta(minutes=40), began_before=AT - timedelta(hours=1)) == 1
    assert store.get("idle") is None
    found = store.get("used")
    assert found is not None
    assert found.seen_at == AT + timedelta(minutes=50)
    assert store.forget(seen_before=AT, began_before=AT) == 1


@pytest.mark.parametrize(("minutes", "over"), [(59, False), (60, True)])
def test_a_session_is_over_when_it_was_not_used(minutes: int, over: bool) -> None:
    assert session("a").over(AT + timedelta(minutes=minutes), idle=timedelta(hours=1), longest=timedelta(hours=12)) is over
