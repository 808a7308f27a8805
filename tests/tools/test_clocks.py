"""Each clock tells aware UTC and wakes its sleepers when their time has come, not before."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from core.domain.errors import Unavailable
from tools.clocks import HttpClock, SystemClock, clock_of
from tools.hand_clock import HandClock

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


async def test_the_hand_moved_clock_stands_until_it_is_moved() -> None:
    clock = HandClock(START)
    sleepers = [asyncio.create_task(clock.sleep(seconds)) for seconds in (5, 10)]
    await asyncio.sleep(0)
    clock.advance(5)
    await asyncio.sleep(0)
    assert [sleeper.done() for sleeper in sleepers] == [True, False]
    clock.advance(5)
    await asyncio.gather(*sleepers)
    assert clock.now() == START + timedelta(seconds=10)


async def test_sleeping_for_no_time_returns_at_once() -> None:
    await asyncio.wait_for(HandClock(START).sleep(0), 1)


async def test_the_system_clock_tells_utc() -> None:
    clock = clock_of("system")
    assert isinstance(clock, SystemClock)
    assert clock.now().utcoffset() == timedelta(0)
    await clock.sleep(0)


class Simulator(BaseHTTPRequestHandler):
    """A minute passes with each look."""

    looks = 0
    broken = False

    def do_GET(self) -> None:
        type(self).looks += 1
        body = b"{}" if type(self).broken else f'{{"now": "{(START + timedelta(minutes=type(self).looks)).isoformat()}"}}'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""


@pytest.fixture
def simulator() -> Iterator[tuple[type[Simulator], str]]:
    handler = type("Fresh", (Simulator,), {"looks": 0})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield handler, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_virtual_time_is_asked_for_and_slept_through(simulator: tuple[type[Simulator], str]) -> None:
    handler, url = simulator
    clock = HttpClock(url)
    assert await asyncio.to_thread(clock.now) == START + timedelta(minutes=1)
    await clock.sleep(150)
    assert handler.looks == 5
    clock.close()


def test_a_simulator_that_tells_no_time_is_unavailable(simulator: tuple[type[Simulator], str]) -> None:
    handler, url = simulator
    handler.broken = True
    clock = HttpClock(url)
    with pytest.raises(Unavailable, match="clock"):
        clock.now()
    clock.close()
