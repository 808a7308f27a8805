"""An agent as a process of its own: simulator and embedded Valkey beside it, asked through the queue as the controller asks."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.catalogue import AGENTS
from core.domain.errors import InvalidInput, Unavailable
from core.domain.finding import Coverage
from core.domain.request import Request
from registry import sealing
from registry.embedded import embedded
from registry.membership import Registry, State
from registry.tasks import Tasks
from runtime.consulting import InProcess, ThroughQueue
from runtime.leasing import card_of
from runtime.processes import dies_with_parent
from runtime.roles import agent as role
from runtime.roles import reading
from runtime.roles.agent import AgentSettings, Work

pytestmark = pytest.mark.slow

NAME = "security"
REQUEST = Request(id="run-1", trigger="chat", by="ann", text="any privileged pods?", at=datetime(2026, 1, 5, 12, tzinfo=UTC))


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The small world, on a free port."""
    folder = tmp_path_factory.mktemp("simulator")
    command = [sys.executable, "-m", "simulator.serving", "--world", "small", "--kubeconfig", str(folder / "kubeconfig")]
    process = subprocess.Popen([*command, "--parent-pid", str(os.getpid())], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with embedded(tmp_path / "registry", dies_with_parent) as address:
        yield address


@dataclass
class Gatekeeper:
    """An API server that lets nobody through until `open`: an agent that asks it is in the middle of its task."""

    url: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            self.asked.set()
            await self.opened.wait()
            body = b'{"kind":"Status","code":403,"reason":"Forbidden","message":"no"}'
            head = f"HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
        writer.close()


@pytest.fixture
async def gatekeeper() -> AsyncIterator[Gatekeeper]:
    keeper = Gatekeeper()
    server = await asyncio.start_server(keeper.answer, "127.0.0.1", 0)
    keeper.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield keeper
    keeper.opened.set()
    server.close()


@dataclass
class Running:
    """One agent process with its ready line."""

    process: asyncio.subprocess.Process
    ready: dict[str, Any]

    async def ended(self) -> int:
        async with asyncio.timeout(20):
            return await self.process.wait()


Starting = Callable[..., Any]


@pytest.fixture
async def start(tmp_path: Path, url: str, simulator: dict[str, str]) -> AsyncIterator[Starting]:
    """Starts agents of this simulator, or of another API server; ends them all."""
    running: list[Running] = []

    async def begin(*, api: str = "", name: str = NAME, lease: int = 2, **more: Any) -> Running:
        kubeconfig = Path(simulator["kubeconfig"]) if not api else written(tmp_path / f"api{len(running)}", api)
        clock = "system" if api else simulator["url"]
        wanted = {
            "registry_url": url,
            "key_file": tmp_path / "agents.key",
            "lease_seconds": lease,
            "renew_seconds": 0.3,
            "kubeconfig": kubeconfig,
            "clock": clock,
        } | more
        settings = AgentSettings(**wanted)
        path = tmp_path / f"agent{len(running)}.json"
        path.touch(0o600)
        path.write_text(settings.model_dump_json(), encoding="utf-8")
        command = [sys.executable, "-m", "runtime.roles.agent", "--settings", str(path), "--agent", name]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        line = await process.stdout.readline()
        running.append(Running(process, json.loads(line) if line else {}))
        return running[-1]

    yield begin
    for item in running:
        if item.process.returncode is None:
            item.process.kill()
        await item.process.communicate()


def written(path: Path, server: str) -> Path:
    cluster = {"name": "c", "cluster": {"server": server}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    user = {"name": "u", "user": {"token": "t"}}
    document = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "users": [user], "contexts": [context], "current-context": "c"}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture
async def registry(url: str) -> AsyncIterator[Registry]:
    found = Registry(url)
    yield found
    await found.close()


@pytest.fixture
async def asking(url: str, tmp_path: Path) -> AsyncIterator[Callable[[float], ThroughQueue]]:
    tasks = Tasks(url, sealing.key(tmp_path / "agents.key"))

    async def elsewhere() -> frozenset[str]:
        return frozenset({NAME})

    def through(wait_seconds: float) -> ThroughQueue:
        return ThroughQueue(tasks, elsewhere, nobody(), wait_seconds)

    yield through
    await tasks.close()


def nobody() -> InProcess:
    """No agents of our own."""
    unused: Any = None
    return InProcess({}, unused, None, unused, None, unused)


async def state_of(registry: Registry) -> State | None:
    return next((member.state for member in await registry.members() if member.name == NAME), None)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110  another process moves
            await asyncio.sleep(0.05)


async def test_the_controller_asks_and_the_agents_own_process_answers(
    start: Starting, registry: Registry, asking: Any, simulator: dict[str, str]
) -> None:
    running = await start()
    assert (running.ready["role"], running.ready["agent"], running.ready["pid"]) == ("agent", NAME, running.process.pid)
    assert await state_of(registry) is State.READY
    answer = await asking(20).consult(NAME, REQUEST)
    assert answer["agent"] == NAME
    assert Coverage.model_validate_json(json.dumps(answer["coverage"])).run
    assert answer["findings"] == (await here(simulator))["findings"]


async def here(simulator: dict[str, str]) -> Any:
    """The same agent asked in this process."""
    settings = AgentSettings(
        registry_url="", key_file=Path("unused"), kubeconfig=Path(simulator["kubeconfig"]), clock=simulator["url"]
    ).for_reading()
    async with reading.opened(settings) as view:
        return await role._local(NAME, view).consult(NAME, REQUEST)


async def test_a_lease_outlives_its_time_while_the_process_lives(start: Starting, registry: Registry) -> None:
    await start(lease=1)
    await asyncio.sleep(1.5)
    assert await state_of(registry) is State.READY


async def test_an_agent_killed_in_the_middle_of_a_task_is_said_to_be_late_and_expires(
    start: Starting, registry: Registry, asking: Any, gatekeeper: Gatekeeper
) -> None:
    running = await start(api=gatekeeper.url, lease=1)
    question = asyncio.create_task(asking(2).consult(NAME, REQUEST))
    await asyncio.wait_for(gatekeeper.asked.wait(), 10)
    running.process.send_signal(signal.SIGKILL)
    with pytest.raises(Unavailable, match="no answer within 2 s"):
        await question
    await until(lambda: expired(registry))


async def expired(registry: Registry) -> bool:
    return await state_of(registry) is State.EXPIRED


async def test_the_task_of_a_killed_agent_is_taken_over_by_another_instance(start: Starting, asking: Any, gatekeeper: Gatekeeper) -> None:
    first = await start(api=gatekeeper.url, lease=1)
    question = asyncio.create_task(asking(30).consult(NAME, REQUEST))
    await asyncio.wait_for(gatekeeper.asked.wait(), 10)
    first.process.send_signal(signal.SIGKILL)
    second = await start(lease=1)
    answer = await question
    assert answer["coverage"]["run"]
    assert second.ready["instance"] != first.ready["instance"]


async def test_a_told_stop_finishes_the_task_and_gives_the_lease_back(
    start: Starting, registry: Registry, asking: Any, gatekeeper: Gatekeeper
) -> None:
    running = await start(api=gatekeeper.url)
    question = asyncio.create_task(asking(20).consult(NAME, REQUEST))
    await asyncio.wait_for(gatekeeper.asked.wait(), 10)
    running.process.send_signal(signal.SIGTERM)
    await until(lambda: draining(registry))
    gatekeeper.opened.set()
    answer = await asyncio.gather(question, return_exceptions=True)
    assert "no answer" not in str(answer[0])  # it answered: with what it could read, or with why it could not
    assert await running.ended() == 0
    assert await state_of(registry) is State.EXPIRED
    events = [change.event for change in await registry.changes()]
    assert events == ["registered", "ready", "draining", "released"]


async def draining(registry: Registry) -> bool:
    return await state_of(registry) is State.DRAINING


async def test_one_of_two_instances_may_stop_while_the_agent_goes_on(start: Starting, registry: Registry, asking: Any) -> None:
    first = await start()
    await start()
    first.process.send_signal(signal.SIGTERM)
    assert await first.ended() == 0
    assert await state_of(registry) is State.READY
    assert (await asking(20).consult(NAME, REQUEST))["agent"] == NAME


async def test_a_suspended_agent_that_starts_again_stays_suspended(start: Starting, registry: Registry) -> None:
    first = await start()
    await registry.move(NAME, State.SUSPENDED)
    first.process.send_signal(signal.SIGTERM)
    await first.ended()
    await start()
    assert await state_of(registry) is State.SUSPENDED


PARENT = """
import json, os, subprocess, sys, time
settings = sys.argv[1]
with open(settings) as source:
    document = json.load(source)
document["parent"] = os.getpid()
with open(settings, "w") as sink:
    json.dump(document, sink)
command = [sys.executable, "-m", "runtime.roles.agent", "--settings", settings, "--agent", "security"]
child = subprocess.Popen(command, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


async def test_it_ends_with_its_parent(tmp_path: Path, url: str, simulator: dict[str, str], registry: Registry) -> None:
    path = tmp_path / "agent.json"
    kubeconfig = Path(simulator["kubeconfig"])
    path.write_text(
        AgentSettings(
            registry_url=url, key_file=tmp_path / "agents.key", lease_seconds=2, renew_seconds=0.5, kubeconfig=kubeconfig
        ).model_dump_json()
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, str(path), stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    assert await state_of(registry) is State.READY
    parent.kill()
    await parent.wait()

    async def gone() -> bool:
        return not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]

    await until(gone)


async def failed(tmp_path: Path, name: str, text: str) -> tuple[int, str]:
    path = tmp_path / "bad.json"
    path.write_text(text)
    command = [sys.executable, "-m", "runtime.roles.agent", "--settings", str(path), "--agent", name]
    process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("networking", '{"registry_url": "redis://127.0.0.1:1/0", "key_file": "k"}', "one of: finops, reliability, scaling, security"),
        (NAME, '{"registry_url": "redis://127.0.0.1:1/0", "key_file": "k", "kubeconfig": "/nonexistent"}', "kubeconfig"),
        (NAME, "not json", "JSON"),
        (NAME, '{"registry_url": "redis://127.0.0.1:1/0", "key_file": "k", "unknown": 1}', "unknown"),
    ],
)
async def test_what_cannot_start_says_why_in_words(tmp_path: Path, name: str, text: str, says: str) -> None:
    code, errors = await failed(tmp_path, name, text)
    assert code == 1
    assert says in errors
    assert "Traceback" not in errors


async def test_without_a_registry_it_does_not_start(tmp_path: Path, simulator: dict[str, str]) -> None:
    nowhere = "redis://:canary-word@127.0.0.1:1/0"
    settings = AgentSettings(
        registry_url=nowhere, key_file=tmp_path / "agents.key", kubeconfig=Path(simulator["kubeconfig"]), clock=simulator["url"]
    )
    code, errors = await failed(tmp_path, NAME, settings.model_dump_json())
    assert code == 1
    assert "doctor" in errors
    assert "canary-word" not in errors


@pytest.mark.parametrize("body", [{}, {"agent": "finops"}, {"agent": NAME}, {"agent": NAME, "request": {"id": 1}}])
async def test_a_task_that_is_none_is_refused_in_words(body: Any) -> None:
    with pytest.raises(InvalidInput):
        await Work(NAME, nobody())(body)


async def test_a_defect_of_the_agent_is_told_to_its_asker() -> None:
    found = next(item for item in AGENTS if item.name == NAME)
    unused: Any = None
    work = Work(NAME, InProcess({NAME: found}, unused, None, unused, None, unused))
    with pytest.raises(Unavailable, match="its own defect: AttributeError"):
        await work({"agent": NAME, "request": REQUEST.model_dump(mode="json")})


@pytest.mark.parametrize("found", AGENTS, ids=lambda item: item.name)
def test_a_card_promises_what_the_agents_table_has(found: Any) -> None:
    card = card_of(found)
    assert card.checks == tuple(detector.code for detector in found.detectors)
    assert tuple(item.id for item in card.capabilities) == found.capabilities
