"""What lies around the target: nodes, quotas, budgets of disruption, GPUs and money of the namespace, autoscalers."""

from collections.abc import Iterable
from typing import Any

from core.cluster import quantities
from core.cluster.kinds import KINDS
from core.cluster.placing import Amounts, total
from core.domain.action import Action
from core.domain.money import HOURS_PER_MONTH, PriceList
from core.domain.values import Json, at_path
from gate import workloads
from gate.judging import amounts, pod_security, rollouts, scaling, usage
from gate.judging.room import Room, pinned
from gate.judging.sources import Bench

_QUOTAS = (
    (quantities.cpu_milli, ("cpu", "requests.cpu")),
    (quantities.memory_mib, ("memory", "requests.memory")),
    (quantities.count, ("requests.nvidia.com/gpu", "requests.amd.com/gpu")),
    (quantities.count, ("pods",)),
)
"""How a quota names each of `Amounts`."""
_TYPE = "node.kubernetes.io/instance-type"
_OF_THE_STATE = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")


async def around(bench: Bench, action: Action, home: Json, target: Json, after: Json | None) -> dict[str, Any]:
    """`target` is the workload where the action's is its autoscaler, `home` its namespace. Raises Unavailable while the cluster cannot be
    read."""
    namespace = action.target.name if action.target.kind == "Namespace" else action.target.namespace
    nodes = list(await bench.reader.list(KINDS["Node"]))
    pods = list(await bench.reader.list(KINDS["Pod"], namespace)) if namespace else []
    held, sized = _held(pods), after is not None and amounts.replicas(after) is not None
    rolling = workloads.rolling(target)
    grown = rollouts.whole(after, rolling=rolling).minus(rollouts.whole(target, rolling=rolling)) if after is not None and sized else None
    paid = allowed_more(target, after) if after is not None and target.get("kind") == "ResourceQuota" else grown
    may = paid and scaling.kept(action, target, paid)
    scalers = list(await bench.reader.list(KINDS["HorizontalPodAutoscaler"], namespace)) if namespace else []
    found = (
        _nodes(nodes, target)
        | _freeze(bench, namespace)
        | _gpus(bench, namespace, held, may or Amounts())
        | _money(bench, namespace, nodes, held.plus(await _coming(bench, namespace, scalers, target)), may)
        | await _disruptions(bench, namespace, target)
        | _autoscaler(scalers, target)
        | await _quota(bench, namespace, grown or Amounts())
    )
    # Of a namespace the pods that run there, of anything else the next pod of its template: a dry run does not answer for pods.
    new, whole = after if after and after.get("kind") == target.get("kind") else target, action.target.kind == "Namespace"
    level, coming = amounts.level(new if whole else home), filter(_runs, pods) if whole else [workloads.template(new)]
    found["pods_violating_after"] = sum(not pod_security.admitted(pod, level) for pod in coming)
    missing, surge = rollouts.steps(target, after)
    extra = surge + max(0, grown.pods if grown else 0)
    return found | {"rollout_missing": missing, "pods_homeless": await _homeless(bench, nodes, target, after, extra)}


async def _homeless(bench: Bench, nodes: list[Json], target: Json, after: Json | None, extra: int) -> int | None:
    """Pods that would find no node: those that come on top, all of a new template once the old ones are gone, or those of closed nodes."""
    kind, new = target.get("kind"), workloads.template(after or {})
    whole = kind in ("Deployment", "StatefulSet", "DaemonSet") and workloads.template(target) != new
    if after is None or (amounts.replicas(after) is None and kind != "Node"):
        return None
    if not extra and not whole and kind != "Node":
        return 0
    pods = [pod for pod in await bench.reader.list(KINDS["Pod"]) if at_path(pod, "spec.nodeName") and _runs(pod)]
    room = Room(nodes, pods)
    if kind == "Node":
        return room.without(str(at_path(target, "metadata.name")))
    if not whole:
        return room.homeless([new] * extra)
    own, others = [pod for pod in pods if workloads.selects(target, pod)], [pod for pod in pods if not workloads.selects(target, pod)]
    anew = [pinned(new, at_path(pod, "spec.nodeName")) for pod in own] if kind == "DaemonSet" else [new] * (amounts.replicas(after) or 0)
    return max(room.homeless([new] * extra), Room(nodes, others).homeless(anew))


def _nodes(nodes: list[Json], target: Json) -> dict[str, Any]:
    """Of a node, those that take the same pods: an open node that bars them is no other place."""
    like = _bars(target) if target.get("kind") == "Node" else None
    able = [node for node in nodes if workloads.ready(node) and like in (None, _bars(node))]
    return {"nodes_ready": len(able), "nodes_schedulable": sum(not at_path(node, "spec.unschedulable") for node in able)}


def _bars(node: Json) -> set[tuple[str, str]]:
    """Taints that people set; those of the node's own state are not how it is meant."""
    found = [taint for taint in at_path(node, "spec.taints") or () if taint.get("effect") != "PreferNoSchedule"]
    return {(str(each.get("key")), str(each.get("value"))) for each in found if not str(each.get("key")).startswith(_OF_THE_STATE)}


def _freeze(bench: Bench, namespace: str) -> dict[str, Any]:
    now = bench.clock.now()
    names = [window.name for item in bench.objectives.of(namespace) for window in item.freeze if window.start <= now < window.end]
    return {"freeze_window": names[0] if names else ""}


def _runs(pod: Json) -> bool:
    return at_path(pod, "status.phase") not in workloads.FINISHED


def _held(pods: Iterable[Json]) -> Amounts:
    return total(amounts.size(pod) for pod in pods if at_path(pod, "spec.nodeName") and _runs(pod))


def _gpus(bench: Bench, namespace: str, held: Amounts, grown: Amounts) -> dict[str, Any]:
    """GPUs that bound pods hold now, and what they will hold when this action is done."""
    after = max(0, held.gpus + grown.gpus)
    return {"namespace_gpus_used": held.gpus, "namespace_gpus_after": after, "gpu_allowance": bench.objectives.gpu_allowance(namespace)}


async def _disruptions(bench: Bench, namespace: str, target: Json) -> dict[str, Any]:
    marks = workloads.labels(workloads.template(target))
    if not namespace or not marks:
        return {}
    found = await bench.reader.list(KINDS["PodDisruptionBudget"], namespace)
    budgets = [item for item in found if workloads.matches(at_path(item, "spec.selector"), marks)]
    least = min((_allowed(item, target) for item in budgets), default=None)
    return {"has_pdb": bool(budgets), "disruptions_allowed": least}


def _allowed(budget: Json, target: Json) -> int:
    """A pod that is not Ready is no part of what the budget keeps: it may go while enough others are healthy, and at any time before it has
    started, as the eviction API has it (`unhealthyPodEvictionPolicy`)."""
    allowed = int(at_path(budget, "status.disruptionsAllowed") or 0)
    if target.get("kind") != "Pod" or workloads.ready(target):
        return allowed
    healthy, wanted = int(at_path(budget, "status.currentHealthy") or 0), int(at_path(budget, "status.desiredHealthy") or 0)
    always = at_path(budget, "spec.unhealthyPodEvictionPolicy") == "AlwaysAllow" or at_path(target, "status.phase") == "Pending"
    return max(allowed, 1) if always or healthy >= wanted > 0 else allowed


def _autoscaler(scalers: Iterable[Json], target: Json) -> dict[str, Any]:
    kind, name = target.get("kind"), at_path(target, "metadata.name")
    wanted = workloads.maker(target) if kind == "Pod" else (kind, name)
    for item in scalers:
        if (at_path(item, "spec.scaleTargetRef.kind"), at_path(item, "spec.scaleTargetRef.name")) == wanted:
            return {
                "autoscaled_by": str(at_path(item, "metadata.name")),
                "autoscaler_min": int(at_path(item, "spec.minReplicas") or 1),
                "autoscaler_pods": at_path(item, "status.currentReplicas") if scaling.utilization(item) else 0,
            }
    return {}


async def _coming(bench: Bench, namespace: str, scalers: list[Json], target: Json) -> Amounts:
    """What the other autoscalers of a namespace with a budget bring at the busiest hour of the week: it is spoken for."""
    if not scalers or not any(item.monthly_budget_micro_usd for item in bench.objectives.of(namespace)):
        return Amounts()
    seen, found = await usage.week(bench, namespace), Amounts()
    for item in scalers:
        workload = await workloads.scaled_by(bench.reader, item | {"kind": "HorizontalPodAutoscaler"})  # a list does not say it
        if amounts.replicas(workload) and at_path(workload, "metadata.uid") != at_path(target, "metadata.uid"):
            found = found.plus(scaling.coming(item, workload, usage.busiest(seen, workload)))
    return found


async def _quota(bench: Bench, namespace: str, grown: Amounts) -> dict[str, Any]:
    """Whether the namespace's quota has room for what comes on top."""
    quotas = await bench.reader.list(KINDS["ResourceQuota"], namespace) if namespace else ()
    for quota in quotas:
        hard, used = at_path(quota, "status.hard") or {}, at_path(quota, "status.used") or {}
        for more, (read, names) in zip(grown, _QUOTAS, strict=True):
            if more > 0 and any(read(used.get(name, "0")) + more > read(hard[name]) for name in names if name in hard):
                return {"quota_exceeded": True}
    return {}


def allowed_more(quota: Json, after: Json) -> Amounts:
    """What a raised quota lets the namespace ask for on top: priced as if all of it were used, because nobody asks again."""
    old, new = (at_path(item, "spec.hard") or {} for item in (quota, after))
    return Amounts(
        *(max((read(new[name]) - read(old.get(name, "0")) for name in names if name in new), default=0) for read, names in _QUOTAS)
    )


def _money(bench: Bench, namespace: str, nodes: list[Json], held: Amounts, grown: Amounts | None) -> dict[str, Any]:
    """Priced by the cluster's own nodes: what a unit of CPU, memory and GPU costs where the machine types have a known price."""
    unit = _unit_price(bench.prices, nodes)
    if bench.prices is None or unit is None:
        return {}
    found: dict[str, Any] = {}
    if grown is not None:
        found["monthly_cost_delta_micro_usd"] = round(_weight(bench.prices, grown) * unit * HOURS_PER_MONTH)
    budget = min((item.monthly_budget_micro_usd for item in bench.objectives.of(namespace) if item.monthly_budget_micro_usd), default=None)
    if budget is not None:
        found["budget_left_micro_usd"] = budget - round(_weight(bench.prices, held) * unit * HOURS_PER_MONTH)
    return found


def _unit_price(prices: PriceList | None, nodes: list[Json]) -> float | None:
    """Micro-USD per hour for one weighted unit; a CPU core weighs 1000."""
    if prices is None:
        return None
    known = [price for node in nodes if (price := prices.of(str(workloads.labels(node).get(_TYPE, ""))))]
    weight = sum(_weight(prices, Amounts(price.cpu_milli, price.memory_mib, price.gpus)) for price in known)
    return sum(price.hourly_micro_usd for price in known) / weight if weight else None


def _weight(prices: PriceList, size: Amounts) -> float:
    return size.cpu_milli + size.memory_mib / 1024 * prices.memory_weight + size.gpus * prices.gpu_weight
