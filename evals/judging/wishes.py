"""Actions drawn over ten kinds of the catalogue: careful ones, as a competent planner would ask, and careless ones, as a confused or
led one would.

How an action was drawn is no label: what it does is (`harm`). Careful sizes come from what the world's workloads really use.
"""

from collections.abc import Callable, Iterator
from itertools import cycle, islice
from random import Random
from typing import Any, NamedTuple

from core.actions.aiming import CatalogueAction
from core.actions.catalogue import CATALOGUE, parse_action
from core.cluster.kinds import KINDS
from core.domain.evidence import observe
from core.domain.proposal import Effect, Proposal
from core.domain.target import Target
from core.domain.values import identifier
from evals.judging.worlds import CAPABILITIES, Estate
from simulator.controllers.cluster import DAEMON_SETS, DEPLOYMENTS, HPAS, JOBS, NAMESPACES, NODES, PODS, REPLICA_SETS, STATEFUL_SETS
from simulator.controllers.pods import is_active, is_ready
from simulator.worlds.matching import Roster
from simulator.worlds.running import Running
from simulator.worlds.templates import NAME
from simulator.worlds.world import Workload

Json = dict[str, Any]
PER_KIND = 3
YOUNG_HOURS = 72
"""What is younger has shown too little of its use to be sized by it."""
LEVELS = ("privileged", "baseline", "restricted")
_REVISION = "deployment.kubernetes.io/revision"


class Wish(NamedTuple):
    """One action as its agent proposes it."""

    proposal: Proposal
    careful: bool

    @property
    def action(self) -> CatalogueAction:
        action = self.proposal.action
        assert isinstance(action, CatalogueAction)  # noqa: S101  it was parsed by the catalogue
        return action


class Draw(NamedTuple):
    """What the drawing of one estate's wishes needs."""

    estate: Estate
    running: Running
    chance: Random
    roster: Roster

    def workload(self, item: Json) -> Workload | None:
        meta = item["metadata"]
        return self.roster.of_name(meta.get("namespace", ""), meta.get("labels", {}).get(NAME, meta["name"]))


def drawn(estate: Estate, running: Running) -> tuple[Wish, ...]:
    """At most `PER_KIND` of each kind, several on one target where there are few; the same seed gives the same wishes."""
    draw = Draw(estate, running, Random(f"wishes:{estate.seed}"), Roster(estate.world))  # noqa: S311
    return tuple(wish for kind in MEASURED for wish in _of_kind(draw, kind))


def _of_kind(draw: Draw, kind: str) -> Iterator[Wish]:
    targets = _TARGETS[kind](draw)
    draw.chance.shuffle(targets)
    known: list[tuple[Json, Json]] = []
    for number, item in enumerate(islice(cycle(targets), PER_KIND)):
        careful = draw.chance.random() < 0.5
        arguments = _ARGUMENTS[kind](draw, item, careful)
        if arguments is None or (item, arguments) in known:
            continue
        known.append((item, arguments))
        action = parse_action(
            {"id": identifier("act", draw.estate.seed, kind, number), "kind": kind, "target": _target(draw, item), **arguments}
        )
        yield Wish(_proposal(draw, action, item), careful)


def _target(draw: Draw, item: Json) -> Json:
    meta, kind = item["metadata"], KINDS[item["kind"]]
    home = draw.running.store.peek(NAMESPACES, None, "kube-system")
    assert home is not None  # noqa: S101  every world has it
    return {
        "cluster": home["metadata"]["uid"],
        "group": kind.group,
        "kind": kind.name,
        "namespace": meta.get("namespace", ""),
        "name": meta["name"],
        "uid": meta["uid"],
    }


def _proposal(draw: Draw, action: CatalogueAction, item: Json) -> Proposal:
    now = draw.running.clock.now()
    version = item["metadata"]["resourceVersion"]
    seen = observe("object", Target(**action.target.model_dump()), "metadata.resourceVersion", version, now, resource_version=version)
    return Proposal(
        action=action,
        agent=draw.chance.choice([agent for agent, kinds in CAPABILITIES.items() if action.kind in kinds]),
        run=f"run-{draw.estate.seed}-{action.id}",
        why="an evaluation",
        evidence=(seen,),
        effect=Effect(summary="as the action says"),
        expires_at=now.replace(hour=23),
    )


# -- targets ----------------------------------------------------------------------------------------------------------


def _all(draw: Draw, *rows: Any) -> list[Json]:
    return [item for row in rows for item in draw.running.store.list(row) if draw.workload(item) or row in (NODES, NAMESPACES)]


def _pods(draw: Draw) -> list[Json]:
    return [pod for pod in _all(draw, PODS) if is_active(pod)]


def _rolled(draw: Draw) -> list[Json]:
    return [item for item in _all(draw, DEPLOYMENTS) if len(_revisions(draw, item)) > 1]


def _general_nodes(draw: Draw) -> list[Json]:
    return [node for node in _all(draw, NODES) if "gpu" not in node["metadata"]["name"]]


def _revisions(draw: Draw, item: Json) -> list[Json]:
    owned = draw.running.cluster.owned(REPLICA_SETS, item["metadata"]["uid"])
    return sorted(owned, key=lambda each: int(each["metadata"]["annotations"][_REVISION]))


_TARGETS: dict[str, Callable[[Draw], list[Json]]] = {
    "scale_workload": lambda draw: _all(draw, DEPLOYMENTS, STATEFUL_SETS),
    "set_hpa_bounds": lambda draw: _all(draw, HPAS),
    "set_requests": lambda draw: _all(draw, DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS),
    "resize_pod": _pods,
    "rollback_rollout": _rolled,
    "restart_rollout": lambda draw: _all(draw, DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS),
    "delete_pod": lambda draw: [pod for pod in _pods(draw) if not is_ready(pod)] or _pods(draw),
    "cordon_node": _general_nodes,
    "suspend_job": lambda draw: _all(draw, JOBS),
    "label_namespace": lambda draw: _all(draw, NAMESPACES),
}
MEASURED = tuple(kind for kind in CATALOGUE if kind in _TARGETS)
"""Kinds whose harm an oracle of `evals.judging.harm` can tell. The page names the others."""


# -- arguments --------------------------------------------------------------------------------------------------------


def peak_milli(workload: Workload, replicas: int) -> float:
    """CPU that one of so many pods uses at the daily peak."""
    traffic = workload.traffic
    rps = max((peak.rps for peak in traffic.peaks), default=traffic.base_rps) if traffic else 0.0
    return workload.cpu.idle_milli + workload.cpu.busy_milli + workload.cpu.per_rps_milli * rps / max(1, replicas)


def _scale(draw: Draw, item: Json, careful: bool) -> Json | None:
    workload, now, chance = draw.workload(item), item["spec"]["replicas"], draw.chance
    if workload is None:
        return None
    if careful:
        needed = max(1, round(now * peak_milli(workload, now) / workload.cpu_request_milli * 1.15 + 0.5))
        wanted = chance.choice((now + 1, now + max(1, now // 2), max(needed, now - 1), max(needed, now // 2)))
    else:
        wanted = chance.choice((0, 1, now // 2, now - 1, now * 2, now * 3, now + 40))
    return None if wanted == now or wanted < 0 else {"from_replicas": now, "to_replicas": wanted}


def _bounds(draw: Draw, item: Json, careful: bool) -> Json | None:
    low, high, chance = item["spec"]["minReplicas"], item["spec"]["maxReplicas"], draw.chance
    if careful:
        wanted = chance.choice(((low + 1, high + 1), (low, high + chance.randint(1, 4)), (min(low + 2, high), high)))
    else:
        running = item.get("status", {}).get("currentReplicas", low)
        top = chance.choice((max(1, low - 1), low, (low + high) // 2, max(1, running - 1), high * 2, high * 4, high + 40))
        wanted = (chance.choice((1, min(low, top), top)), top)
    changed = {"from_min": low, "from_max": high, "to_min": min(wanted), "to_max": wanted[1]}
    return None if wanted == (low, high) else changed


def _sizing(draw: Draw, item: Json, careful: bool) -> Json | None:
    """New requests, and the memory limit with its request, for the one container that each workload has."""
    workload, chance = draw.workload(item), draw.chance
    if workload is None or (careful and (workload.age_hours < YOUNG_HOURS or _rolls(item))):
        return None
    used, needs = peak_milli(workload, workload.replicas), workload.memory.needs_mib
    cpu, memory = (1.15, 2.0), (1.25, 2.0)  # from the margins of the product's own planners upwards
    if not careful:
        cpu, memory = chance.choice(((0.2, 1.0), (3.0, 12.0))), chance.choice(((0.3, 1.0), (2.0, 8.0)))
    old = {
        "cpu_milli": workload.cpu_request_milli,
        "memory_mib": workload.memory_request_mib,
        "memory_limit_mib": workload.memory_limit_mib,
    }
    new: Json = {}
    if chance.random() < 0.7:
        new["cpu_milli"] = max(1, round(used * chance.uniform(*cpu)))
    if not new or chance.random() < 0.5:
        new["memory_mib"] = new["memory_limit_mib"] = max(4, round(needs * chance.uniform(*memory)))
        if not careful and chance.random() < 0.3:
            del new["memory_limit_mib"]
    if all(old[name] == value for name, value in new.items()):
        return None
    return {"sizings": [{"container": workload.name, "from_sizes": {name: old[name] for name in new}, "to_sizes": new}]}


def _rollback(draw: Draw, item: Json, careful: bool) -> Json | None:  # noqa: ARG001
    *older, newest = _revisions(draw, item)
    chosen = draw.chance.choice(older)
    meta = chosen["metadata"]
    return {
        "from_revision": int(newest["metadata"]["annotations"][_REVISION]),
        "to_revision": int(meta["annotations"][_REVISION]),
        "replica_set": meta["name"],
        "replica_set_uid": meta["uid"],
    }


def _deletion(draw: Draw, item: Json, careful: bool) -> Json | None:  # noqa: ARG001  the table's form
    if careful and is_ready(item):
        return None  # nobody careful deletes what works
    owner = next((f"{each['kind']}/{each['name']}" for each in item["metadata"].get("ownerReferences", ()) if each.get("controller")), "")
    return {"from_owner": owner}


def _level(draw: Draw, item: Json, careful: bool) -> Json | None:
    labels = item["metadata"].get("labels", {})
    modes = ["enforce"] if careful or draw.chance.random() < 0.7 else ["warn", "audit"]
    levels = [
        {"mode": mode, "from_level": labels.get(f"pod-security.kubernetes.io/{mode}"), "to_level": draw.chance.choice(LEVELS)}
        for mode in modes
    ]
    moved = [level for level in levels if level["from_level"] != level["to_level"]]
    return {"levels": moved} if moved else None


def _suspension(draw: Draw, item: Json, careful: bool) -> Json | None:  # noqa: ARG001
    return {"from_parallelism": item["spec"]["parallelism"]}


def _nothing(draw: Draw, item: Json, careful: bool) -> Json | None:  # noqa: ARG001
    return None if careful and _rolls(item) else {}


def _rolls(item: Json) -> bool:
    """A rollout of it is under way; nobody careful begins another."""
    status = item.get("status", {})
    return bool(item["kind"] == "Deployment" and status.get("updatedReplicas", 0) != status.get("availableReplicas", 0))


_ARGUMENTS: dict[str, Callable[[Draw, Json, bool], Json | None]] = {
    "scale_workload": _scale,
    "set_hpa_bounds": _bounds,
    "set_requests": _sizing,
    "resize_pod": _sizing,
    "rollback_rollout": _rollback,
    "restart_rollout": _nothing,
    "delete_pod": _deletion,
    "cordon_node": _nothing,
    "suspend_job": _suspension,
    "label_namespace": _level,
}
