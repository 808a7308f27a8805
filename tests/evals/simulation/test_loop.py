"""The loop under every world: virtual time, an order drawn from the seed, and nothing that cannot be repeated."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from evals.simulation.loop import SeededLoop, StuckError


def lived(seed: int, story: Callable[[], Awaitable[Any]]) -> tuple[Any, float]:
    loop = SeededLoop(seed)
    try:
        return loop.run_until_complete(story()), loop.time()
    finally:
        loop.close()


async def race() -> str:
    said: list[str] = []

    async def say(name: str) -> None:
        await asyncio.sleep(0)
        said.append(name)

    await asyncio.gather(*(say(name) for name in "abcdef"))
    return "".join(said)


def test_a_day_passes_at_once() -> None:
    assert lived(1, lambda: asyncio.sleep(86_400, "over")) == ("over", 86_400.0)


def test_the_seed_decides_who_goes_first() -> None:
    orders = {lived(seed, race)[0] for seed in range(20)}
    assert len(orders) > 10
    assert lived(4, race) == lived(4, race)


def test_who_waits_for_ever_is_told() -> None:
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(StuckError):
        lived(1, wait)


def test_no_thread_can_be_had() -> None:
    async def think() -> None:
        await asyncio.to_thread(len, "")

    with pytest.raises(RuntimeError, match="a thread was asked for"):
        lived(1, think)
