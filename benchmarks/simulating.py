"""The simulated cluster with 10,000 pods (82 MB): what it holds in memory, and how fast it lists them.

In a process of its own, through its ASGI application. The first list of all encodes every pod; later ones find most of it done.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette

from benchmarks import pods
from benchmarks.list_client import peak_mib
from simulator.app import build
from simulator.authn import MASTERS, User
from simulator.clock import VirtualClock
from simulator.resources import resource
from simulator.store import Store

PODS = 10_000
GOAL_MIB = 600
GOAL_MB_A_SECOND = 10
TOKEN = "bench"


class _NoUsage:
    def pods(self, namespace: str | None) -> list[dict[str, object]]:
        del namespace
        return []

    def nodes(self) -> list[dict[str, object]]:
        return []


def run(count: int = PODS) -> list[str]:
    """Two lines: memory and speed. About 20 seconds, most of it the making of the pods."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.simulating", str(count)], check=True, capture_output=True, text=True)
    told = json.loads(done.stdout)
    resident, rate = told["resident_mib"], told["megabytes"] / told["first_seconds"]
    again = told["megabytes"] / told["next_seconds"]
    what = f"{count:,} pods, {told['megabytes']:.0f} MB"
    verdicts = ["met" if good else "short" for good in (resident <= GOAL_MIB, rate >= GOAL_MB_A_SECOND)]
    return [
        f"SIMULATOR_RESIDENT ({what}, MiB at the peak): {resident:.0f}, goal <= {GOAL_MIB}: {verdicts[0]}",
        f"SIMULATOR_LIST ({what}, MB/s, first list; next {again:.0f}): {rate:.0f}, goal >= {GOAL_MB_A_SECOND}: {verdicts[1]}",
    ]


def filled(count: int) -> Starlette:
    """The application of a cluster with so many pods."""
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    store = Store(clock, 7)
    row = resource("", "pods")
    for number in range(count):
        store.create(row, pods.pod(number))
    users = {TOKEN: User("bench", (MASTERS,))}
    return build(store, clock, users, _NoUsage(), Starlette(), lambda *_: "")


async def listed(app: Starlette) -> tuple[int, float]:
    """The size of a list of all pods, and the seconds until its last byte was sent. Nobody keeps what is sent."""
    size = 0
    headers = [(b"authorization", f"Bearer {TOKEN}".encode())]
    scope = {"type": "http", "method": "GET", "path": "/api/v1/pods", "raw_path": b"/api/v1/pods", "query_string": b"", "headers": headers}

    waiting = asyncio.Event()
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, object]:
        """The request, then nothing: the client stays."""
        for message in asked:
            return message
        await waiting.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal size
        size += len(message.get("body", b""))

    start = time.perf_counter()
    await app({**scope, "root_path": "", "scheme": "http", "server": ("simulator", 80)}, receive, send)
    return size, time.perf_counter() - start


def main(count: int) -> None:
    app = filled(count)
    size, first = asyncio.run(listed(app))
    resident = peak_mib()
    _, following = asyncio.run(listed(app))
    print(json.dumps({"resident_mib": resident, "megabytes": size / 1e6, "first_seconds": first, "next_seconds": following}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
