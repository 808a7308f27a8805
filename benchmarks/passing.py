"""Passing: what the cluster in a box costs before anything is asked of it: filling a world, one virtual minute of it, and its past.

The shop is filled with fourteen days of past; ten minutes pass; then the quantiles of a fortnight in steps of five minutes are asked for,
the dearest query of the closed table.
"""

import asyncio
import time

import httpx

from core.cluster.queries import Query, Shape
from simulator.worlds.running import Running, start

ROUNDS = 3
MINUTES = 10
FORTNIGHT = 14 * 86_400
GOALS = {"filled": 1.5, "a virtual minute": 0.06, "a fortnight's quantiles": 0.3}
"""CPU-seconds."""


def run() -> list[str]:
    """One line each: the least of some rounds."""
    rounds = [_round(seed) for seed in range(ROUNDS)]
    least = {name: min(each[name] for each in rounds) for name in GOALS}
    return [
        f"WORLD ({name}, CPU-s): {least[name]:.3f}, goal <= {goal:g}: {'met' if least[name] <= goal else 'short'}"
        for name, goal in GOALS.items()
    ]


def _round(seed: int) -> dict[str, float]:
    began = time.process_time()
    running = start("shop", seed=seed)
    filled = time.process_time()
    running.clock.advance(MINUTES * 60)
    passed = time.process_time()
    asyncio.run(_asked(running))
    return dict(zip(GOALS, (filled - began, (passed - filled) / MINUTES, time.process_time() - passed), strict=True))


async def _asked(running: Running) -> None:
    text = Query(Shape.CPU_QUANTILE, "shop", window_seconds=FORTNIGHT).promql()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=running.metrics_app), base_url="http://prometheus") as http:
        answer = await http.post("/api/v1/query", data={"query": text})
    answer.raise_for_status()
    if not answer.json()["data"]["result"]:
        raise RuntimeError("the simulator answered no series: nothing was measured")
