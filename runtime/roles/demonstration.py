"""The demo's stage: a simulated cluster over HTTP with the generated RBAC, and on it everything that `day2 serve` starts."""

import asyncio
import base64
import contextlib
import importlib
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NamedTuple

from core.actions.roles import EXECUTOR, JUDGE, NAMESPACE, NOTIFIER, READER, manifests
from core.cluster.looking import ClusterReader
from core.domain.clock import Clock
from core.domain.errors import Unavailable
from core.domain.ledger import Ledger
from core.domain.request import Request
from core.domain.values import Json
from core.policy import engine, testing
from gate.audit import verify_ledger
from registry.membership import Member
from runtime import serving
from runtime.declared import read
from runtime.seeded_ids import SeededIds
from runtime.services import alerting, auditing
from runtime.services.alerting import Watch
from runtime.services.demonstrating import LOOK_SECONDS, REQUESTER, STUCK_SECONDS, Plain, Stage
from runtime.settings import (
    AlertSettings,
    FlowSettings,
    GateSettings,
    KubernetesSettings,
    PolicySettings,
    PrometheusSettings,
    Settings,
    StoreSettings,
    TelemetrySettings,
    WebSettings,
)
from tools.kubernetes import config, transport
from tools.kubernetes.installing import install

WORLD = "shop"
LEFT = "look at the platform's pods once more, and act where it is safe"
"""What is asked after the story, where somebody goes on by hand."""
FOLLOW_SECONDS = 0.5
NOT_GRANTED = "clusterrolebindings"
DOCUMENTS = Path(__file__).parent.parent / "demo" / "shop.yaml"
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


class Playing(NamedTuple):
    """The open stage, the id of the run to play, and the console for whoever wants to go on by hand: its address that logs in."""

    stage: Stage
    run: str
    served: Callable[[], AbstractAsyncContextManager[str]]


@contextlib.asynccontextmanager
async def opened(folder: Path, seed: int) -> AsyncIterator[Playing]:
    """Everything up, nothing played yet."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with contextlib.AsyncExitStack() as stack:
        family = await stack.enter_async_context(serving.children())
        # the cluster comes up while we load what plays on it: together they are a third of the demo
        url, _ = await asyncio.gather(
            _simulator(family, folder, seed), asyncio.to_thread(importlib.import_module, "runtime.roles.everything")
        )
        from runtime.roles import deciding, everything

        settings = settings_of(folder, url)
        steer = await stack.enter_async_context(transport.connect(config.load(folder / "admin.kubeconfig")))
        everything.prepare(settings)
        roles = ("judge", "executor", everything.NOTIFIER)
        rules, *_ = await asyncio.gather(
            asyncio.to_thread(_rules), install(steer, _access()), *(everything.start_role(family, role, settings) for role in roles)
        )
        running = await stack.enter_async_context(everything.opened(settings, family=family, children=()))

        async def advance(seconds: float) -> None:
            answer = await steer.post("/simulator/clock", json={"advance_seconds": seconds})
            answer.raise_for_status()

        async def agents() -> list[Plain]:
            members = await running.controller.registry.members() if running.controller.registry else ()
            return [_member(member) for member in members]

        own = settings.alerts
        watch = Watch(alerting.limits(own.hold_minutes, own.approval_minutes, own.labels))

        async def alerts() -> list[Plain]:
            await _told(watch, running.ledger, running.reading.clock)
            answer = await steer.get("/alertmanager/api/v2/alerts")
            return [{**alert["labels"], **alert["annotations"]} for alert in answer.json()]

        async def world() -> Plain:
            return await _world(running.reading.reader, running.reading.context)

        stage = Stage(
            clock=running.reading.clock,
            ledger=running.ledger,
            run=running.controller.run,
            decide=deciding.door(settings, running.ledger, running.reading.clock, name="demo"),
            advance=advance,
            agents=agents,
            rules=rules,
            audit=lambda: _audit(running.ledger),
            alerts=alerts,
            world=world,
        )

        @contextlib.asynccontextmanager
        async def served() -> AsyncIterator[str]:
            over = asyncio.Event()
            await everything.start_role(family, everything.CONSOLE, settings)
            working = asyncio.create_task(running.controller.serve(over, FOLLOW_SECONDS))
            await _another_shell(steer)
            request = Request(id=SeededIds(seed + 1).new("run"), trigger="demo", by=REQUESTER, act=True, text=LEFT, at=stage.clock.now())
            await running.controller.run(request)
            try:
                yield str(family.named(everything.CONSOLE).ready["login"])
            finally:
                over.set()
                await working

        yield Playing(stage, SeededIds(seed).new("run"), served)


async def _another_shell(steer: Any) -> None:
    """A bare pod like the one of the story: removing it cannot be undone, so a person decides, on the console."""
    meta = {"name": "forgotten-shell", "namespace": "platform", "labels": {"app": "forgotten-shell"}}
    spec = {"containers": [{"name": "shell", "image": "registry.apps.example/shell:1", "securityContext": {"privileged": True}}]}
    (await steer.post("/api/v1/namespaces/platform/pods", json={"metadata": meta, "spec": spec})).raise_for_status()


def _access() -> list[Json]:
    """The generated RBAC. The shop's people did not grant the reading of cluster role bindings: a check that needs them must say so."""
    found = manifests({grant.agent: grant.capabilities for grant in read(DOCUMENTS).grants})
    return [
        _without(manifest, NOT_GRANTED) if manifest["metadata"]["name"] == "day2-reader" and "rules" in manifest else manifest
        for manifest in found
    ]


def _without(role: Json, resource: str) -> Json:
    rules = [rule | {"resources": [name for name in rule["resources"] if name != resource]} for rule in role["rules"]]
    return role | {"rules": [rule for rule in rules if rule["resources"]]}


def settings_of(folder: Path, url: str) -> Settings:
    """The demo's settings: nothing of the person's shell or files is in them."""
    return Settings(
        profile="demo",
        clock=url,
        kubernetes=KubernetesSettings(
            kubeconfig=folder / "reader.kubeconfig",
            read_kubeconfig=folder / "reader.kubeconfig",
            judge_kubeconfig=folder / "judge.kubeconfig",
            executor_kubeconfig=folder / "executor.kubeconfig",
            notifier_kubeconfig=folder / "notifier.kubeconfig",
        ),
        prometheus=PrometheusSettings(url=f"{url}/prometheus", ca_file=folder / "ca.pem"),
        store=StoreSettings(data_dir=folder),
        policy=PolicySettings(objectives=DOCUMENTS),
        flow=FlowSettings(poll_seconds=0.05),
        gate=GateSettings(guard="off"),  # a simulator has no admission
        alerts=AlertSettings(alertmanager=(f"{url}/alertmanager",), alertmanager_ca_file=folder / "ca.pem"),
        telemetry=TelemetrySettings(notifier_listen="", controller_listen=""),
        web=WebSettings(listen="127.0.0.1:0"),
    )


async def _simulator(family: serving.Children, folder: Path, seed: int) -> str:
    """Start the cluster in a box; a kubeconfig for each identity that our roles have on it is written."""
    tokens = {name: secrets.token_urlsafe(24) for name in (READER, JUDGE, EXECUTOR, NOTIFIER)}
    users = [
        word
        for name, token in tokens.items()
        for word in ("--user", f"system:serviceaccount:{NAMESPACE}:{name}={token}#system:serviceaccounts")
    ]
    admin = folder / "admin.kubeconfig"
    arguments = ["--world", WORLD, "--seed", str(seed), "--port", "0", "--rate", "0", "--kubeconfig", str(admin), *users]
    child = await serving.start(family, "simulator", "simulator.serving", arguments, folder / serving.LOGS)
    document = json.loads(admin.read_text(encoding="utf-8"))
    (folder / "ca.pem").write_bytes(base64.b64decode(document["clusters"][0]["cluster"]["certificate-authority-data"]))
    for name, token in tokens.items():
        path = folder / f"{name}.kubeconfig"
        path.touch(0o600)
        document["users"][0]["user"] = {"token": token}
        path.write_text(json.dumps(document), encoding="utf-8")
    return str(child.ready["url"])


def _rules() -> Plain:
    rules = [rule.policy for rule in engine.builtin().rules]
    report = testing.run(rules)
    return {"rules": len(rules), "tests": len(report.results), "failed": len(report.failed)}


def _audit(ledger: Ledger) -> Plain:
    """Anchors come by the minute and are not counted: the same seed tells the same story."""
    report = verify_ledger(ledger)
    verdict = f"{auditing.counted(len(report.chains))} {'ok' if report.whole else 'BROKEN'}"
    return {"verdict": verdict, "records": report.records, "problems": list(report.problems)}


async def _told(watch: Watch, ledger: Ledger, clock: Clock) -> None:
    """Wait until the notifier has told all that the ledger says now."""
    end = asyncio.get_running_loop().time() + STUCK_SECONDS
    while alerting.behind(watch, ledger, clock.now(), channels=("alertmanager",), events=True):
        if asyncio.get_running_loop().time() > end:
            raise Unavailable("the notifier", 1.0, reason="it has not told", mend="see the log files in the data folder: day2 demo --keep")
        await asyncio.sleep(LOOK_SECONDS)


async def _world(reader: ClusterReader, context: str) -> Plain:
    snapshot = await reader.snapshot(("Namespace", "Node", "Pod", *WORKLOADS))
    return {
        "cluster": context,
        "uid": snapshot.cluster,
        "at": snapshot.taken_at,
        "nodes": len(snapshot.nodes),
        "namespaces": len(snapshot.of("Namespace")),
        "pods": len(snapshot.pods),
        "workloads": sum(len(snapshot.of(kind)) for kind in WORKLOADS),
    }


def _member(member: Member) -> Plain:
    return {
        "name": member.name,
        "state": member.state.value,
        "checks": len(member.card.checks),
        "capabilities": [item.id for item in member.card.capabilities],
    }
