"""Each clock tells aware UTC and wakes its sleepers when their time has come, not before."""

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import Unavailable
from tools.clocks import POLL_SECONDS, HttpClock, SystemClock, clock_of
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
    await asyncio.wait_for(HandClock(START).sleep(0), 60)


async def test_the_system_clock_tells_utc() -> None:
    clock = clock_of("system")
    assert isinstance(clock, SystemClock)
    assert clock.now().utcoffset() == timedelta(0)
    await clock.sleep(0)


async def test_the_system_clock_lets_time_pass_while_it_sleeps() -> None:
    clock = clock_of("system")
    before = clock.now()
    await clock.sleep(0.05)
    assert clock.now() - before > timedelta(seconds=0.04)


class Simulator(BaseHTTPRequestHandler):
    """A minute passes with each look."""

    looks = 0
    broken = False
    status = 200

    def do_GET(self) -> None:
        type(self).looks += 1
        body = b"{}" if type(self).broken else f'{{"now": "{(START + timedelta(minutes=type(self).looks)).isoformat()}"}}'.encode()
        self.send_response(type(self).status)
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


async def test_a_sleep_is_over_at_its_very_moment(simulator: tuple[type[Simulator], str]) -> None:
    handler, url = simulator
    clock = HttpClock(url)
    await clock.sleep(120)
    assert handler.looks == 3
    clock.close()


async def test_others_go_on_while_one_sleeps_and_the_simulator_is_asked_now_and_then(simulator: tuple[type[Simulator], str]) -> None:
    handler, url = simulator
    clock, before, turns = HttpClock(url), asyncio.get_running_loop().time(), 0
    sleeper = asyncio.create_task(clock.sleep(60 * 20))
    while not sleeper.done():
        turns += 1
        await asyncio.sleep(0)
    assert handler.looks == 21
    assert asyncio.get_running_loop().time() - before >= 19 * POLL_SECONDS, "it was asked more often than it said"
    assert turns > 1
    clock.close()


def test_an_error_page_with_a_time_on_it_tells_no_time(simulator: tuple[type[Simulator], str]) -> None:
    handler, url = simulator
    handler.status = 503
    clock = HttpClock(url)
    with pytest.raises(Unavailable, match="clock"):
        clock.now()
    clock.close()


def test_a_clock_that_was_closed_is_asked_no_more(simulator: tuple[type[Simulator], str]) -> None:
    handler, url = simulator
    clock = HttpClock(url)
    clock.now()
    clock.close()
    with pytest.raises(RuntimeError, match="closed"):
        clock.now()
    assert handler.looks == 1


def test_no_proxy_of_the_environment_is_asked_for_the_time(simulator: tuple[type[Simulator], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    clock = HttpClock(simulator[1])
    assert clock.now() == START + timedelta(minutes=1)
    clock.close()


@pytest.fixture
def authority(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    line = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj /CN=localhost -keyout key -out crt"
    subprocess.run([*line.split(), "-addext", "subjectAltName=DNS:localhost"], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path / "crt", tmp_path / "key"


def test_a_simulator_with_a_certificate_is_believed_when_its_authority_is_ours(authority: tuple[Path, Path]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority)
    server = HTTPServer(("127.0.0.1", 0), type("Fresh", (Simulator,), {"looks": 0}))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"https://localhost:{server.server_address[1]}"
    ours, strange = clock_of(url, authority[0].read_text()), clock_of(url)
    try:
        assert ours.now() == START + timedelta(minutes=1)
        with pytest.raises(Unavailable, match="clock"):
            strange.now()
    finally:
        for clock in (ours, strange):
            assert isinstance(clock, HttpClock)
            clock.close()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_simulator_that_tells_no_time_is_unavailable(simulator: tuple[type[Simulator], str]) -> None:
    handler, url = simulator
    handler.broken = True
    clock = HttpClock(url)
    with pytest.raises(Unavailable, match="clock"):
        clock.now()
    clock.close()
