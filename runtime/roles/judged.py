"""Agents, judge and executor over a cluster that is mounted in this process. Used by the evaluations of judging, injection and faults.

Each has its own identity under the generated RBAC; facts, rules, permits and writes are the product's own. Without a folder for keys
nothing can be permitted: the judge only looks, and `apply` shows what an action would have done.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import msgspec

from core.actions.roles import EXECUTOR, JUDGE, NAMESPACE, READER, manifests
from core.cluster.kinds import KINDS
from core.cluster.reading import Metrics
from core.domain.action import Action, Live
from core.domain.approval import Approval
from core.domain.clock import Clock
from core.domain.errors import Conflict, NotAuthorised, Refused
from core.domain.ledger import ActionRow
from core.domain.model import Question
from core.domain.money import PriceList
from core.domain.outcome import TERMINAL, ActionState
from core.domain.permit import Permit
from core.domain.proposal import Proposal
from core.domain.values import Json
from core.domain.verdict import Verdict
from core.policy.engine import builtin
from core.policy.redaction import redact
from gate import approvals, keys, permits
from gate.door import LedgerDoor
from gate.executing.hands import Hands
from gate.executing.machine import execute_once
from gate.judging.loop import judge_once
from gate.judging.sources import Bench
from runtime.consulting import InProcess
from runtime.declared import Declared
from runtime.roles.looking import in_process
from runtime.roles.planning import previewed
from runtime.seeded_ids import SeededIds
from tools.kubernetes import mounted
from tools.kubernetes.installing import install
from tools.kubernetes.mounted import Application
from tools.kubernetes.reader import HttpReader
from tools.kubernetes.snapshots import SnapshotReader
from tools.kubernetes.writer import ImpersonatingWriter, PreviewWriter
from tools.metrics.mounted import MountedMetrics
from tools.model import prompts
from tools.stores.memory import MemoryLedger

ADMIN = "admin"
ACCOUNTS = {name: f"system:serviceaccount:{NAMESPACE}:{name}" for name in (READER, JUDGE, EXECUTOR)}
"""Service accounts by the token that the application must know them by; `ADMIN` is the token of who installs the RBAC."""
LONGEST = timedelta(hours=2)
"""No check watches for longer."""


@dataclass(frozen=True)
class Court:
    """Open roles. `agents` are asked in this process; `audit` tells what the API server was asked, oldest first."""

    bench: Bench
    hands: Hands
    agents: InProcess
    admin: Any
    person: keys.Signer | None = None

    async def judge(self, proposal: Proposal) -> Verdict:
        """What the judge says now, without anybody's approval."""
        return await previewed(self.bench, proposal)

    async def apply(self, action: Action, agent: str) -> str:
        """Send the action's write as its agent, whatever a judge would say. Why it was refused; empty where it was stored."""
        try:
            live = Live(await self._get(action, ""), {item.name: await self._get(action, item.name) for item in action.related()})
            await self.hands.writer.send(action.request(live), agent=agent, permit="an evaluation")
        except (Conflict, Refused, NotAuthorised) as error:
            return str(error) or type(error).__name__
        return ""

    async def carry(self, proposals: Sequence[Proposal], *, by: str) -> tuple[ActionRow, ...]:
        """Submit, judge and execute, each once; nobody approves anything."""
        door = LedgerDoor(self.bench.ledger, self.bench.clock)
        for proposal in proposals:
            await door.submit(proposal, by=by)
        await judge_once(self.bench)
        await execute_once(self.hands)
        found = [self.bench.ledger.get(proposal.action.id) for proposal in proposals]
        return tuple(row for row in found if row is not None)

    async def mend(
        self, proposals: Sequence[Proposal], *, by: str, people: Sequence[str], pass_time: Callable[[float], None]
    ) -> tuple[ActionRow, ...]:
        """Each the whole way to its end: judged, approved by `people` where they are asked, executed, and watched. They take turns, because
        nobody is shown more than 20 cards an hour.

        `pass_time` is called with seconds whenever nothing but time can bring any of them on.
        """
        door, begun = LedgerDoor(self.bench.ledger, self.bench.clock), self.bench.clock.now()
        ids = [(await door.submit(proposal, by=by)).action_id for proposal in proposals]
        left = {action_id: _from(number, people) for number, action_id in enumerate(ids)}
        while (rows := self._open(ids)) and self.bench.clock.now() - begun < LONGEST:
            for row in rows:
                if row.state is ActionState.NEEDS_APPROVAL and left[row.action_id]:
                    self._approve(row, left[row.action_id].pop(0))
            await judge_once(self.bench)
            await execute_once(self.hands)
            if _standing(after := self._open(ids)) == _standing(rows):
                now = self.bench.clock.now()
                pass_time(max(1.0, min((_ahead(row, now) for row in after), default=1.0)))
        return tuple(map(self._row, ids))

    def permit(self, token: str) -> Permit | None:
        """What a write was permitted by. None where it carries nothing that this judge signed."""
        try:
            return permits.read(token, self.hands.judge)
        except Refused:
            return None

    def priced(self, prices: PriceList) -> "Court":
        """The same roles once people have declared other prices."""
        return replace(self, bench=replace(self.bench, prices=prices), agents=replace(self.agents, prices=prices))

    def hear(self, people: Sequence[str]) -> None:
        """One more of `people` approves each action that waits for one."""
        for row in self.bench.ledger.in_states(ActionState.NEEDS_APPROVAL):
            given = {approval.by for approval in self.bench.ledger.approvals(row.action_id)}
            if (by := next((person for person in people if person not in given), None)) is not None:
                self._approve(row, by)

    def _open(self, ids: Sequence[str]) -> list[ActionRow]:
        return [row for row in map(self._row, ids) if row.state not in TERMINAL]

    def _row(self, action_id: str) -> ActionRow:
        found = self.bench.ledger.get(action_id)
        if found is None:
            raise Refused((f"{action_id} was not taken by the door",))
        return found

    def _approve(self, row: ActionRow, by: str) -> None:
        if self.person is None:
            raise Refused(("nobody here can sign an approval",))
        now = self.bench.clock.now()
        approval = Approval(
            id=f"apr-{row.action_id}-{by}",
            action_id=row.action_id,
            action_digest=row.digest,
            decision="approved",
            by=by,
            door="cli",
            reason="read the diff",
            at=now,
            expires_at=now + timedelta(hours=1),
        )
        self.bench.ledger.approve(approvals.sign(approval, self.person))

    async def audit(self) -> list[Json]:
        answer = await self.admin.get("/simulator/audit", params={"limit": "20000"})
        items: list[Json] = msgspec.json.decode(answer.content)["items"]
        return items

    async def _get(self, action: Action, related: str) -> Json:
        target = next((item for item in action.related() if item.name == related), action.target)
        found = await self.bench.reader.get(KINDS[target.kind], target.namespace, target.name)
        if found is None:
            raise Refused((f"{target.qualified} is not there",))
        return found


def _from(number: int, people: Sequence[str]) -> list[str]:
    """All of them, beginning with another one for each number."""
    turn = number % max(1, len(people))
    return [*people[turn:], *people[:turn]]


def _standing(rows: Sequence[ActionRow]) -> list[tuple[str, str, int, str]]:
    return [(row.action_id, row.state, row.attempts, row.looks) for row in rows]


def _ahead(row: ActionRow, now: datetime) -> float:
    """Seconds until something can happen for this action."""
    return (row.next_look_at - now).total_seconds() if row.next_look_at else 0.0


def prompted(question: Question) -> list[tuple[str, str]]:
    """Role and text of each message that a model would be sent."""
    return prompts.messages(question, redact)


@contextlib.asynccontextmanager
async def opened(
    application: Application, clock: Clock, declared: Declared, *, installs: bool, held: Path | None = None, seen: Any = None
) -> AsyncIterator[Court]:
    """`installs` the RBAC of the grants first; a fork of a cluster has it already. The application is the caller's, and so is its time.

    `held` is a folder for the judge's key; `seen` may put something before the metrics that agents read.
    """
    async with contextlib.AsyncExitStack() as stack:
        names = (ADMIN, READER, JUDGE, EXECUTOR)
        clients = {name: await stack.enter_async_context(mounted.connect(application, name)) for name in names}
        metrics = MountedMetrics(await stack.enter_async_context(mounted.connect(application, ADMIN, "/prometheus")))
        if installs:
            await install(clients[ADMIN], manifests({grant.agent: grant.capabilities for grant in declared.grants}))
        yield joined(clients, metrics, clock, declared, held=held, seen=seen)


def joined(
    clients: Mapping[str, Any], metrics: Metrics, clock: Clock, declared: Declared, *, held: Path | None = None, seen: Any = None
) -> Court:
    """The roles over clients by account: `ADMIN`, reader, judge, executor. The RBAC is there already."""
    admin, reader, judge, executor = (clients[name] for name in (ADMIN, READER, JUDGE, EXECUTOR))
    key = keys.signer(held, keys.JUDGE) if held else cast("Any", None)  # without one nothing is signed
    person = keys.signer(held, f"{keys.DOOR}cli") if held else None
    ledger = MemoryLedger()
    bench = Bench(
        ledger=ledger,
        reader=HttpReader(judge),
        previewer=PreviewWriter(judge),
        metrics=metrics,
        clock=clock,
        key=key,
        doors=keys.doors(held) if held else {},
        rules=builtin(),
        ids=SeededIds(0),
        objectives=declared.objectives,
        grants=declared.grants,
        prices=declared.prices,
    )
    hands = Hands(
        ledger=ledger,
        writer=ImpersonatingWriter(executor),
        reader=HttpReader(executor),
        metrics=metrics,
        clock=clock,
        judge=key.verifier if held else cast("Any", None),
        key=key,
        owner="executor-1",
    )
    looked: Metrics = seen(metrics) if seen else metrics
    return Court(bench, hands, in_process(SnapshotReader(reader, clock), looked, declared, clock), admin, person)
