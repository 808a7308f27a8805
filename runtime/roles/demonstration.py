"""The demo's processes: simulator, embedded registry, judge, executor as children; the controller with its agents here. One folder holds all of it."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

import httpx

from core.domain.errors import Unavailable
from core.policy import engine, testing
from registry.embedded import embedded
from runtime import serving
from runtime.ids import SeededIds
from runtime.processes import dies_with_parent
from runtime.roles import controller, deciding, reading, storing
from runtime.services.demonstrating import Plain, Stage
from runtime.settings import (
    FlowSettings,
    KubernetesSettings,
    PolicySettings,
    PrometheusSettings,
    Settings,
    StoreSettings,
)
from tools.kubernetes import config, transport

WORLD = "shop"
IDENTITIES = ("reader", "judge", "executor")


@contextlib.asynccontextmanager
async def opened(folder: Path, seed: int) -> AsyncIterator[tuple[Stage, str, Settings]]:
    """The open stage, the id of the run to play, and the settings in force (for `--keep`)."""
    async with contextlib.AsyncExitStack() as stack:
        family = await stack.enter_async_context(serving.children())
        url = stack.enter_context(embedded(folder / "registry", dies_with_parent))
        simulator = await _simulator(family, folder, seed)
        settings = _settings(folder, simulator)
        await _prepare_access(folder, settings)
        ledger = stack.enter_context(storing.ledger(settings))
        for role in ("judge", "executor"):
            await serving.start_role(family, role, settings)
        view = await stack.enter_async_context(reading.opened(settings, folder / "reader.kubeconfig"))
        steer = await stack.enter_async_context(transport.connect(config.load(folder / "admin.kubeconfig")))
        working = await stack.enter_async_context(controller.opened(settings, view, ledger, registry_url=url))

        async def advance(seconds: float) -> None:
            answer = await steer.post("/simulator/clock", json={"advance_seconds": seconds})
            answer.raise_for_status()

        async def agents() -> list[Plain]:
            members = await working.registry.members() if working.registry else ()
            return [{"name": m.name, "state": m.state.value, "checks": len(m.card.checks), "capabilities": [c.id for c in m.card.capabilities]} for m in members]

        async def world() -> Plain:
            snapshot = await view.reader.snapshot(("Namespace", "Node", "Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"))
            return {
                "cluster": view.context,
                "uid": snapshot.cluster,
                "at": snapshot.taken_at,
                "nodes": len(snapshot.nodes),
                "namespaces": len(snapshot.of("Namespace")),
                "pods": len(snapshot.pods),
                "workloads": sum(len(snapshot.of(kind)) for kind in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")),
            }

        stage = Stage(
            clock=view.clock,
            ledger=ledger,
            run=working.run,
            decide=deciding.door(settings, ledger, view.clock, name="demo"),
            advance=advance,
            agents=agents,
            rules=_rules,
            audit=lambda: storing.audit(settings, ledger),
            world=world,
        )
        yield stage, SeededIds(seed).new("run"), settings


def _rules() -> Plain:
    rules = [rule.policy for rule in engine.builtin().rules]
    report = testing.run(rules)
    return {"rules": len(rules), "tests": len(report.results), "failed": len(report.failed)}


async def _simulator(family: serving.Children, folder: Path, seed: int) -> dict[str, str]:
    """Start the cluster in a box, and write a kubeconfig for each identity that our roles have on it."""
    tokens = {name: secrets.token_urlsafe(24) for name in IDENTITIES}
    users = [item for name in IDENTITIES for item in ("--user", f"{tokens[name]}=system:serviceaccount:day2-system:{name}")]
    admin = folder / "admin.kubeconfig"
    child = await serving.start(
        family, "simulator", "simulator.serving", ["--world", WORLD, "--seed", str(seed), "--port", "0", "--rate", "0", "--kubeconfig", str(admin), *users], folder / "logs"
    )
    document = json.loads(admin.read_text(encoding="utf-8"))
    for name, token in tokens.items():
        path = folder / f"{name}.kubeconfig"
        path.touch(0o600)
        path.write_text(json.dumps(document | {"users": [{"name": "admin", "user": {"token": token}}]}), encoding="utf-8")
    return {key: str(value) for key, value in child.ready.items()}


def _settings(folder: Path, simulator: dict[str, str]) -> Settings:
    with resources.as_file(resources.files("runtime.demo") / "shop.yaml") as documents:
        objectives = documents
    return Settings(
        profile="demo",
        clock=simulator["url"],
        kubernetes=KubernetesSettings(
            kubeconfig=folder / "reader.kubeconfig",
            read_kubeconfig=folder / "reader.kubeconfig",
            judge_kubeconfig=folder / "judge.kubeconfig",
            executor_kubeconfig=folder / "executor.kubeconfig",
        ),
        prometheus=PrometheusSettings(url=simulator["url"] + "/prometheus"),
        store=StoreSettings(data_dir=folder),
        policy=PolicySettings(objectives=objectives),
        flow=FlowSettings(poll_seconds=0.02),
    )


async def _prepare_access(folder: Path, settings: Settings) -> None:
    """What people do once on a real cluster: install the generated RBAC, so that readers read, the judge previews and the executor impersonates."""
    async with transport.connect(config.load(folder / "admin.kubeconfig")) as admin:
        for manifest in storing.access_manifests(settings):
            answer = await admin.post(storing.collection_of(manifest), json=manifest)
            if answer.status_code not in (200, 201, 409):
                raise Unavailable("the simulator", 1.0, reason=f"{manifest['kind']} {manifest['metadata']['name']}: HTTP {answer.status_code}")
    await asyncio.sleep(0)
