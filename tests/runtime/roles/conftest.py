"""A small API server on a real port that counts its effects, and real judge and executor processes that talk to it."""

import asyncio
import base64
import contextlib
import copy
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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
from gate import keys, permits
from gate.door import LedgerDoor
from gate.judging.loop import judge_once
from gate.judging.sources import Bench
from runtime import declared
from runtime.ids import RandomIds
from runtime.roles import deciding
from runtime.settings import Settings, StoreSettings
from tests.runtime.roles.mortal import Order, Point
from tools.clocks import HttpClock
from tools.hand_clock import HandClock
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
  vouched: {"*": auto}
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
    meddle: Callable[[str, str], Response | None] = lambda _what, _moment: None
    """Asked as a request `arrives` and once a write is `stored`: `read deployments`, `preview`, `forward`, `undo`, `undo dry run`."""
    pace: Callable[[], timedelta] = lambda: timedelta()
    """How much time passes each time that somebody asks for it."""

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
        self.meddle(f"read {resource}", "arrives")
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
        what = (permit_of(permit)["use"] if permit else "preview") + (" dry run" if permit and dry else "")
        if instead := self.meddle(what, "arrives"):
            return instead
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
        if instead := self.meddle(what, "stored"):
            return instead
        if self.drop_replies:
            self.drop_replies -= 1
            return JSONResponse({"message": "the reply is lost"}, status_code=502)
        return JSONResponse(changed)

    async def clock(self, request: Request) -> Response:
        self.now += self.pace()
        return JSONResponse({"now": self.now.isoformat()})


def permit_of(token: str) -> dict[str, Any]:
    """The claims of a permit as the API server's log would show them; whoever cares checks the signature."""
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def serve(server: Server) -> Callable[[], None]:
    """Serve on a free port in a thread; the answer ends it."""
    routes = [Route("/simulator/clock", server.clock), Route("/{path:path}", server.answer, methods=["GET", "POST", "PATCH"])]
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits 40 ms for its second packet
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

    def settings_of(self, role: str, **changes: Any) -> Path:
        """The file that tells a role what it needs to know."""
        told = {
            "data_dir": str(self.folder),
            "ledger_url": self.url,
            "kubeconfig": str(self.folder / "kubeconfig"),
            "clock": self.server.url,
            "objectives": str(self.folder / "documents.yaml"),
            "poll_seconds": 0.01,
            "settle_seconds": 2.0,
            "guard": None,
            **changes,
        }
        path = self.folder / f"{role}.json"
        path.write_text(json.dumps(told), encoding="utf-8")
        return path

    def start(self, role: str, **changes: Any) -> None:
        path = self.settings_of(role, **changes)
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
        return process.wait(90)

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


def furnished(folder: Path, server: Server) -> None:
    """The cluster's objects, and the files that tell our processes about it."""
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
    cluster = {"name": "twin", "cluster": {"server": server.url}}
    kubeconfig = {
        "current-context": "twin",
        "clusters": [cluster],
        "users": [{"name": "we", "user": {"token": "t"}}],
        "contexts": [{"name": "twin", "context": {"cluster": "twin", "user": "we"}}],
    }
    (folder / "kubeconfig").write_text(json.dumps(kubeconfig), encoding="utf-8")
    (folder / "documents.yaml").write_text(DOCUMENTS, encoding="utf-8")


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Certificate and key of the people's CA that signs a webhook's leaves."""
    folder = tmp_path_factory.mktemp("ca")
    line = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj /CN=ca -keyout ca.key -out ca.crt"
    subprocess.run(line.split(), cwd=folder, check=True, capture_output=True)
    return folder / "ca.crt", folder / "ca.key"


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    stop = serve(served)
    yield served
    stop()


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of the newest form: copied, because making one takes longer than most tests."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def ledger(tmp_path: Path, empty_ledger: Path) -> Iterator[SqlLedger]:
    shutil.copy(empty_ledger, tmp_path / "ledger.db")
    kept = opened(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "audit.jsonl")
    yield kept
    kept.close()


@pytest.fixture
async def house(tmp_path: Path, server: Server, ledger: SqlLedger) -> AsyncIterator[House]:
    furnished(tmp_path, server)
    made = House(tmp_path, server, ledger)
    yield made
    for role in list(made.running):
        with contextlib.suppress(ProcessLookupError):
            made.end(role)
    if made.client and made.clock:
        await made.client.aclose()
        made.clock.close()


REVIEWER = """
import json, os, pathlib, sys
path = pathlib.Path(sys.argv[sys.argv.index("--settings") + 1])
log = path.with_suffix(".log").open("a", buffering=1)
answers = json.loads(path.read_text())
for answer, line in zip(answers, sys.stdin):
    log.write(json.dumps([os.getpid(), json.loads(line)]) + "\\n")
    if answer == "silence":
        sys.stdin.read()
    print(answer if isinstance(answer, str) else json.dumps(answer), flush=True)
"""


@pytest.fixture
def reviewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model judge that lies where Python looks first: its settings are its answers, and beside them it writes who was asked what."""
    place = tmp_path / "runtime" / "roles"
    place.mkdir(parents=True)
    (tmp_path / "runtime" / "__init__.py").touch()
    (place / "__init__.py").touch()
    (place / "reviewer.py").write_text(REVIEWER, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "reviewer.settings.json"


@dataclass
class Mortal:
    """One process out of the nursery. `died` is the role whose record it was making when it reached its point."""

    pid: int = 0
    died: str = ""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    ended: "asyncio.Future[int]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    listening: "asyncio.Task[None] | None" = None

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Until the process has ended. What is no answer of the nursery is what the process prints."""
        while line := await reader.readline():
            with contextlib.suppress(ValueError):
                match json.loads(line):
                    case {"pid": int(pid), "role": _}:
                        self.pid = pid
                        self.ready.set()
                    case {"pid": int(pid)}:
                        self.pid = pid
                    case {"died": str(role)}:
                        self.died = role
                    case {"code": int(code)}:
                        self.ended.set_result(code)

    async def end(self) -> int:
        """Its exit code. Who gives up waiting does not take the answer from the others."""
        return await asyncio.shield(self.ended)

    def kill(self) -> None:
        """At once. Called from the server's thread too, which must not go on before the process is gone."""
        os.kill(self.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Nursery:
    """Where processes come from that die when they are told: see `mortal.py`."""

    port: int

    async def bear(self, order: Order) -> Mortal:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(json.dumps(order._asdict()).encode() + b"\n")
        child = Mortal()

        async def listen() -> None:
            await child.listen(reader)
            writer.close()
            await writer.wait_closed()

        child.listening = asyncio.create_task(listen())
        return child


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    command = [sys.executable, str(Path(__file__).with_name("mortal.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Nursery(int(process.stdout.readline()))
        process.stdin.close()
        process.wait(10)


@dataclass
class Ward(House):
    """A house whose processes come from the nursery, for one action. Time passes as they ask for it; every write is looked at as it comes.

    `wrongs` are the writes that broke a promise at the very moment they were stored.
    """

    nursery: Nursery = field(kw_only=True)
    shelf: Path = field(kw_only=True)
    judge_key: keys.Verifier = field(kw_only=True)
    alive: dict[str, Mortal] = field(default_factory=dict)
    born: list[Mortal] = field(default_factory=list)
    meddlers: list[Callable[[str, str], Response | None]] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)
    action: str = ""
    needs_people: bool = False
    people: int = 0

    def __post_init__(self) -> None:
        self.server.meddle, self.server.pace = self._meddled, self._pace

    @property
    def now_there(self) -> ActionRow:
        return self.row(self.action)

    def declare(self, autonomy: str) -> None:
        path = self.folder / "documents.yaml"
        path.write_text(DOCUMENTS.replace("auto}", f"{autonomy}}}"), encoding="utf-8")
        self.needs_people = autonomy == "suggest"

    async def bring_up(self, role: str, point: Point | None = None) -> Mortal:
        """A judge or an executor, by its own main; it is ready, or dead already."""
        argv = ["--settings", str(self.settings_of(role, poll_seconds=0.05))]
        child = await self._born(role, Order(f"runtime.roles.{role}:main", argv, self._log(role), {}, list(point or ())))
        ready = asyncio.create_task(child.ready.wait())
        await asyncio.wait({ready, child.ended}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        assert child.ready.is_set(), self.told(role)
        return child

    async def type_in(self, *words: str, point: Point | None = None) -> Mortal:
        """One `day2` command, as a process of its own, to its end."""
        argv = [*words, "--data-dir", str(self.folder), "--kubeconfig", str(self.folder / "kubeconfig")]
        order = Order("interfaces.cli.launching:launch", argv, self._log("door"), {"DAY2_CLOCK": self.server.url}, list(point or ()))
        child = await self._born("door", order)
        await asyncio.wait_for(child.end(), 30)
        return child

    async def _born(self, role: str, order: Order) -> Mortal:
        self.alive[role] = child = await self.nursery.bear(order)
        self.born.append(child)
        return child

    def _log(self, role: str) -> str:
        return str(self.folder / f"{role}.log")

    def told(self, role: str) -> str:
        path = Path(self._log(role))
        return path.read_text(encoding="utf-8")[-2000:] if path.exists() else ""

    async def lay_down(self, role: str) -> None:
        """End a process as `day2 serve` would. Raises AssertionError where it does not end well."""
        child = self.alive.pop(role)
        os.kill(child.pid, signal.SIGTERM)
        assert await asyncio.wait_for(child.end(), 30) == 0, self.told(role)

    async def comes_to(self, state: ActionState) -> None:
        await self._until(lambda: self.now_there.state is state, f"it never was {state}")

    async def leaves(self, state: ActionState) -> None:
        await self._until(lambda: self.now_there.state is not state, f"it stayed {state}")

    async def _until(self, holds: Callable[[], bool], otherwise: str) -> None:
        """Raises AssertionError when that takes too long, or a process ends that should live."""
        async with self.patience(otherwise):
            while not holds():
                for role, child in self.alive.items():
                    assert not child.ended.done() or role == "door", self.told(role)
                await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def patience(self, otherwise: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(50):
                yield
        except TimeoutError:
            raise AssertionError(f"{otherwise}: {self.now_there.state} {self.now_there.note}") from None

    async def brought(self, point: str, way: Callable[["Ward"], Awaitable[None]]) -> None:
        """Stand where `way` leads. It is walked once; then what lay on the disk is taken from the shelf, because hundreds begin there."""
        kept = self.shelf / point
        if not kept.exists():
            await way(self)
            self.ledger.close()
            shutil.copytree(self.folder, kept)
            (kept / "standing").write_text(json.dumps([self.server.now.isoformat(), self.people]))
        else:
            self.ledger.close()
            shutil.rmtree(self.folder / "keys")
            shutil.copytree(kept / "keys", self.folder / "keys")
            for path in (kept / "ledger.db", *kept.glob("audit.*")):
                shutil.copy(path, self.folder / path.name)
            now, self.people = json.loads((kept / "standing").read_text())
            self.server.now = datetime.fromisoformat(now)
            self.judge_key = keys.verifier(self.folder / "keys", keys.JUDGE)
        self.ledger = opened(self.url, self.folder / "audit.jsonl")

    def approve(self, decision: str = "approved") -> None:
        """One more person decides. Nobody decides twice on one action."""
        self.people += 1
        settings = Settings(store=StoreSettings(data_dir=self.folder))
        decide = deciding.door(settings, self.ledger, HandClock(self.server.now), name="cli")
        decide(self.action, by=f"person-{self.people}", approve=decision == "approved", reason="looked at it")

    def _pace(self) -> timedelta:
        """Fast while an executor only waits; else a permit must not run out before it is used, however slow this machine is."""
        executor = self.alive.get("executor")
        if executor is None or not executor.ready.is_set():
            return timedelta()
        seconds = {ActionState.APPLIED: 100.0, ActionState.UNKNOWN: 10.0, ActionState.UNDOING: 0.5}
        return timedelta(seconds=seconds.get(self.now_there.state, 0.0))

    def _meddled(self, what: str, moment: str) -> Response | None:
        if (what, moment) in (("forward", "stored"), ("undo", "stored")):
            self._look_at(self.server.effects[-1])
        for meddler in self.meddlers:
            if (answer := meddler(what, moment)) is not None:
                return answer
        return None

    def _look_at(self, token: str) -> None:
        """A write was stored a moment ago: what the ledger says now is what was on record when it was sent."""
        permit, row = permits.read(token, self.judge_key), self.now_there
        if not self.ledger.spent(permit.jti):
            self.wrongs.append(f"{permit.use}: its permit was not spent")
        if row.state is not (ActionState.SENDING if permit.use == "forward" else ActionState.UNDOING):
            self.wrongs.append(f"{permit.use}: stored while the action was {row.state}")
        if self.needs_people and not self.approved_by(row.digest):
            self.wrongs.append(f"{permit.use}: nobody had approved it")

    def approved_by(self, digest: str) -> tuple[str, ...]:
        return tuple(item.by for item in self.ledger.approvals(self.action) if item.decision == "approved" and item.action_digest == digest)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
async def ward(tmp_path: Path, server: Server, ledger: SqlLedger, nursery: Nursery, shelf: Path) -> AsyncIterator[Ward]:
    furnished(tmp_path, server)
    key = keys.signer(tmp_path / "keys", keys.JUDGE)
    made = Ward(tmp_path, server, ledger, nursery=nursery, shelf=shelf, judge_key=key.verifier)
    yield made
    made.ledger.close()
    for child in made.born:
        if child.pid and not child.ended.done():
            child.kill()
        assert child.listening is not None
        await child.listening
