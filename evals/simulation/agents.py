"""The agents' twin: reads the cluster through its own process and proposes what the scenery's marks ask for. It may also fail.

The real agents are pure functions with tests of their own and cost a hundred times more; what is simulated here is what they do to the
flow: proposals from stale views, answers that come late, are no answers, or never come.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from core.actions.cordon_node import CordonNode
from core.actions.delete_pod import DeletePod
from core.actions.restart_rollout import RestartRollout
from core.actions.scale_workload import ScaleWorkload
from core.cluster.kinds import KINDS
from core.domain.action import Action
from core.domain.errors import Unavailable
from core.domain.evidence import observe
from core.domain.proposal import Effect, Proposal
from core.domain.request import Request
from core.domain.target import Target
from core.domain.values import Json, identifier
from evals.simulation.scenery import BAD, DEMAND, NAMESPACE, RELIABILITY, RESTART, SCALING, WEDGED

if TYPE_CHECKING:
    from evals.simulation.processes import Process

from runtime.roles import simulated


class Agents:
    """Implements `graph.context.Consulting` for one process."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._reader = simulated.reader(process.answer)

    async def consult(self, agent: str, request: Request) -> dict[str, Any]:
        world = self._process.world
        if world.happens(world.faults.agents_fail):
            return await self._fail(agent)
        cluster = await self._reader.cluster_uid()
        actions = await (self._scaling(cluster, request) if agent == SCALING else self._reliability(cluster, request))
        proposals = [self._proposal(agent, action, request) for action in actions]
        return {
            "agent": agent,
            "findings": [],
            "proposals": [proposal.model_dump(mode="json") for proposal in proposals],
            "coverage": {"run": ["SCA-001"], "not_run": []},
        }

    async def _fail(self, agent: str) -> dict[str, Any]:
        match self._process.world.chance.randrange(3):
            case 0:
                await asyncio.sleep(200)
                return {}
            case 1:
                return {"agent": "somebody else", "findings": "none", "proposals": [{}]}
            case _:
                raise Unavailable(f"agent {agent}", 5.0, reason="simulated")

    async def _scaling(self, cluster: str, request: Request) -> list[Action]:
        items = await self._reader.list(KINDS["Deployment"], NAMESPACE)
        return [
            _scale(request, cluster, item, int(wanted))
            for item in items
            if (wanted := _mark(item, DEMAND)).isdigit() and _off(item, wanted)
        ]

    async def _reliability(self, cluster: str, request: Request) -> list[Action]:
        listed = self._reader.list
        workloads = [_target(cluster, item) for item in await listed(KINDS["Deployment"], NAMESPACE) if _mark(item, RESTART)]
        pods = [item for item in await listed(KINDS["Pod"], NAMESPACE) if _mark(item, WEDGED)]
        nodes = [item for item in await listed(KINDS["Node"]) if _mark(item, BAD) and not item["spec"].get("unschedulable")]
        return [
            *(RestartRollout(id=_id(request, target), target=target) for target in workloads),
            *(_delete(request, cluster, item) for item in pods),
            *(CordonNode(id=_id(request, _target(cluster, item)), target=_target(cluster, item)) for item in nodes),
        ]

    def _proposal(self, agent: str, action: Action, request: Request) -> Proposal:
        now = self._process.now()
        return Proposal(
            action=action,
            agent=agent,
            run=request.id,
            why="the marks ask for it",
            evidence=(observe("object", action.target, "metadata.annotations", "marked", now),),
            effect=Effect(summary="as marked"),
            expires_at=now + self._process.world.wish_time,
        )


def _scale(request: Request, cluster: str, item: Json, wanted: int) -> ScaleWorkload:
    target = _target(cluster, item)
    return ScaleWorkload(id=_id(request, target), target=target, from_replicas=item["spec"]["replicas"], to_replicas=wanted)


def _delete(request: Request, cluster: str, item: Json) -> DeletePod:
    target = _target(cluster, item)
    return DeletePod(id=_id(request, target), target=target, from_owner=f"Deployment/{item['metadata']['labels']['app']}")


def _off(item: Json, wanted: str) -> bool:
    return int(wanted) != int(item["spec"]["replicas"])


def _mark(item: Json, name: str) -> str:
    return str((item["metadata"].get("annotations") or {}).get(name, ""))


def _id(request: Request, target: Target) -> str:
    return identifier("act", request.id, target.uid)


def _target(cluster: str, item: Json) -> Target:
    meta, kind = item["metadata"], KINDS[item["kind"]]
    return Target(
        cluster=cluster, group=kind.group, kind=kind.name, namespace=meta.get("namespace", ""), name=meta["name"], uid=meta["uid"]
    )


AGENTS = (SCALING, RELIABILITY)
