"""One fault from finding to verified, by the product's own judge and executor on a simulated cluster with the generated rights.

The cluster, the two roles and the ledger stand in one process; the requests still pass through the simulator's HTTP interface, each under
the identity that sends it in production. Virtual time moves only while every action waits for it. Used by tests/agents and benchmarks.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from agents.catalogue import AGENTS
from agents.consulting import Consultation, consult
from core.actions.roles import EXECUTOR, JUDGE, NAMESPACE, READER, manifests
from core.cluster.queries import Query, Sample, Series
from core.domain.approval import Approval
from core.domain.ledger import ActionRow
from core.domain.money import InstancePrice, PriceList, PriceSource
from core.domain.objective import Autonomy, Objective, Objectives, Scope
from core.domain.outcome import TERMINAL, ActionState
from core.domain.proposal import Proposal
from core.policy.declarations import Grant
from core.policy.engine import builtin
from gate import approvals, keys
from gate.door import LedgerDoor
from gate.executing.hands import Hands
from gate.executing.machine import execute_once
from gate.judging.loop import judge_once
from gate.judging.sources import Bench
from runtime.seeded_ids import SeededIds
from simulator.app import build
from simulator.authn import MASTERS, User
from simulator.worlds.loading import load
from simulator.worlds.running import Running, start
from tools.kubernetes.installing import install
from tools.kubernetes.snapshots import SnapshotReader
from tools.kubernetes.writer import ImpersonatingWriter, PreviewWriter
from tools.metrics import answers
from tools.stores.ledger import SqlLedger
from tools.stores.ledger import opened as opened_ledger
from tools.stores.migrating import migrate

S = ActionState
REQUESTER = "operator@example.com"
PEOPLE = ("first-approver@example.com", "second-approver@example.com")
LONGEST = timedelta(hours=2)
"""Of virtual time: no check watches for longer."""

PRICES = PriceList(
    source=PriceSource(name="test list", at=datetime.fromisoformat("2026-11-01T00:00:00+00:00")),
    instances=(
        InstancePrice(instance_type="m6.4xlarge", cpu_milli=16000, memory_mib=65536, hourly_micro_usd=768_000),
        InstancePrice(instance_type="g6.12xlarge", cpu_milli=32000, memory_mib=131072, gpus=4, hourly_micro_usd=4_602_000),
    ),
)
ALL = {"*": Autonomy.AUTO}
TRUSTED = Objective(name="apps", scope=Scope(namespaces=("*",)), serves="reliability", priority=50, autonomy=ALL, vouched=ALL)


class WorldClock:
    """The simulated cluster's own time."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def now(self) -> datetime:
        return self._running.clock.now()

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing here may sleep {seconds} s: time is moved by the test")


class WorldMetrics:
    """The simulated cluster's Prometheus HTTP API, asked in process."""

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


@dataclass(frozen=True)
class Ward:
    """A cluster under the care of the four agents, one judge and one executor."""

    running: Running
    admin: httpx.AsyncClient
    reader: SnapshotReader
    metrics: WorldMetrics
    clock: WorldClock
    ledger: SqlLedger
    bench: Bench
    hands: Hands
    door: LedgerDoor
    person: keys.Signer
    objectives: Objectives
    approved: list[str] = field(default_factory=list)

    async def consult(self, name: str, *, run: str = "run-1") -> Consultation:
        agent = next(agent for agent in AGENTS if agent.name == name)
        return await consult(
            agent, reader=self.reader, metrics=self.metrics, objectives=self.objectives, prices=PRICES, now=self.clock.now(), run=run
        )

    def pass_time(self, seconds: float) -> None:
        self.running.clock.advance(seconds)

    async def mend(self, proposal: Proposal) -> ActionRow:
        """Submit, judge, approve where people are asked, execute, and verify in virtual time; the row at its end."""
        standing = await self.door.submit(proposal, by=REQUESTER)
        begun = self.clock.now()
        while (row := self.row(standing.action_id)).state not in TERMINAL and self.clock.now() - begun < LONGEST:
            before = (row.state, row.attempts, row.looks, len(self.approved))
            await self._step(row)
            row = self.row(row.action_id)
            if (row.state, row.attempts, row.looks, len(self.approved)) == before:
                self.pass_time(_wait(row, self.clock.now()))
        return self.row(standing.action_id)

    async def _step(self, row: ActionRow) -> None:
        if row.state is S.NEEDS_APPROVAL:
            self.approve(row)
        await judge_once(self.bench)
        await execute_once(self.hands)

    def approve(self, row: ActionRow) -> None:
        """The next person who has not decided yet signs at the door."""
        given = {approval.by for approval in self.ledger.approvals(row.action_id)}
        by = next((name for name in PEOPLE if name not in given), "")
        assert by, f"{row.action_id} still waits for people: {row.note}"
        now = self.clock.now()
        approval = Approval(
            id=f"apr-{len(self.approved):04}",
            action_id=row.action_id,
            action_digest=row.digest,
            decision="approved",
            by=by,
            door="cli",
            reason="read the diff",
            at=now,
            expires_at=now + timedelta(hours=1),
        )
        assert self.ledger.approve(approvals.sign(approval, self.person))
        self.approved.append(row.action_id)

    def row(self, action_id: str) -> ActionRow:
        found = self.ledger.get(action_id)
        assert found is not None, f"{action_id} was not taken by the door"
        return found

    def story(self, row: ActionRow) -> str:
        """How the action ended, for the message of a failed test."""
        return f"{row.kind} on {row.namespace} is {row.state}: {row.note}"


def _wait(row: ActionRow, now: datetime) -> float:
    """Seconds until something can happen for this action."""
    if row.next_look_at and row.next_look_at > now:
        return (row.next_look_at - now).total_seconds()
    return 1.0


@contextlib.asynccontextmanager
async def ward(world: str | Mapping[str, Any], folder: Path, *, objectives: Objectives | None = None) -> AsyncIterator[Ward]:
    """The world with everything that judges and executes on it; the ledger lies in `folder`."""
    running = start(load(world))
    clock = WorldClock(running)
    wishes = objectives or Objectives(items=(TRUSTED,))
    names = {name: f"system:serviceaccount:{NAMESPACE}:{name}" for name in (READER, JUDGE, EXECUTOR)}
    tokens = {name: secrets.token_urlsafe(12) for name in ("admin", *names)}
    users = {tokens[name]: User(account, ("system:serviceaccounts",)) for name, account in names.items()}
    users[tokens["admin"]] = User("admin", (MASTERS,))
    application = build(running.store, running.clock, users, running.usage, running.metrics_app, running.logs)
    transport = httpx.ASGITransport(app=application)
    async with contextlib.AsyncExitStack() as stack:
        clients = {}
        for name, token in tokens.items():
            headers = {"Authorization": f"Bearer {token}"}
            client = httpx.AsyncClient(transport=transport, base_url="http://cluster.test", headers=headers)
            clients[name] = await stack.enter_async_context(client)
        await install(clients["admin"], manifests({agent.name: agent.capabilities for agent in AGENTS}))
        url = f"sqlite:///{folder / 'ledger.db'}"
        migrate(url)
        ledger = opened_ledger(url, folder / "audit.jsonl")
        stack.callback(ledger.close)
        yield _staffed(running, clock, clients, ledger, folder, wishes)


def _staffed(
    running: Running, clock: WorldClock, clients: Mapping[str, httpx.AsyncClient], ledger: SqlLedger, folder: Path, wishes: Objectives
) -> Ward:
    judge, person = keys.signer(folder / "keys", keys.JUDGE), keys.signer(folder / "keys", f"{keys.DOOR}cli")
    metrics = WorldMetrics(clients[READER])
    bench = Bench(
        ledger=ledger,
        reader=SnapshotReader(clients[JUDGE], clock),
        previewer=PreviewWriter(clients[JUDGE]),
        metrics=metrics,
        clock=clock,
        key=judge,
        doors=keys.doors(folder / "keys"),
        rules=builtin(),
        ids=SeededIds(7),
        objectives=wishes,
        grants=tuple(Grant(name=agent.name, agent=agent.name, capabilities=agent.capabilities) for agent in AGENTS),
        prices=PRICES,
        record_key=judge.verifier,
    )
    hands = Hands(
        ledger=ledger,
        writer=ImpersonatingWriter(clients[EXECUTOR]),
        reader=SnapshotReader(clients[EXECUTOR], clock),
        metrics=metrics,
        clock=clock,
        judge=judge.verifier,
        key=keys.signer(folder / "keys", EXECUTOR),
        owner="executor-1",
    )
    door = LedgerDoor(ledger, clock)
    reader = SnapshotReader(clients[READER], clock)
    return Ward(running, clients["admin"], reader, metrics, clock, ledger, bench, hands, door, person, wishes)
