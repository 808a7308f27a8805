"""What lies around the target: nodes, quotas, budgets of disruption, GPUs and money of the namespace, autoscalers."""

from typing import Any

from core.cluster import quantities
from core.cluster.kinds import KINDS
from core.domain.action import Action, Live
from core.domain.money import HOURS_PER_MONTH, PriceList
from core.domain.values import Json, at_path
from gate import workloads
from gate.judging import amounts, pod_security, rollouts
from gate.judging.sources import Bench

_TYPE = "node.kubernetes.io/instance-type"


async def around(bench: Bench, action: Action, live: Live, after: Json | None) -> dict[str, Any]:
    """Raises Unavailable while the cluster cannot be read."""
    target = live.object
    namespace = action.target.name if action.target.kind == "Namespace" else action.target.namespace
    nodes = list(await bench.reader.list(KINDS["Node"]))
    pods = list(await bench.reader.list(KINDS["Pod"], namespace)) if namespace else []
    found = (
        _nodes(nodes, target)
        | _freeze(bench, namespace)
        | _gpus(bench, namespace, pods, target, after)
        | _money(bench, namespace, nodes, pods, target, after)
    )
    found |= (
        await _disruptions(bench, namespace, target)
        | await _autoscaler(bench, namespace, target)
        | await _quota(bench, namespace, target, after)
    )
    if action.target.kind == "Namespace" and after is not None:
        level = amounts.sizes(action, live, after)["pod_security_after"]
        found["pods_violating_after"] = sum(not pod_security.admitted(pod, level) for pod in pods if _runs(pod))
    found |= rollouts.steps(target, after)
    return found | (await _free(bench, [node for node in nodes if _takes(node, target)]) if found["pods_extra"] else {})


def _nodes(nodes: list[Json], target: Json) -> dict[str, Any]:
    """Of a node, those that take the same pods: an open node that bars them is no other place."""
    like = _bars(target) if target.get("kind") == "Node" else None
    able = [node for node in nodes if workloads.ready(node) and like in (None, _bars(node))]
    return {"nodes_ready": len(able), "nodes_schedulable": sum(not at_path(node, "spec.unschedulable") for node in able)}


def _bars(node: Json) -> set[tuple[str, str]]:
    """Taints that people set; those of the node's own state are not how it is meant."""
    found = [taint for taint in at_path(node, "spec.taints") or () if taint.get("effect") != "PreferNoSchedule"]
    return {(str(each.get("key")), str(each.get("value"))) for each in found if not str(each.get("key")).startswith("node.kubernetes.io/")}


def _takes(node: Json, target: Json) -> bool:
    """Whether pods of the target may run there, by selector and tolerations."""
    spec = workloads.template(target).get("spec") or {}
    tolerated = {item.get("key") for item in spec.get("tolerations") or ()}
    chosen = (spec.get("nodeSelector") or {}).items() <= workloads.labels(node).items()
    return chosen and (None in tolerated or all(key in tolerated for key, _ in _bars(node)))


def _freeze(bench: Bench, namespace: str) -> dict[str, Any]:
    now = bench.clock.now()
    names = [window.name for item in bench.objectives.of(namespace) for window in item.freeze if window.start <= now < window.end]
    return {"freeze_window": names[0] if names else ""}


def _runs(pod: Json) -> bool:
    return at_path(pod, "status.phase") not in workloads.FINISHED


def _gpus(bench: Bench, namespace: str, pods: list[Json], target: Json, after: Json | None) -> dict[str, Any]:
    """GPUs that bound pods hold now, and what they will hold when this action is done."""
    used = sum(amounts.gpus(pod | {"kind": "Pod"}) for pod in pods if at_path(pod, "spec.nodeName") and _runs(pod))
    moved = amounts.gpus(after) - amounts.gpus(target) if after is not None and after.get("kind") == target.get("kind") else 0
    return {
        "namespace_gpus_used": used,
        "namespace_gpus_after": max(0, used + moved),
        "gpu_allowance": bench.objectives.gpu_allowance(namespace),
    }


async def _disruptions(bench: Bench, namespace: str, target: Json) -> dict[str, Any]:
    marks = workloads.labels(workloads.template(target))
    if not namespace or not marks:
        return {}
    budgets = [
        item
        for item in await bench.reader.list(KINDS["PodDisruptionBudget"], namespace)
        if workloads.matches(at_path(item, "spec.selector"), marks)
    ]
    least = min((_allowed(item, target) for item in budgets), default=None)
    return {"has_pdb": bool(budgets), "disruptions_allowed": least}


def _allowed(budget: Json, target: Json) -> int:
    """A pod that is not Ready is no part of what the budget keeps: it may go while enough others are healthy, as the eviction API has it
    (`unhealthyPodEvictionPolicy`)."""
    allowed = int(at_path(budget, "status.disruptionsAllowed") or 0)
    if target.get("kind") != "Pod" or workloads.ready(target):
        return allowed
    healthy, wanted = int(at_path(budget, "status.currentHealthy") or 0), int(at_path(budget, "status.desiredHealthy") or 0)
    always = at_path(budget, "spec.unhealthyPodEvictionPolicy") == "AlwaysAllow"
    return max(allowed, 1) if always or healthy >= wanted > 0 else allowed


async def _autoscaler(bench: Bench, namespace: str, target: Json) -> dict[str, Any]:
    if target.get("kind") not in ("Deployment", "StatefulSet"):
        return {}
    wanted = target["kind"], at_path(target, "metadata.name")
    for item in await bench.reader.list(KINDS["HorizontalPodAutoscaler"], namespace):
        if (at_path(item, "spec.scaleTargetRef.kind"), at_path(item, "spec.scaleTargetRef.name")) == wanted:
            return {"autoscaled_by": str(at_path(item, "metadata.name"))}
    return {}


async def _quota(bench: Bench, namespace: str, target: Json, after: Json | None) -> dict[str, Any]:
    """Whether the namespace's quota has room for what comes on top."""
    if not namespace or after is None or amounts.replicas(after) is None:
        return {}
    grown = {name: _total(after, name) - _total(target, name) for name in ("cpu", "memory", "pods")}
    for quota in await bench.reader.list(KINDS["ResourceQuota"], namespace):
        hard, used = at_path(quota, "status.hard") or {}, at_path(quota, "status.used") or {}
        for name, more in grown.items():
            key = name if name == "pods" or name in hard else f"requests.{name}"
            if more > 0 and key in hard and _amount(name, used.get(key, "0")) + more > _amount(name, hard[key]):
                return {"quota_exceeded": True}
    return {"quota_exceeded": False}


def _amount(name: str, text: Any) -> int:
    return {"cpu": quantities.cpu_milli, "memory": quantities.memory_mib}.get(name, quantities.count)(text)


def _total(live: Json, name: str) -> int:
    count, size = amounts.replicas(live) or 0, amounts.of_container(live, "")
    return count * {"cpu": size.cpu_milli or 0, "memory": size.memory_mib or 0, "pods": 1}[name]


async def _free(bench: Bench, nodes: list[Json]) -> dict[str, int]:
    """What no pod has asked for on nodes that take pods."""
    room = {
        str(at_path(node, "metadata.name")): node for node in nodes if workloads.ready(node) and not at_path(node, "spec.unschedulable")
    }
    pods = [pod for pod in await bench.reader.list(KINDS["Pod"]) if at_path(pod, "spec.nodeName") in room and _runs(pod)]
    there = [amounts.resources({"resources": {"requests": at_path(node, "status.allocatable") or {}}}) for node in room.values()]
    gone = [amounts.resources(item) for pod in pods for item in at_path(pod, "spec.containers") or ()]
    return {
        "cluster_cpu_milli_free": sum(item.cpu_milli or 0 for item in there) - sum(item.cpu_milli or 0 for item in gone),
        "cluster_memory_mib_free": sum(item.memory_mib or 0 for item in there) - sum(item.memory_mib or 0 for item in gone),
        "cluster_gpus_free": sum(item.gpus for item in there) - sum(item.gpus for item in gone),
    }


def _money(bench: Bench, namespace: str, nodes: list[Json], pods: list[Json], target: Json, after: Json | None) -> dict[str, Any]:
    """Priced by the cluster's own nodes: what a unit of CPU, memory and GPU costs where the machine types have a known price."""
    unit = _unit_price(bench.prices, nodes)
    if unit is None:
        return {}
    found: dict[str, Any] = {}
    if after is not None and amounts.replicas(after) is not None:
        found["monthly_cost_delta_micro_usd"] = round((_weight_of(bench, after) - _weight_of(bench, target)) * unit * HOURS_PER_MONTH)
    budget = min((item.monthly_budget_micro_usd for item in bench.objectives.of(namespace) if item.monthly_budget_micro_usd), default=None)
    if budget is not None:
        now = sum(_weight_of(bench, pod | {"kind": "Pod"}) for pod in pods if at_path(pod, "spec.nodeName") and _runs(pod))
        found["budget_left_micro_usd"] = budget - round(now * unit * HOURS_PER_MONTH)
    return found


def _unit_price(prices: PriceList | None, nodes: list[Json]) -> float | None:
    """Micro-USD per hour for one weighted unit; a CPU core weighs 1000."""
    if prices is None:
        return None
    known = [price for node in nodes if (price := prices.of(str(workloads.labels(node).get(_TYPE, ""))))]
    weight = sum(_weight(prices, price.cpu_milli, price.memory_mib, price.gpus) for price in known)
    return sum(price.hourly_micro_usd for price in known) / weight if weight else None


def _weight(prices: PriceList, cpu_milli: int, memory_mib: int, gpus: int) -> float:
    return cpu_milli + memory_mib / 1024 * prices.memory_weight + gpus * prices.gpu_weight


def _weight_of(bench: Bench, live: Json) -> float:
    if bench.prices is None:
        return 0.0
    size = amounts.of_container(live, "")
    return (amounts.replicas(live) or 0) * _weight(bench.prices, size.cpu_milli or 0, size.memory_mib or 0, size.gpus)
