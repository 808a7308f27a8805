"""Experiments from end to end: the product's own processes, a cluster, and a person who approves. On the simulator and on the real rig."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.cluster.kinds import KINDS
from core.domain.outcome import ActionState
from core.domain.values import Json
from core.policy import experiments as documents
from gate.door import LedgerDoor
from runtime.experimenting import Experimenting
from runtime.ids import RandomIds
from runtime.roles import deciding, everything, experimenting
from runtime.settings import FlowSettings, GateSettings, KubernetesSettings, PolicySettings, PrometheusSettings, Settings, StoreSettings
from tools import checkpoints

REQUESTER, APPROVER = "operator@example.com", "approver@example.com"
POLL_SECONDS = 0.05
DECLARED = """
apiVersion: day2.dev/v1alpha1
kind: Objective
metadata: {name: experiments}
spec:
  scope: {namespaces: ["*"]}
  serves: reliability
  priority: 90
  autonomy: {"*": guarded}
  vouched: {"*": guarded}
---
apiVersion: day2.dev/v1alpha1
kind: Grant
metadata: {name: reliability}
spec: {agent: reliability, capabilities: ["*"]}
"""


def settings_of(
    folder: Path, kubeconfigs: dict[str, Path], *, prometheus: str = "", ca: Path | None = None, clock: str = "system"
) -> Settings:
    declared = folder / "declared.yaml"
    declared.write_text(DECLARED, encoding="utf-8")
    return Settings(
        profile="demo",
        clock=clock,
        kubernetes=KubernetesSettings(
            kubeconfig=kubeconfigs["reader"],
            read_kubeconfig=kubeconfigs["reader"],
            judge_kubeconfig=kubeconfigs["judge"],
            executor_kubeconfig=kubeconfigs["executor"],
        ),
        prometheus=PrometheusSettings(url=prometheus, ca_file=ca),
        store=StoreSettings(data_dir=folder / "data"),
        policy=PolicySettings(objectives=declared),
        flow=FlowSettings(poll_seconds=POLL_SECONDS),
        gate=GateSettings(guard="off"),
    )


def document(namespace: str, fault: Json, probes: list[Json], **spec: Any) -> documents.Asked:
    """An experiment on the Deployment `web` of a namespace, as a person would write it."""
    wanted = {
        "why": "the shop must go on",
        "target": {"namespace": namespace, "name": "web"},
        "hypothesis": probes,
        "fault": fault,
        "duration": "20s",
        "recovery": "3m",
        "blast": {"pods": 10, "spread": False},
        **spec,
    }
    plain = {"apiVersion": "day2.dev/v1alpha1", "kind": "Experiment", "metadata": {"name": f"{namespace}-test"}, "spec": wanted}
    return documents.read(json.dumps(plain), "experiment.yaml")


def ready(count: int, name: str = "ready", **more: Any) -> Json:
    """A probe: so many pods of the target are Ready."""
    return {"name": name, "ready": count, **more}


@dataclass
class Bench:
    """The running product with the flow of experiments over it. `approving` is the person; without one nobody decides."""

    product: everything.Everything
    work: Experimenting
    settings: Settings
    seen: dict[str, list[str]] = field(default_factory=dict)

    async def run(self, asked: documents.Asked, *, told: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
        person = asyncio.create_task(self.approve())
        try:
            return await self.work.run(asked, by=REQUESTER, ids=RandomIds(), told=told)
        finally:
            person.cancel()
            await asyncio.gather(person, return_exceptions=True)

    async def approve(self) -> None:
        decide = deciding.door(self.settings, self.product.ledger, self.product.reading.clock, name="test")
        decided: set[str] = set()
        while True:
            for row in self.product.ledger.in_states(ActionState.NEEDS_APPROVAL):
                if row.action_id not in decided:
                    decide(row.action_id, by=APPROVER, approve=True, reason="the experiment is well bounded")
                    decided.add(row.action_id)
            await asyncio.sleep(POLL_SECONDS)

    async def get(self, kind: str, namespace: str, name: str) -> Json | None:
        return await self.product.reading.reader.get(KINDS[kind], namespace, name)

    async def states(self, report: dict[str, Any]) -> dict[str, str]:
        found = {}
        for item in report["actions"]:
            row = self.product.ledger.get(item["id"])
            found[item["kind"]] = f"{row.state.value}: {row.note}" if row else "not submitted"
        return found


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Bench]:
    async with everything.opened(settings) as product, checkpoints.opened(settings.data_dir / "experiments.db") as saver:
        gate = LedgerDoor(product.ledger, product.reading.clock, poll_seconds=POLL_SECONDS)
        yield Bench(product, experimenting.over(settings, saver, product.reading, product.ledger, gate), settings)
