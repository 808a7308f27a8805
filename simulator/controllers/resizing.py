"""In-place resize (KEP-1287): a running container's resources follow its spec after a moment, or wait with a reason.

Called by the kubelets.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import NamedTuple

from simulator.controllers import scheduling
from simulator.controllers.cluster import NODES, PODS, PREFIX, Cluster, Json, moment
from simulator.controllers.conditions import find, put, without

CONVERGE_SECONDS = 1


class Resize(NamedTuple):
    """Container statuses and pod conditions after one look, and when to look again."""

    statuses: list[Json]
    conditions: list[Json]
    due: datetime | None


def resize(cluster: Cluster, pod: Json, statuses: list[Json], conditions: list[Json]) -> Resize:
    """One step of a resize; nothing happens when the running containers have what their spec says."""
    wanted = {each["name"]: each.get("resources", {}) for each in pod["spec"]["containers"]}
    differing = [each["name"] for each in statuses if "running" in each["state"] and each.get("resources", {}) != wanted.get(each["name"])]
    if not differing:
        return Resize(statuses, without(without(conditions, "PodResizePending"), "PodResizeInProgress"), None)
    generation = pod["metadata"].get("generation", 1)
    held = _held(cluster, pod)
    if held is not None:
        reason, message = held
        pending = put(without(conditions, "PodResizeInProgress"), "PodResizePending", "True", cluster.now, reason=reason, message=message)
        return Resize(statuses, _observed(pending, "PodResizePending", generation), cluster.after(60))
    progress = find(conditions, "PodResizeInProgress")
    if progress is None:
        started = put(without(conditions, "PodResizePending"), "PodResizeInProgress", "True", cluster.now)
        return Resize(statuses, _observed(started, "PodResizeInProgress", generation), cluster.after(CONVERGE_SECONDS))
    due = moment(progress["lastTransitionTime"]) + timedelta(seconds=CONVERGE_SECONDS)
    if cluster.now < due:
        return Resize(statuses, conditions, due)
    done = [_converged(pod, each, wanted[each["name"]]) if each["name"] in differing else each for each in statuses]
    return Resize(done, without(conditions, "PodResizeInProgress"), None)


def _observed(conditions: list[Json], kind: str, generation: int) -> list[Json]:
    return [{**each, "observedGeneration": generation} if each["type"] == kind else each for each in conditions]


def _converged(pod: Json, status: Json, resources: Json) -> Json:
    spec = next(each for each in pod["spec"]["containers"] if each["name"] == status["name"])
    new = {**status, "resources": resources, "allocatedResources": resources.get("requests", {})}
    policies = {each["resourceName"] for each in spec.get("resizePolicy", ()) if each.get("restartPolicy") == "RestartContainer"}
    changed = {
        key
        for field in ("requests", "limits")
        for key in policies
        if _get(resources, field, key) != _get(status.get("resources", {}), field, key)
    }
    return {**new, "restartCount": status["restartCount"] + 1} if changed else new


def _get(resources: Json, field: str, key: str) -> str | None:
    found: str | None = resources.get(field, {}).get(key)
    return found


def _held(cluster: Cluster, pod: Json) -> tuple[str, str] | None:
    """Why the kubelet does not begin: told by annotation, larger than the node, or no room beside the others."""
    told = pod["metadata"].get("annotations", {}).get(f"{PREFIX}resize")
    if told in ("Deferred", "Infeasible"):
        return told, f"the kubelet holds the resize as {told}"
    node = cluster.store.peek(NODES, None, pod["spec"]["nodeName"])
    if node is None:
        return "Infeasible", "the node is gone"
    free, wanted = Counter(scheduling.allocatable(node)), scheduling.demand(pod)
    if any(amount > free[key] for key, amount in wanted.items()):
        return "Infeasible", "Node didn't have enough capacity: " + ", ".join(key for key, amount in wanted.items() if amount > free[key])
    for other in cluster.all(PODS):
        beside = other["spec"].get("nodeName") == pod["spec"]["nodeName"] and other["metadata"]["uid"] != pod["metadata"]["uid"]
        if beside and other.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            free.subtract(scheduling.demand(other))
    lacking = [key for key, amount in wanted.items() if amount > free[key]]
    return ("Deferred", "Node didn't have enough resource: " + ", ".join(lacking)) if lacking else None
