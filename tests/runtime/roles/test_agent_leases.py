"""An agent's place in the registry while its process lives."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from core.domain.errors import Refused, Unavailable
from registry.cards import Card
from registry.embedded import embedded
from registry.membership import Registry, State, opened
from runtime.leasing import leases
from runtime.processes import dies_with_parent

CARD = Card(name="finops", description="x", version="1.1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded(tmp_path_factory.mktemp("leases"), dies_with_parent) as url:
        yield url


@pytest.fixture
async def registry(server: str) -> AsyncIterator[Registry]:
    async with opened(server) as found:
        await found._redis.flushdb()
        yield found


async def state(registry: Registry) -> State:
    (member,) = await registry.members()
    return member.state


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110  the keeper says nothing
            await asyncio.sleep(0.01)


async def test_it_is_ready_inside_the_block_and_expired_behind_it(registry: Registry) -> None:
    async with leases(registry, (CARD,), 5):
        assert await state(registry) is State.READY
    assert await state(registry) is State.EXPIRED


async def test_a_lost_lease_is_taken_again(registry: Registry) -> None:
    async with leases(registry, (CARD,), 0.02) as held:
        await registry.release(CARD.name, held.instance)

        async def again() -> bool:
            return await state(registry) is State.READY

        await until(again)


async def test_a_lease_lost_while_draining_is_not_taken_again(registry: Registry) -> None:
    async with leases(registry, (CARD,), 0.02) as held:
        await held.drain()
        assert await state(registry) is State.DRAINING
        await registry.release(CARD.name, held.instance)
        await asyncio.sleep(0.1)
        assert await state(registry) is State.EXPIRED


async def test_draining_leaves_a_suspension_as_it_is(registry: Registry) -> None:
    async with leases(registry, (CARD,), 5) as held:
        await registry.move(CARD.name, State.SUSPENDED)
        await held.drain()
        assert await state(registry) is State.SUSPENDED


async def test_an_older_card_cannot_enter(registry: Registry) -> None:
    await registry.register(CARD, "other")
    with pytest.raises(Refused, match="not later"):
        async with leases(registry, (CARD.model_copy(update={"version": "1.0"}),), 5):
            pass


async def test_without_a_server_nobody_enters() -> None:
    async with opened("redis://127.0.0.1:1/0") as nowhere:
        with pytest.raises(Unavailable):
            async with leases(nowhere, (CARD,), 5):
                pass
