"""Gangs: pods of a PodGroup are bound together or not at all. Asked by the scheduler before it places anything.

A pod names its group in `spec.schedulingGroup.podGroupName`; the group's `spec.schedulingPolicy.gang.minCount` says how many must fit.
"""

from collections import defaultdict
from collections.abc import Callable

from simulator.controllers.cluster import PODS, Cluster, Json
from simulator.controllers.conditions import put
from simulator.resources import resource

GROUPS = resource("scheduling.k8s.io", "podgroups", "v1beta1")
_CONDITION = "PodGroupInitiallyScheduled"


def group_of(pod: Json) -> tuple[str, str]:
    """Namespace and name of a pod's group; the name is "" for a pod in none."""
    return pod["metadata"]["namespace"], str((pod["spec"].get("schedulingGroup") or {}).get("podGroupName") or "")


def held(cluster: Cluster, pending: list[Json], fits: Callable[[list[Json]], int]) -> dict[str, str]:
    """Why pending pods must wait for their gang, by uid. `fits` counts how many of some pods find a place at once."""
    gangs: dict[tuple[str, str], list[Json]] = defaultdict(list)
    for pod in pending:
        if group_of(pod)[1]:
            gangs[group_of(pod)].append(pod)
    waiting: dict[str, str] = {}
    for (namespace, name), members in sorted(gangs.items()):
        group = cluster.store.peek(GROUPS, namespace, name)
        why = "" if group is not None else f'pod group "{name}" not found'
        if group is not None:
            why = _short(cluster, group, members, fits)
            _tell(cluster, group, why)
        waiting |= {pod["metadata"]["uid"]: why for pod in members if why}
    return waiting


def _short(cluster: Cluster, group: Json, members: list[Json], fits: Callable[[list[Json]], int]) -> str:
    """What the gang lacks; "" when enough of it runs or finds a place."""
    wanted = ((group["spec"].get("schedulingPolicy") or {}).get("gang") or {}).get("minCount", 0)
    place = (group["metadata"]["namespace"], group["metadata"]["name"])
    bound = sum(1 for pod in cluster.all(PODS) if group_of(pod) == place and pod["spec"].get("nodeName"))
    if bound + len(members) < wanted:
        return f"minCount ({wanted}) cannot be satisfied: {bound + len(members)} pods of the group exist"
    placed = bound + fits(members)
    if placed >= wanted:
        return ""
    return f"minCount ({wanted}) cannot be satisfied: {placed} scheduled, 0 remaining"


def _tell(cluster: Cluster, group: Json, why: str) -> None:
    status = dict(group.get("status", {}))
    state, reason = ("False", "Unschedulable") if why else ("True", "Scheduled")
    status["conditions"] = put(status.get("conditions", []), _CONDITION, state, cluster.now, reason=reason, message=why)
    cluster.set_status(GROUPS, group, status, manager="kube-scheduler")
