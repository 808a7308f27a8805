"""The live stream: one look for all, what changed by its id, nobody's slowness is anybody else's."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from interfaces.console import live
from interfaces.console.guarding import named
from interfaces.console.live import Hub
from interfaces.console.sessions import COOKIE, Desk
from tests.contracts.consoles import Browser, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def request_of(world: World) -> Request:
    browser = Browser(world)
    await browser.log_in()
    cookie = f"{COOKIE}={browser.client.cookies[COOKIE]}".encode()
    return Request({"type": "http", "method": "GET", "path": "/live", "query_string": b"", "headers": [(b"cookie", cookie)]})


def hub(world: World) -> Hub:
    assert world.ports.sessions is not None
    return Hub(Desk(world.house, world.ports.sessions))


async def heard(stream: Any, *wanted: str) -> list[str]:
    """Names of events until all that are wanted came."""
    names: list[str] = []
    while not set(wanted) <= set(names):
        event = await asyncio.wait_for(anext(stream), 60)
        names.append(str(event.event))
    return names


async def over(stream: Any) -> bool:
    """It ends within a few events."""
    for _ in range(10):
        if await asyncio.wait_for(anext(stream, None), 60) is None:
            return True
    return False


async def test_everybody_hears_of_each_subject_once_and_the_ledger_is_read_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    made, asked = hub(world), await request_of(world)
    streams = [made._told(asked, 0) for _ in range(20)]
    for stream in streams:
        await heard(stream, "beat")
    row = await world.action()
    world.run("run-9")
    for stream in streams:
        names = await heard(stream, row.action_id, "run-9", "changed", "new")
        assert names.count(row.action_id) == 1
    for stream in streams:
        await stream.aclose()
    assert made.clients == 0


async def test_what_happened_between_a_page_and_its_stream_is_told(world: World) -> None:
    asked, place = await request_of(world), 0
    await world.action()
    world.ports.history.catch_up()
    place = world.ports.history.place
    row = await world.action(name="late")
    stream = hub(world)._told(asked, place)
    names = await heard(stream, row.action_id, "changed")
    assert "act-0001" not in names
    await stream.aclose()


async def test_who_never_reads_is_dropped_and_the_others_hear_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(live, "WAITING_EVENTS", 4)
    made, asked = hub(world), await request_of(world)
    slow, quick = made._told(asked, 0), made._told(asked, 0)
    await heard(slow, "beat")
    await heard(quick, "beat")
    for number in range(6):
        row = await world.action(name=f"w{number}")
        await heard(quick, row.action_id)
    assert made.clients == 1
    assert await over(slow)
    await quick.aclose()


async def test_a_session_that_ended_ends_its_stream(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(live, "BEAT_SECONDS", 0.02)
    made, asked = hub(world), await request_of(world)
    stream = made._told(asked, 0)
    await heard(stream, "beat")
    assert world.ports.sessions is not None
    assert world.ports.sessions.close(named(asked.cookies[COOKIE]))
    assert await over(stream)


async def test_nobody_listens_without_a_login(world: World) -> None:
    assert (await Browser(world).get("/live")).status_code == 401


async def test_an_open_page_keeps_no_session_alive(world: World) -> None:
    made, asked = hub(world), await request_of(world)
    world.ports.clock.advance(3599)  # type: ignore[attr-defined]
    assert made._still_in(asked)
    world.ports.clock.advance(2)  # type: ignore[attr-defined]
    assert not made._still_in(asked)
