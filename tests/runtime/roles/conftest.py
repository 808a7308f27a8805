"""A small API server on a real port that counts its effects, and real judge and executor processes that talk to it."""

import asyncio
import contextlib
import copy
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.actions.scale_workload import ScaleWorkload
from core.cluster.kinds import KINDS
from core.domain.evidence import observe
from core.domain.ledger import ActionRow
from core.domain.outcome import TERMINAL, ActionState
from core.domain.proposal import Effect, Proposal
from core.domain.target import Target
from core.policy.engine import builtin
from gate import keys
from gate.door import LedgerDoor
from gate.judging.loop import judge_once
from gate.judging.sources import Bench
from runtime import declared
from runtime.ids import RandomIds
from tools.clocks import HandClock, HttpClock
from tools.kubernetes import config, transport
from tools.kubernetes.reader import HttpReader
from tools.kubernetes.writer import PreviewWriter
from tools.stores.ledger import SqlLedger, opened
from tools.stores.migrating import migrate

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ROLES = ("judge", "executor")
DOCUMENTS = """
apiVersion: day2.dev/v1alpha1
kind: Objective
metadata: {name: shop}
spec:
  scope: {namespaces: [shop]}
  serves: reliability
  priority: 1
  autonomy: {"*": auto}
---
apiVersion: day2.dev/v1alpha1
kind: Grant
metadata: {name: scaling}
spec: {agent: scaling, capabilities: ["*"]}
"""


@dataclass
class Server:
    """The API server: one Deployment and what surrounds it. Thread-safe enough: one event loop serves, tests read."""

    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    answers: int = 0
    now: datetime = START
    settles: bool = True
    drop_replies: int = 0
    url: str = ""

    def put(self, kind: str, name: str, **item: Any) -> None:
        namespace = {"namespace": "shop"} if KINDS[kind].namespaced else {}
        meta = {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", **namespace, **item.pop("metadata", {})}
        self.objects[KINDS[kind].resource, name] = {"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": meta, **item}

    @property
    def deployment(self) -> dict[str, Any]:
        return self.objects["deployments", "cart"]

    def settle(self) -> None:
        """The controllers' and the kubelets' work."""
        live = self.deployment
        count = live["spec"]["replicas"]
        names = ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas")
        live["status"] = {"observedGeneration": live["metadata"]["generation"], **dict.fromkeys(names, count)}
        for key in [key for key in self.objects if key[0] == "pods"]:
            del self.objects[key]
        for number in range(count):
            status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
            spec = {"nodeName": "node-1", "containers": [{"name": "app"}]}
            self.put("Pod", f"cart-{number}", metadata={"labels": {"app": "cart"}}, spec=spec, status=status)

    async def answer(self, request: Request) -> Response:
        parts = [part for part in request.url.path.split("/") if part]
        self.answers += 1
        if "subjectaccessreviews" in parts:
            return JSONResponse({"status": {"allowed": True}})
        resource = next((part for part in reversed(parts) if part in {kind.resource for kind in KINDS.values()}), "")
        name = parts[-1] if parts[-1] != resource else ""
        if not resource:
            return JSONResponse({"message": "not served"}, status_code=404)
        if request.method == "PATCH":
            return await self._patch(request, resource, name)
        if name:
            found = self.objects.get((resource, name))
            return JSONResponse(found) if found else JSONResponse({"message": "not found"}, status_code=404)
        items = [item for key, item in sorted(self.objects.items()) if key[0] == resource]
        return JSONResponse({"kind": "List", "metadata": {}, "items": items})

    async def _patch(self, request: Request, resource: str, name: str) -> Response:
        user, permit = request.headers.get("impersonate-user", ""), request.headers.get("impersonate-extra-day2.dev%2fpermit", "")
        dry = request.query_params.get("dryRun") == "All"
        if not (user.startswith("day2:preview:") and dry) and not (user.startswith("day2:agent:") and permit):
            return JSONResponse({"message": f"{user} may not"}, status_code=403)
        body = await request.json()
        changed = copy.deepcopy(self.objects[resource, name])
        if body["spec"]["replicas"] != changed["spec"]["replicas"]:
            changed["spec"]["replicas"] = body["spec"]["replicas"]
            changed["metadata"]["generation"] += 1
        if dry:
            return JSONResponse(changed)
        self.objects[resource, name] = changed
        self.effects.append(permit)
        if self.settles:
            self.settle()
        if self.drop_replies:
            self.drop_replies -= 1
            return JSONResponse({"message": "the reply is lost"}, status_code=502)
        return JSONResponse(changed)

    async def clock(self, request: Request) -> Response:
        return JSONResponse({"now": self.now.isoformat()})


def serve(server: Server) -> Callable[[], None]:
    """Serve on a free port in a thread; the answer ends it."""
    routes = [Route("/simulator/clock", server.clock), Route("/{path:path}", server.answer, methods=["GET", "POST", "PATCH"])]
    listener = socket.create_server(("127.0.0.1", 0))
    server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    running = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="critical", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(running.serve(sockets=[listener])), daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.005)

    def stop() -> None:
        running.should_exit = True
        thread.join(10)
        listener.close()

    return stop


@dataclass
class House:
    """A data folder with its processes."""

    folder: Path
    server: Server
    ledger: SqlLedger
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    bench: Bench | None = None
    client: httpx.AsyncClient | None = None
    clock: HttpClock | None = None

    def start(self, role: str, **changes: Any) -> None:
        told = {
            "data_dir": str(self.folder),
            "ledger_url": self.url,
            "kubeconfig": str(self.folder / "kubeconfig"),
            "clock": self.server.url,
            "objectives": str(self.folder / "documents.yaml"),
            "poll_seconds": 0.01,
            "settle_seconds": 2.0,
            **changes,
        }
        path = self.folder / f"{role}.json"
        path.write_text(json.dumps(told), encoding="utf-8")
        log = (self.folder / f"{role}.log").open("a")
        command = [sys.executable, "-m", f"runtime.roles.{role}", "--settings", str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        log.close()
        self.running[role] = process
        assert process.stdout is not None
        line = process.stdout.readline()
        process.stdout.close()
        assert line, (self.folder / f"{role}.log").read_text(encoding="utf-8")
        assert json.loads(line)["role"] == role

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'ledger.db'}"

    def ended(self, role: str) -> int | None:
        return self.running[role].poll()

    def end(self, role: str) -> int:
        process = self.running.pop(role)
        process.terminate()
        return process.wait(20)

    async def submit(self) -> str:
        target = Target(cluster="cluster-1", group="apps", kind="Deployment", namespace="shop", name="cart", uid="uid-cart")
        action = ScaleWorkload(id="act-scale1", target=target, from_replicas=2, to_replicas=4)
        proposal = Proposal(
            action=action,
            agent="scaling",
            run="run-1",
            why="traffic grows",
            evidence=(observe("metric", target, "rate", "12", START),),
            effect=Effect(summary="enough copies"),
            expires_at=START + timedelta(hours=2),
        )
        standing = await LedgerDoor(self.ledger, HandClock(self.server.now)).submit(proposal, by="operator")
        return standing.action_id

    def row(self, action_id: str) -> ActionRow:
        found = self.ledger.get(action_id)
        assert found is not None
        return found

    async def judge_here(self) -> None:
        """The judge without a process of its own, for tests that are about the executor's."""
        if self.bench is None:
            connection = config.load(self.folder / "kubeconfig")
            client, clock = transport.connect(connection), HttpClock(self.server.url)
            self.clock = clock
            documents = declared.read(self.folder / "documents.yaml")
            self.bench = Bench(
                ledger=self.ledger,
                reader=HttpReader(client),
                previewer=PreviewWriter(client),
                metrics=None,
                clock=clock,
                key=keys.signer(self.folder / "keys", keys.JUDGE),
                doors={},
                rules=builtin(),
                ids=RandomIds(),
                objectives=documents.objectives,
                grants=documents.grants,
            )
            self.client = client
        await judge_once(self.bench)

    async def until(self, holds: Callable[[], bool], *, real_seconds: float = 40) -> bool:
        """Let virtual time pass until it holds; False when real time ran out. Fast while an action is only watched."""
        give_up = time.monotonic() + real_seconds
        while time.monotonic() < give_up:
            if holds():
                return True
            if "judge" not in self.running:
                await self.judge_here()
            states = {row.state for row in self.ledger.search()}
            self.server.now += timedelta(seconds=60 if states <= {ActionState.APPLIED} else 1)
            seen = self.server.answers
            for _ in range(10):  # a few polls of the processes
                if self.server.answers > seen + 3:
                    break
                await asyncio.sleep(0.005)
        return False

    async def until_ended(self, action_id: str) -> bool:
        return await self.until(lambda: self.row(action_id).state in TERMINAL)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    server = Server()
    server.put("Namespace", "kube-system", metadata={"uid": "cluster-1"})
    server.put("Namespace", "shop")
    for number in (1, 2, 3):
        server.put(
            "Node", f"node-{number}", spec={}, status={"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"cpu": "8"}}
        )
    marks = {"app": "cart"}
    template = {"metadata": {"labels": marks}, "spec": {"containers": [{"name": "app", "image": "registry.example/cart:1"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": marks}, "template": template}
    server.put("Deployment", "cart", metadata={"generation": 1}, spec=spec)
    server.settle()
    stop = serve(server)
    cluster = {"name": "twin", "cluster": {"server": server.url}}
    kubeconfig = {
        "current-context": "twin",
        "clusters": [cluster],
        "users": [{"name": "we", "user": {"token": "t"}}],
        "contexts": [{"name": "twin", "context": {"cluster": "twin", "user": "we"}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig), encoding="utf-8")
    (tmp_path / "documents.yaml").write_text(DOCUMENTS, encoding="utf-8")
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    migrate(url)
    ledger = opened(url, tmp_path / "audit.jsonl")
    made = House(tmp_path, server, ledger)
    try:
        yield made
    finally:
        for role in list(made.running):
            with contextlib.suppress(ProcessLookupError):
                made.end(role)
        ledger.close()
        if made.client and made.clock:
            await made.client.aclose()
            made.clock.close()
        stop()
