"""One embedded Valkey for these tests, a free port, and a database number per test that is emptied first."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis.asyncio

from registry.cards import Capability, Card
from registry.embedded import embedded
from registry.membership import Registry
from registry.tasks import Tasks
from runtime.processes import dies_with_parent

_databases = itertools.cycle(range(1, 16))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded(tmp_path_factory.mktemp("valkey"), dies_with_parent) as url:
        yield url


@pytest.fixture
async def url(server: str) -> str:
    """An empty database of the server."""
    address = server.removesuffix("/0") + f"/{next(_databases)}"
    async with redis.asyncio.Redis.from_url(address) as client:
        await client.flushdb()
    return address


@pytest.fixture
async def client(url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """For what a stranger with access to Redis could write."""
    async with redis.asyncio.Redis.from_url(url, decode_responses=True) as open_client:
        yield open_client


@pytest.fixture
async def registry(url: str) -> AsyncIterator[Registry]:
    found = Registry(url)
    yield found
    await found.close()


@pytest.fixture
async def tasks(url: str) -> AsyncIterator[Tasks]:
    found = Tasks(url, take_over_ms=150)
    yield found
    await found.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "registry"


def card(name: str = "finops", version: str = "1.0", capabilities: tuple[str, ...] = ("set_requests",)) -> Card:
    rows = tuple(Capability(id=item, risk="low", reversible=True, rights=()) for item in capabilities)
    return Card(name=name, description="what is paid for and not used", version=version, capabilities=rows)


@pytest.fixture(name="card")
def _card() -> object:
    return card
