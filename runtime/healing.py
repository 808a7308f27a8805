"""Looking at a sick node for its healing: the cluster, the ledger and whoever makes machines, each read anew. Used by the controller."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agents.consulting import consult
from agents.desk import Agent
from agents.reliability.conditions import hardware
from agents.reliability.healing import looking
from agents.reliability.healing.episode import ENDS, Episode, Stage
from agents.reliability.healing.seeing import Act, Look, Past, peer
from core.cluster.kinds import KINDS
from core.cluster.looking import ClusterReader
from core.cluster.machines import Machine, Machines
from core.cluster.objects import Node
from core.cluster.observed import OBSERVED
from core.cluster.reading import Metrics
from core.domain.clock import Clock
from core.domain.errors import Day2Error, Unavailable
from core.domain.ledger import Ledger
from core.domain.objective import Objectives
from core.domain.values import at_path, bounded
from runtime.services import healings

NEEDED = ("Node", "Pod", "PodDisruptionBudget")
A_DAY = timedelta(hours=24)


_HARDWARE = Agent("reliability", "1.0.0", "Looks at the hardware of one node.", (), hardware.CHECKS, ())


async def _no_hardware(_node: Node) -> tuple[str, ...]:
    return ()


async def hardware_of(reader: ClusterReader, metrics: Metrics | None, clock: Clock, node: Node) -> tuple[str, ...]:
    """What the checks of GPUs, drivers and links find on this node. What cannot be measured is no sign."""
    answer = await consult(_HARDWARE, reader=reader, metrics=metrics, objectives=Objectives(), prices=None, now=clock.now(), run="run-0")
    return tuple(f"{finding.code}: {finding.title}" for finding in answer.findings if finding.subject.uid == node.metadata.uid)


@dataclass
class Healer:
    """`hardware` names what detectors find on the hardware of one node; it is asked while the node is suspected."""

    reader: ClusterReader
    ledger: Ledger
    clock: Clock
    machines: Machines | None = None
    pool_label: str = ""
    hardware: Callable[[Node], Awaitable[tuple[str, ...]]] = _no_hardware
    journal: healings.Journal = field(init=False)

    def __post_init__(self) -> None:
        self.journal = healings.Journal(self.ledger)

    async def look(self, episode: Episode) -> Look:
        """Raises Unavailable where a step could not be decided by what was read."""
        snapshot = await self.reader.snapshot(looking.KINDS)
        if gone := [kind for kind in NEEDED if kind in snapshot.unread]:
            raise Unavailable(f"the list of {gone[0]}", reason=snapshot.unread[gone[0]])
        now, name = self.clock.now(), episode.node.name
        node = looking.node_of(snapshot, episode.node.uid)
        volumes, lease, machine = await asyncio.gather(self._volumes(name), self._lease(name, now), self._machine(episode, node))
        suspected = episode.stage in (Stage.SUSPECTED, Stage.CONFIRMED)
        return Look(
            now=now,
            node=node,
            tenants=looking.tenants(snapshot, name) if node else (),
            volumes=volumes,
            lease_age=lease,
            machine=machine,
            hardware=await self.hardware(node) if node and suspected else (),
            peers=tuple(peer(each, now, self.pool_label) for each in snapshot.nodes),
            acts=self._acts(episode),
            past=self._past(episode, now),
            short=tuple(looking.short(snapshot, episode.owners)),
            fresh=looking.fresh(snapshot, episode, self.pool_label),
            owners=looking.owners(snapshot, name),
        )

    async def replace(self, episode: Episode, look: Look) -> str:
        """Another machine, asked of the provider under the episode's id. Raises Unavailable; a refusal is an answer."""
        if self.machines is None or look.node is None:
            return "there is nobody to ask"
        try:
            return await self.machines.replace(episode.node.cluster, look.node, episode.id)
        except Unavailable:
            raise
        except Day2Error as error:
            return f"refused: {error}"

    async def _volumes(self, node: str) -> tuple[str, ...]:
        found = await self.reader.list(KINDS["VolumeAttachment"])
        return tuple(sorted(str(at_path(each, "metadata.name")) for each in found if at_path(each, "spec.nodeName") == node))

    async def _lease(self, node: str, now: datetime) -> timedelta | None:
        """How long its kubelet has been silent; None where that may not be read."""
        try:
            found = await self.reader.get(OBSERVED["Lease"], "kube-node-lease", node)
        except Unavailable:
            raise
        except Day2Error:
            return None
        renewed = at_path(found or {}, "spec.renewTime")
        return now - datetime.fromisoformat(str(renewed)) if renewed else None

    async def _machine(self, episode: Episode, node: Node | None) -> Machine | None:
        """A provider that refuses to answer has said nothing about the machine."""
        if self.machines is None or node is None:
            return None
        try:
            return await self.machines.behind(episode.node.cluster, node)
        except Unavailable:
            raise
        except Day2Error as error:
            return Machine("unknown", bounded(str(error), 120))

    def _acts(self, episode: Episode) -> tuple[Act, ...]:
        """Oldest first."""
        rows = sorted(self.ledger.of_run(episode.id), key=lambda row: (row.submitted_at, row.action_id))
        return tuple(Act(row.action_id, row.kind, row.target_uid, row.state, row.note) for row in rows)

    def _past(self, episode: Episode, now: datetime) -> Past:
        others = [other for other in self.journal.episodes() if other.id != episode.id]
        pool = [other for other in others if (other.node.cluster, other.pool) == (episode.node.cluster, episode.pool)]
        ended = [other.since for other in pool if other.stage in ENDS and other.touched]
        same = [other for other in others if other.node.name == episode.node.name and other.touched]
        return Past(
            busy=next((other.id for other in pool if not other.ended and _before(other, episode)), ""),
            last=max(ended, default=None),
            today=sum(now - other.stamps[0].at <= A_DAY for other in same),
        )


def _before(other: Episode, episode: Episode) -> bool:
    """Whether the other was confirmed first: of two that come to the same pool, one goes on."""
    theirs, ours = other.at(Stage.CONFIRMED), episode.at(Stage.CONFIRMED)
    return theirs is not None and (ours is None or (theirs, other.id) < (ours, episode.id))
