"""The three whole runs on the simulator. The same class runs on the real control plane in tests/cluster."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from agents.catalogue import AGENTS
from core.actions.roles import manifests
from tests.contracts.simulated import simulated
from tests.contracts.whole_runs import Namespaces, Place, WholeRuns, settings_of
from tools.kubernetes import config, transport
from tools.kubernetes.installing import install

NAMESPACES = Namespaces("broken", "large", "open")
WEB: dict[str, Any] = {
    "name": "web",
    "replicas": 3,
    "image": "registry.apps.example/web:v1.4.2",
    "cpu_request_milli": 300,
    "memory_request_mib": 256,
    "memory_limit_mib": 320,
    "service": True,
    "traffic": {"base_rps": 90, "night_rps": 40},
    "cpu": {"idle_milli": 10, "per_rps_milli": 8},
    "memory": {"base_mib": 207, "wave_mib": 10},
    "latency": {"p99_ms": 80, "rps_per_core": 300},
}
WORLD = {
    "name": "runs",
    "start": "2026-11-23T12:20:00Z",
    "nodes": [{"names": ["node-1", "node-2", "node-3"], "cpu_milli": 16000, "memory_mib": 65536, "instance_type": "m6.4xlarge"}],
    "namespaces": [{"name": "broken"}, {"name": "large"}, {"name": "open", "faults": ["no-psa-labels"]}],
    "workloads": [
        {**WEB, "namespace": "broken", "faults": ["crash-after-rollout"]},
        {**WEB, "namespace": "large", "replicas": 4, "faults": ["overprovisioned"]},
        {**WEB, "namespace": "open"},
    ],
}


async def _allow(kubeconfig: Any) -> None:
    async with transport.connect(config.load(kubeconfig)) as admin:
        await install(admin, manifests({agent.name: agent.capabilities for agent in AGENTS}))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("runs")
    (folder / "world.yaml").write_text(json.dumps(WORLD), encoding="utf-8")
    with simulated(folder, world=str(folder / "world.yaml")) as running:
        asyncio.run(_allow(running.kubeconfigs["admin"]))
        settings = settings_of(
            folder, running.kubeconfigs, NAMESPACES, prometheus=f"{running.url}/prometheus", ca=running.ca, clock=running.url
        )
        yield Place(settings, NAMESPACES, running.advance)


@pytest.mark.slow
class TestOnSimulator(WholeRuns):
    """On a simulator process of its own."""
