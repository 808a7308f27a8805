"""Clients of the stream of events: 200 of them at once on the server that is served, each on a connection of its own over loopback.

Every client must get every event, in order. Told is what an event costs until all clients have it, from the commit of its record, and the
server's CPU for each event and client. Clients run in this process too, so their reading is within the wall's figure and outside none.
"""

import asyncio
import contextlib
import json
import socket
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from benchmarks.intaking import TOKEN, opened
from core.domain.ledger import Ledger
from interfaces.api.routes import BASE, STREAM
from interfaces.web.app import build
from interfaces.web.callers import LocalToken
from interfaces.web.house import House
from runtime.services.offering import Offers
from runtime.services.offers.table import OFFERS
from runtime.settings import AccessSettings, Settings, load

CLIENTS, EVENTS = 200, 50
GOAL_MS = 2_000
"""What people wait for at most when something moved: ux.md's two seconds from one door to another."""


def run() -> list[str]:
    """One line."""
    with tempfile.TemporaryDirectory(prefix="day2-bench-") as name:
        settings = load({"store.data_dir": Path(name) / "data", "web.requests_per_minute": 0}, environment={}, files=()).settings
        seconds, cpu = asyncio.run(_measured(settings))
    p99 = sorted(seconds)[int(len(seconds) * 0.99)] * 1000
    word = "met" if p99 <= GOAL_MS else "short"
    told = f"median {statistics.median(seconds) * 1000:.0f} ms, CPU {cpu * 1e6:.0f} us for each event and client"
    return [
        f"EVENT_CLIENTS ({CLIENTS} clients, {EVENTS} events, until the last has it, p99 ms; {told}): ours {p99:.0f}, goal {GOAL_MS}: {word}"
    ]


async def _measured(settings: Settings) -> tuple[list[float], float]:
    with contextlib.ExitStack() as stack:
        ports = opened(settings, stack)
        app = build(House(Offers(OFFERS, ports), settings, "http://bench", (LocalToken(TOKEN, AccessSettings(), "api"),)))
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=CLIENTS))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        found: list[dict[str, float]] = [{} for _ in range(CLIENTS)]
        clients = [asyncio.create_task(_follow(listening.getsockname()[1], seen)) for seen in found]
        while ports.beyond.events.followers < CLIENTS:  # noqa: ASYNC110  its own count is what is asked about
            await asyncio.sleep(0.05)
        cpu, sent = time.process_time(), await _recorded(ports.ledger)
        await asyncio.gather(*clients)
        cpu = time.process_time() - cpu
        server.should_exit = True
        await serving
    for seen in found:
        if list(seen) != list(sent):
            raise AssertionError("a client missed an event, or got it out of order")
    return [max(seen[name] for seen in found) - at for name, at in sent.items()], cpu / CLIENTS / EVENTS


async def _recorded(ledger: Ledger) -> dict[str, float]:
    sent: dict[str, float] = {}
    for number in range(EVENTS):
        subject = f"run-{number}"
        body = {"trigger": "api", "by": "oidc:ana", "text": "what is wrong in shop? " * 10}
        await asyncio.to_thread(
            lambda subject=subject, body=body: ledger.record(
                role="door", event="run.started", subject=subject, body=body, at=datetime.now(UTC)
            )
        )
        sent[subject] = time.perf_counter()
        await asyncio.sleep(0.1)
    return sent


async def _follow(port: int, seen: dict[str, float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {BASE}{STREAM}?after=0 HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
    while len(seen) < EVENTS:
        line = await reader.readline()
        if not line:
            raise AssertionError("the server hung up")
        if line.startswith(b"data: "):
            seen[json.loads(line.removeprefix(b"data: "))["subject"]] = time.perf_counter()
    writer.close()
