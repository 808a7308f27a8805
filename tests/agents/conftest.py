"""A simulated cluster in this process, read over its own HTTP interface; and hand-built snapshots for what no world plants."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from agents.catalogue import AGENTS
from agents.consulting import Consultation, consult
from core.actions.catalogue import parse_proposal
from core.cluster.kinds import KINDS
from core.cluster.queries import Query, Sample, Series
from core.domain.action import Live
from core.domain.money import InstancePrice, PriceList, PriceSource
from core.domain.objective import Objectives
from core.domain.proposal import Proposal
from simulator.app import build
from simulator.authn import MASTERS, User
from simulator.worlds import loading
from simulator.worlds.loading import load
from simulator.worlds.running import Running, start
from tools.hand_clock import HandClock
from tools.kubernetes.snapshots import SnapshotReader
from tools.metrics import answers

PRICED = PriceList(
    source=PriceSource(name="test list", at=datetime.fromisoformat("2026-11-01T00:00:00+00:00")),
    instances=(
        InstancePrice(instance_type="m6.4xlarge", cpu_milli=16000, memory_mib=65536, hourly_micro_usd=768_000),
        InstancePrice(instance_type="g6.12xlarge", cpu_milli=32000, memory_mib=131072, gpus=4, hourly_micro_usd=4_602_000),
    ),
)


class HttpMetrics:
    """The Prometheus HTTP API of a simulated cluster, asked in process."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def instant(self, query: Query, at: datetime) -> tuple[Sample, ...]:
        return answers.samples(await self._ask("query", {"query": query.promql(), "time": str(at.timestamp())}))

    async def range(self, query: Query, start: datetime, end: datetime, step_seconds: int) -> tuple[Series, ...]:
        span = {"start": str(start.timestamp()), "end": str(end.timestamp()), "step": str(step_seconds)}
        return answers.series(await self._ask("query_range", {"query": query.promql(), **span}))

    async def _ask(self, path: str, data: dict[str, str]) -> list[dict[str, Any]]:
        response = await self._client.post(f"/prometheus/api/v1/{path}", data=data)
        response.raise_for_status()
        found: list[dict[str, Any]] = response.json()["data"]["result"]
        return found


class Box:
    """A running world with a reader and metrics."""

    def __init__(self, running: Running, client: httpx.AsyncClient) -> None:
        self.running = running
        self.client = client
        self.clock = HandClock(running.clock.now())
        self.reader = SnapshotReader(client, self.clock)
        self.metrics = HttpMetrics(client)

    async def consult(
        self,
        name: str,
        *,
        objectives: Objectives | None = None,
        prices: PriceList | None = PRICED,
        namespaces: tuple[str, ...] = (),
        run: str = "run-1",
    ) -> Consultation:
        agent = next(agent for agent in AGENTS if agent.name == name)
        return await consult(
            agent,
            reader=self.reader,
            metrics=self.metrics,
            objectives=objectives or Objectives(),
            prices=prices,
            now=self.running.clock.now(),
            run=run,
            namespaces=namespaces,
        )

    async def apply(self, proposal: Proposal) -> None:
        """Send the proposal's write as the executor would, after a round trip over the wire form."""
        action = parse_proposal(proposal.model_dump_json()).action
        found = await self.reader.get(KINDS[action.target.kind], action.target.namespace, action.target.name)
        assert found is not None
        related = {item.name: await self.reader.get(KINDS[item.kind], item.namespace, item.name) or {} for item in action.related()}
        request = action.request(Live(found, related))
        headers = {"Content-Type": request.content_type}
        method = {"patch": "PATCH", "delete": "DELETE"}[request.verb]
        response = await self.client.request(method, request.path, content=json.dumps(request.body), headers=headers)
        assert response.status_code in (200, 202), response.text

    def pass_time(self, seconds: int) -> None:
        self.running.clock.advance(seconds)
        self.clock.advance(seconds)


def small(**changes: Mapping[str, Any]) -> dict[str, Any]:
    """The small healthy world; `changes` are laid over its workloads by name, `world` over the document itself."""
    document: dict[str, Any] = yaml.safe_load((Path(loading.__file__).parent / "small.yaml").read_text())
    over = dict(changes)
    document |= over.pop("world", {})
    document["workloads"] = [{**workload, **over.pop(workload["name"], {})} for workload in document["workloads"]]
    document["workloads"] += [{"name": name, "namespace": "apps", **more} for name, more in over.items()]
    return document


@pytest.fixture(name="small")
def _small() -> Callable[..., dict[str, Any]]:
    return small


@cache
def _looked_at(name: str) -> Running:
    return start(load(name))


Boxes = Callable[..., Box]


@pytest.fixture
async def box() -> AsyncIterator[Boxes]:
    """Starts a world; the client ends with the test."""
    clients: list[httpx.AsyncClient] = []

    def open_box(source: str | Mapping[str, Any], *, fresh: bool = False) -> Box:
        """A bundled world is shared by all tests of this process, which only look at it, unless a fresh one is asked for."""
        running = _looked_at(source) if isinstance(source, str) and not fresh else start(load(source))
        application = build(
            running.store, running.clock, {"t": User("admin", (MASTERS,))}, running.usage, running.metrics_app, running.logs
        )
        transport = httpx.ASGITransport(app=application)
        client = httpx.AsyncClient(transport=transport, base_url="http://cluster.test", headers={"Authorization": "Bearer t"})
        clients.append(client)
        return Box(running, client)

    yield open_box
    for client in clients:
        await client.aclose()
