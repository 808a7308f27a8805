"""Followers of the ledger: each record that moves something, in order, once, and nothing is kept for who does not read."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from core.domain.errors import Unavailable
from runtime.services import broadcasting
from runtime.services.broadcasting import Event, Events, event_of, last_place, nothing_for
from tools.stores.memory import MemoryLedger

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def record(ledger: MemoryLedger, event: str = "run.started", subject: str = "run-1", **body: Any) -> None:
    ledger.record(role="controller", event=event, subject=subject, body=body, at=AT)


@pytest.fixture
def ledger() -> MemoryLedger:
    found = MemoryLedger()
    for number in range(7):
        record(found, subject=f"run-{number}")
    return found


async def take(wanted: AsyncIterator[Event], count: int) -> list[Event]:
    found = []
    async with asyncio.timeout(20):
        while len(found) < count:
            found.append(await anext(wanted))
    return found


async def test_who_was_away_gets_what_came_since_and_then_what_comes(ledger: MemoryLedger) -> None:
    events = Events(ledger, look_seconds=0.001)
    following = events.follow(4)
    assert [event.place for event in await take(following, 3)] == [5, 6, 7]
    record(ledger, "anchored", "heads")
    record(ledger, "run.finished", "run-6")
    (event,) = await take(following, 1)
    assert (event.place, event.type, event.subject) == (9, "dev.day2.run.finished.v1", "run-6")
    await following.aclose()
    assert events.followers == 0


async def test_without_a_place_only_what_comes_is_seen_and_a_place_of_the_future_is_now(ledger: MemoryLedger) -> None:
    events = Events(ledger, look_seconds=0.001)
    for after in (None, 10**15):
        following = events.follow(after)
        coming = asyncio.create_task(take(following, 1))
        await asyncio.sleep(0.05)
        record(ledger, "stop", "all")
        (event,) = await coming
        assert (event.place, event.type) == (last_place(ledger), "dev.day2.writes.stopped.v1")
        await following.aclose()


async def test_who_reads_slowly_loses_nothing_though_the_ring_is_small(ledger: MemoryLedger) -> None:
    events = Events(ledger, look_seconds=0.001, ring=5)
    slow, quick = events.follow(0), events.follow(0)
    await take(slow, 1)
    await take(quick, 7)
    for number in range(40):
        record(ledger, subject=f"run-more-{number}")
    assert [event.place for event in await take(quick, 40)] == list(range(8, 48))
    assert [event.place for event in await take(slow, 46)] == list(range(2, 48))
    await slow.aclose()
    await quick.aclose()


async def test_all_followers_share_one_reader(ledger: MemoryLedger) -> None:
    asked = []

    class Counting:
        def chain(self, start: int = 1, limit: int = 10_000, *, role: str = "") -> Any:
            asked.append(start)
            return ledger.chain(start, limit, role=role)

    events = Events(Counting(), look_seconds=3600)  # type: ignore[arg-type]
    followers = [asyncio.create_task(take(events.follow(7), 1)) for _ in range(50)]
    await asyncio.sleep(0.3)
    assert events.followers == 50
    assert asked.count(8) <= 51 + 1  # one search of the end for each, one read for all
    for task in followers:
        task.cancel()
    await asyncio.gather(*followers, return_exceptions=True)


async def test_more_than_can_be_served_are_told_to_come_later(ledger: MemoryLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcasting, "MOST_FOLLOWERS", 1)
    events = Events(ledger)
    first = events.follow(0)
    await take(first, 1)
    with pytest.raises(Unavailable):
        await anext(events.follow(0))
    await first.aclose()


async def test_a_pause_says_so_and_the_event_after_it_is_not_lost(ledger: MemoryLedger) -> None:
    events = Events(ledger, look_seconds=0.001)
    watched = nothing_for(0.02, events.follow())
    assert await anext(watched) is None
    record(ledger, "resume", "all")
    async with asyncio.timeout(20):
        while (event := await anext(watched)) is None:
            pass
    assert event.type == "dev.day2.writes.resumed.v1"
    await watched.aclose()
    assert events.followers == 0


def test_an_event_is_a_cloudevent_without_secrets(ledger: MemoryLedger) -> None:
    record(ledger, "approval.denied", "act-1", by="oidc:ana", reason="password=hunter2horse")
    found = event_of(ledger.chain()[-1])
    assert found is not None
    cloud = found.cloud("https://day2.example")
    assert cloud["specversion"] == "1.0"
    assert (cloud["id"], cloud["type"], cloud["subject"]) == ("8", "dev.day2.approval.denied.v1", "act-1")
    assert cloud["time"] == "2026-11-27T09:00:00.000000Z"
    assert cloud["data"]["by"] == "oidc:ana"
    assert "hunter2" not in str(cloud)
    assert cloud["type"] in broadcasting.TYPES


@pytest.mark.parametrize("count", [0, 1, 2, 3, 63, 64, 65])
def test_the_last_place_is_found(count: int) -> None:
    ledger = MemoryLedger()
    for _ in range(count):
        record(ledger)
    assert last_place(ledger) == count
