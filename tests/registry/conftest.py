"""One embedded Valkey for these tests, a free port, and a database number per test that is emptied first."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis.asyncio

from registry import sealing
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
async def older(url: str) -> AsyncIterator[str]:
    """The same server as one that does not know IFEQ: a relay puts another word in its place, which the server refuses as it would."""
    at = urlsplit(url)
    relays: set[asyncio.Task[None]] = set()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(65_536):
                sink.write(chunk.replace(b"IFEQ", b"IFXX"))
                await sink.drain()
        sink.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(at.hostname, at.port)
        relays.add(asyncio.create_task(pump(reader, inner_writer)))
        relays.add(asyncio.create_task(pump(inner_reader, writer)))

    listener = await asyncio.start_server(relay, "127.0.0.1", 0)
    yield url.replace(f":{at.port}/", f":{listener.sockets[0].getsockname()[1]}/")
    listener.close()
    for task in relays:
        task.cancel()
    await asyncio.gather(*relays, return_exceptions=True)


@pytest.fixture
async def registry(url: str) -> AsyncIterator[Registry]:
    found = Registry(url)
    yield found
    await found.close()


@pytest.fixture
async def tasks(url: str) -> AsyncIterator[Tasks]:
    found = Tasks(url, b"k" * sealing.BYTES, take_over_ms=150)
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
