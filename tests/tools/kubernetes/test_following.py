"""The follower against a server that goes wrong: nothing is lost, what is gone is gone, and what cannot be followed is listed."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import httpx
import pytest

from tests.tools.kubernetes.watched_server import FAULTS, WatchedServer, line
from tools.hand_clock import HandClock
from tools.kubernetes.following import Follower, FollowingReader, Pace

QUICK = Pace(first=0.002, longest=0.02, watch=60, refused=0.02, trusted=0.05)
KIND = ("ConfigMap",)


@contextlib.asynccontextmanager
async def following(server: WatchedServer, namespaces: Sequence[str] = (), pace: Pace = QUICK) -> AsyncIterator[FollowingReader]:
    async with httpx.AsyncClient(transport=server, base_url="http://cluster.test") as client:
        reader = FollowingReader(client, HandClock(datetime(2026, 1, 5, tzinfo=UTC)))
        reader.follower = Follower(reader, client, KIND, namespaces, pace=pace, chance=random.Random(1))
        running = asyncio.create_task(reader.follower.run())
        try:
            yield reader
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


def names(reader: FollowingReader, namespaces: Sequence[str] = ()) -> set[str] | None:
    held = reader.follower.held("ConfigMap", namespaces)
    return None if held is None or isinstance(held, str) else {item.metadata.name for item in held.items}


def versions(reader: FollowingReader) -> set[tuple[str, str]]:
    held = reader.follower.held("ConfigMap", ())
    assert held is None or not isinstance(held, str)
    return {(item.metadata.name, item.metadata.resource_version) for item in held.items} if held else set()


async def until(reader: FollowingReader, wanted: set[str]) -> None:
    async with asyncio.timeout(10):
        while names(reader) != wanted:  # noqa: ASYNC110  also becoming too old to be trusted is waited for, which nobody tells
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "paged"])
@pytest.mark.parametrize("seed", range(40))
async def test_whatever_goes_wrong_the_mirror_ends_as_the_list_does(seed: int, streams: bool) -> None:
    server = WatchedServer(seed, FAULTS, streams=streams)
    chance = random.Random(seed)
    for number in range(5):
        server.put(f"first-{number}")
    async with following(server) as reader:
        for _ in range(60):
            name = f"map-{chance.randrange(12)}"
            if name in server.objects and chance.random() < 0.4:
                server.delete(name)
            else:
                server.put(name)
            if chance.random() < 0.05:
                server.forget()
            if chance.random() < 0.2:
                await asyncio.sleep(0.001)
        server.faults = ("none",)
        server.end_all()
        wanted = {(name, item["metadata"]["resourceVersion"]) for name, item in server.objects.items()}
        async with asyncio.timeout(10):
            while versions(reader) != wanted:  # noqa: ASYNC110  as above
                await asyncio.sleep(0.002)


async def test_a_watch_that_ends_goes_on_where_it_stood_and_lists_nothing_again() -> None:
    server = WatchedServer()
    server.put("one")
    async with following(server) as reader:
        assert await reader.follower.settled(5)
        for number in range(5):
            server.end_all()
            server.put(f"later-{number}")
            await until(reader, {"one", *(f"later-{each}" for each in range(number + 1))})
    first, *others = server.asked
    assert first["sendInitialEvents"] == "true"
    assert others
    assert all("resourceVersion" in query and "sendInitialEvents" not in query for query in others)


async def test_what_was_deleted_while_the_version_expired_is_gone() -> None:
    server = WatchedServer()
    server.put("stays")
    server.put("goes")
    async with following(server) as reader:
        await until(reader, {"stays", "goes"})
        server.faults = ("refused-connection",)
        server.end_all()
        server.delete("goes")
        server.forget()
        server.faults = ("none",)
        await until(reader, {"stays"})


async def test_until_a_streamed_list_is_whole_the_old_one_is_shown() -> None:
    server = WatchedServer(faults=("none",))
    for number in range(30):
        server.put(f"map-{number}")
    async with following(server, pace=QUICK._replace(trusted=60)) as reader:
        await until(reader, set(server.objects))
        server.faults = ("ends",)  # each streamed list breaks off before its end
        server.forget()
        server.end_all()
        await asyncio.sleep(0.02)
        assert len(names(reader) or ()) == 30


async def test_an_older_server_is_listed_and_never_asked_to_stream() -> None:
    server = WatchedServer(minor=31)
    server.put("one")
    async with following(server) as reader:
        await until(reader, {"one"})
    assert "watch" not in server.asked[0]
    assert all("sendInitialEvents" not in query for query in server.asked)


async def test_a_look_asks_nothing_while_in_touch_and_lists_when_it_is_not() -> None:
    server = WatchedServer()
    server.put("one")
    async with following(server) as reader:
        await until(reader, {"one"})
        await reader.snapshot(KIND)
        before = len(server.asked)
        found = await reader.snapshot(KIND)
        assert [item.metadata.name for item in found.of("ConfigMap")] == ["one"]
        assert len(server.asked) == before
        server.down = True
        server.end_all()
        await asyncio.sleep(0.1)
        assert names(reader) is None, "older than is trusted"
        server.down = False
        server.answers = [httpx.Response(503)] * 3
        assert [item.metadata.name for item in (await reader.snapshot(KIND)).of("ConfigMap")] == ["one"]


async def test_namespaces_are_told_apart() -> None:
    server = WatchedServer()
    server.put("one", namespace="shop")
    server.put("two", namespace="bank")
    async with following(server) as reader:
        await until(reader, {"one", "two"})
        assert names(reader, ["bank"]) == {"two"}
    async with following(server, ["shop"]) as reader:
        assert await reader.follower.settled(5)
        assert names(reader) is None, "the whole cluster is not what is followed"
        assert names(reader, ["bank"]) is None


async def test_what_may_not_be_read_is_said_and_taken_up_when_it_may() -> None:
    server = WatchedServer()
    server.put("one")
    no = httpx.Response(403, json={"code": 403, "reason": "Forbidden", "message": "configmaps is forbidden"})
    server.answers = [no]
    async with following(server) as reader:
        assert await reader.follower.settled(5)
        said = (await reader.snapshot(KIND)).unread["ConfigMap"]
        assert "not allowed to watch configmaps" in said
        assert 'verbs: ["watch"]' in said
        await until(reader, {"one"})


async def test_what_is_not_served_is_said() -> None:
    server = WatchedServer()
    server.answers = [httpx.Response(404, json={"code": 404})]
    async with following(server, pace=QUICK._replace(refused=60)) as reader:
        assert await reader.follower.settled(5)
        assert (await reader.snapshot(KIND)).unread == {"ConfigMap": "not served by this cluster"}


async def test_a_stream_of_no_events_is_not_believed() -> None:
    server = WatchedServer()
    server.put("one")
    server.answers = [httpx.Response(200, content=b"<html>a proxy</html>\n"), httpx.Response(200, content=line("SUNSET", {}))]
    async with following(server) as reader:
        await until(reader, {"one"})


async def test_who_waits_is_told_of_a_change() -> None:
    server = WatchedServer()
    async with following(server) as reader:
        assert await reader.follower.settled(5)
        known = reader.follower.moves
        waiting = asyncio.create_task(reader.follower.moved(known))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        server.put("one")
        assert await asyncio.wait_for(waiting, 60) > known
