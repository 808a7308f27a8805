"""A node healed by the product's own flow, judge and executor on a simulated cluster. Virtual time moves only while the flow sleeps."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from agents.reliability.healing.episode import Episode, Stage, Stamp
from agents.reliability.healing.seeing import ZONE, illness, pool_of
from core.cluster.machines import Machines
from core.domain.approval import Approval
from core.domain.objective import Objectives
from core.domain.outcome import ActionState
from core.domain.proposal import Proposal
from core.domain.submitting import Standing
from core.policy.arbitration import Arbitration
from gate import approvals
from gate.executing.machine import execute_once
from gate.judging.loop import judge_once
from graph.context import HealingContext, RunContext
from runtime.flows import Flows
from runtime.healing import Healer, hardware_of
from runtime.services import healings
from tests.contracts.mended import PEOPLE, REQUESTER, Ward

S = ActionState
LONGEST_SECONDS = 4 * 3600


class Killed(BaseException):
    """The process ends here: not an Exception, so nothing in a flow may catch it."""


class Nobody:
    """A healing asks no agent."""

    async def choose(self, request: Any) -> Any:
        raise AssertionError("a healing chooses no agent")

    async def consult(self, agent: str, request: Any) -> Any:
        raise AssertionError("a healing consults no agent")


async def _never(*_: Any) -> Arbitration:
    raise AssertionError("a healing arbitrates nothing")


@dataclass
class Surgery:
    """One healing at work. `no` names actions that people deny; `killed_at` ends the process at the nth of such an event."""

    ward: Ward
    machines: Machines | None = None
    no: Callable[[Any], bool] = lambda _row: False
    saver: BaseCheckpointSaver[Any] = field(default_factory=InMemorySaver)
    killed_at: tuple[str, int] = ("", 0)
    seen: Counter[str] = field(default_factory=Counter)
    submitted: list[str] = field(default_factory=list)
    poll_seconds: float = 10.0

    async def episode(self, name: str, *, asked: str = "", identity: str = "heal-0001") -> Episode:
        ward = self.ward
        snapshot = await ward.reader.snapshot(("Namespace", "Node", "Pod"))
        node = next(node for node in snapshot.nodes if node.metadata.name == name)
        ill = illness(node, ward.clock.now())
        episode = Episode(
            id=identity,
            node=snapshot.target("Node", node),
            pool=pool_of(node.metadata.labels),
            zone=node.metadata.labels.get(ZONE, ""),
            by=REQUESTER,
            asked=asked,
            fault_at=ill.since if ill else None,
            stamps=(Stamp(stage=Stage.SUSPECTED, at=ward.clock.now(), why=ill.what if ill else asked),),
        )
        healings.record(ward.ledger, episode, ward.clock.now(), role="controller")
        return episode

    async def heal(self, episode: Episode) -> Episode:
        return await self.flows().heal(episode)

    def flows(self) -> Flows:
        """Anew, as a process that starts has them."""
        ward = self.ward
        hardware = partial(hardware_of, ward.reader, ward.metrics, ward.clock)
        healer = Healer(ward.reader, ward.ledger, ward.clock, self.machines, hardware=hardware)
        nobody = Nobody()
        run = RunContext(self, nobody, nobody, self, Objectives(), _never, str)
        context = HealingContext(self, self, healer.look, healer.replace, self.record, self.poll_seconds)
        return Flows(self.saver, run=run, healing=context)

    def come_to(self, event: str) -> None:
        self.seen[event] += 1
        if self.killed_at == (event, self.seen[event]):
            raise Killed(event)

    def record(self, episode: Episode) -> None:
        self.come_to(f"before {episode.stage}")
        healings.record(self.ward.ledger, episode, self.ward.clock.now(), role="controller")
        self.come_to(f"after {episode.stage}")

    # -- the clock: while the flow sleeps, judge, people, executor and cluster work
    def now(self) -> Any:
        return self.ward.clock.now()

    async def sleep(self, seconds: float) -> None:
        self.come_to("sleep")
        assert self.seen["sleep"] * self.poll_seconds < LONGEST_SECONDS, "it does not end"
        await self.work()
        self.ward.pass_time(seconds)

    async def work(self) -> None:
        for row in self.ward.ledger.in_states(S.NEEDS_APPROVAL):
            if self.no(row):
                self._deny(row)
            else:
                self.ward.approve(row)
        for _ in range(2):
            await judge_once(self.ward.bench)
            await execute_once(self.ward.hands)

    def _deny(self, row: Any) -> None:
        now = self.ward.clock.now()
        denial = Approval(
            id=f"apr-no-{row.action_id}",
            action_id=row.action_id,
            action_digest=row.digest,
            decision="denied",
            by=PEOPLE[0],
            door="cli",
            reason="its machine still runs",
            at=now,
            expires_at=now + timedelta(hours=1),
        )
        assert self.ward.ledger.approve(approvals.sign(denial, self.ward.person))

    # -- the door
    async def submit(self, proposal: Proposal, *, by: str) -> Standing:
        self.come_to("before submit")
        standing = await self.ward.door.submit(proposal, by=by)
        if standing.state is not S.CANCELLED:
            self.submitted.append(proposal.action.kind)
        self.come_to("after submit")
        return standing

    async def standing(self, action_id: str) -> Standing:
        return await self.ward.door.standing(action_id)

    async def until(self, action_id: str, *left: ActionState) -> Standing:
        raise AssertionError("a healing blocks on no action")

    async def cancel(self, action_id: str, *, by: str, reason: str) -> Standing:
        return await self.ward.door.cancel(action_id, by=by, reason=reason)


async def attach(ward: Ward, volume: str, node: str) -> None:
    """A volume of a driver that attaches, held by the node."""
    spec = {"attacher": "disks.example", "nodeName": node, "source": {"persistentVolumeName": volume}}
    body = {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": f"csi-{volume}"}, "spec": spec}
    answer = await ward.admin.post("/apis/storage.k8s.io/v1/volumeattachments", json=body)
    assert answer.is_success, answer.text


async def pods_on(ward: Ward, node: str) -> list[Mapping[str, Any]]:
    answer = await ward.admin.get("/api/v1/pods")
    return [pod for pod in answer.json()["items"] if pod["spec"].get("nodeName") == node]


def trail(episode: Episode) -> list[str]:
    return [stamp.stage.value for stamp in episode.stamps]
