"""A small cluster behind the simulated API server: in process for most tests, on a real port for real clients."""

import asyncio
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from simulator import certificates, serving
from simulator.app import build
from simulator.authn import User
from simulator.clock import VirtualClock
from simulator.resources import resource
from simulator.store import Store
from tests.controlplane import build as build_cache

START = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)
TOKENS = {
    "admin-token": User("admin", ("system:masters",)),
    "bob-token": User("bob", ("people",)),
    "executor-token": User("day2:executor", ("day2:executors",)),
    "account-token": User("system:serviceaccount:shop:reader"),
}
Json = dict[str, Any]


class UsageTwin:
    """One node and one pod that use something."""

    def pods(self, namespace: str | None) -> list[Json]:
        item = {
            "metadata": {"name": "web-1", "namespace": "shop", "labels": {"app": "web"}},
            "timestamp": "2026-11-23T12:20:00Z",
            "window": "30s",
            "containers": [{"name": "app", "usage": {"cpu": "120m", "memory": "64Mi"}}],
        }
        return [item] if namespace in (None, "shop") else []

    def nodes(self) -> list[Json]:
        return [{"metadata": {"name": "n1"}, "timestamp": "2026-11-23T12:20:00Z", "window": "30s", "usage": {"cpu": "1", "memory": "1Gi"}}]


def logs_twin(namespace: str, pod: str, container: str, previous: bool, tail: int | None) -> str:
    """Three lines that name what was asked for."""
    lines = [f"{namespace}/{pod}/{container} {'before' if previous else 'now'} {number}" for number in (1, 2, 3)]
    return "".join(f"{line}\n" for line in (lines if tail is None else lines[-tail:]))


class Box(NamedTuple):
    """The simulated cluster of one test."""

    clock: VirtualClock
    store: Store
    app: Starlette

    def client(self, token: str = "admin-token") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://simulator", headers={"Authorization": f"Bearer {token}"})


def make_box(seed: int = 7) -> Box:
    clock = VirtualClock(START)
    store = Store(clock, seed)
    for name in ("default", "kube-system", "shop"):
        store.create(resource("", "namespaces"), {"metadata": {"name": name}})
    metrics = Starlette(routes=[Route("/-/ready", lambda _request: PlainTextResponse("ready"))])
    return Box(clock, store, build(store, clock, TOKENS, UsageTwin(), metrics, logs_twin))


@pytest.fixture
def box() -> Box:
    return make_box()


@pytest.fixture
async def api(box: Box) -> AsyncIterator[httpx.AsyncClient]:
    """The API as a cluster administrator sees it."""
    async with box.client() as client:
        yield client


@pytest.fixture
def another_box() -> Callable[[int], Box]:
    return make_box


def deployment(name: str = "web", replicas: int = 2, image: str = "web:1.0") -> Json:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def pod(name: str = "web-1", node: str = "", **meta: Any) -> Json:
    resources = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}}
    spec: Json = {"containers": [{"name": "app", "image": "web:1.0", "resources": resources}]}
    if node:
        spec["nodeName"] = node
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}, **meta},
        "spec": spec,
    }


@pytest.fixture
def web() -> Callable[..., Json]:
    """Makes deployments."""
    return deployment


@pytest.fixture
def a_pod() -> Callable[..., Json]:
    """Makes pods."""
    return pod


@pytest.fixture
def run_pod(box: Box) -> Callable[..., Json]:
    """Stores a pod as a kubelet reports it: running, ready, with its resources."""

    def run(name: str = "web-1", node: str = "n1", *, ready: bool = True, **meta: Any) -> Json:
        made = pod(name, node, **meta)
        state = {
            "name": "app",
            "image": "web:1.0",
            "imageID": "",
            "ready": ready,
            "restartCount": 0,
            "resources": made["spec"]["containers"][0]["resources"],
        }
        conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
        status = {"phase": "Running", "qosClass": "Burstable", "conditions": conditions}
        made["status"] = {**status, "containerStatuses": [{**state, "state": {"running": {}}, "lastState": {}}]}
        return box.store.create(resource("", "pods"), made, manager="kubelet")

    return run


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    await server.serve(sockets=[listener])
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    await asyncio.sleep(0.01)  # lets the aborted transports close before the loop does


class Served(NamedTuple):
    """The box on a real port."""

    box: Box
    kubeconfig: Path


@pytest.fixture
def served(box: Box, tmp_path: Path) -> Iterator[Served]:
    """The box behind TLS on loopback, in a thread, as kubectl and the official client reach it."""
    made = certificates.make(tmp_path, datetime.now(UTC))
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits 40 ms for its second packet
    config = uvicorn.Config(
        box.app,
        log_level="critical",
        lifespan="off",
        ws="none",
        ssl_certfile=made.certificate,
        ssl_keyfile=made.key,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(_serve(server, listener)), daemon=True)
    thread.start()
    kubeconfig = tmp_path / "kubeconfig"
    serving.write_kubeconfig(kubeconfig, f"https://127.0.0.1:{listener.getsockname()[1]}", "admin-token", made, "box")
    yield Served(box, kubeconfig)
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture(scope="session")
def kubectl() -> str:
    """The path of kubectl; the test is skipped where there is none."""
    found = shutil.which("kubectl") or build_cache.find("kubectl")
    if found is None:
        pytest.skip("no kubectl in PATH and none built: `make control-plane` builds one")
    return str(found)
