"""PodDisruptionBudgets: how many of the selected pods may go now. The eviction subresource obeys the status written here."""

from datetime import datetime, timedelta

from simulator.clock import stamp
from simulator.controllers import pods
from simulator.controllers.cluster import (
    DAEMON_SETS,
    DEPLOYMENTS,
    JOBS,
    PDBS,
    REPLICA_SETS,
    STATEFUL_SETS,
    Cluster,
    Json,
    moment,
)
from simulator.controllers.conditions import put

_EVICTION_SECONDS = 120
"""An eviction that was allowed counts as a disruption until its pod is gone, or for this long."""
_OWNERS = {"ReplicaSet": REPLICA_SETS, "StatefulSet": STATEFUL_SETS, "DaemonSet": DAEMON_SETS, "Job": JOBS}


def reconcile(cluster: Cluster) -> datetime | None:
    return cluster.each(cluster.all(PDBS), _one)


def _one(cluster: Cluster, budget: Json) -> None:
    wanted = budget["spec"].get("selector", {}).get("matchLabels", {})
    members = cluster.pods_with(budget["metadata"]["namespace"], wanted)
    selected = [pod for pod in members if selects(budget, pod)]
    if cluster.is_known("budget", budget, *selected, *_owners(cluster, selected)) and not budget.get("status", {}).get("disruptedPods"):
        return
    cluster.set_status(PDBS, budget, _status(cluster, budget, selected))


def selects(budget: Json, pod: Json) -> bool:
    return labelled(budget["spec"].get("selector", {}), pod["metadata"].get("labels", {}))


def labelled(selector: Json, labels: Json) -> bool:
    """Whether a label selector means an object with these labels."""
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    return all(_matches(each, labels.get(each["key"])) for each in selector.get("matchExpressions", ()))


def _matches(expression: Json, value: str | None) -> bool:
    if expression["operator"] in ("Exists", "DoesNotExist"):
        return (value is not None) is (expression["operator"] == "Exists")
    return (value in expression.get("values", ())) is (expression["operator"] == "In")


def _status(cluster: Cluster, budget: Json, selected: list[Json]) -> Json:
    spec, old = budget["spec"], budget.get("status", {})
    expected = _expected(cluster, selected)
    if "minAvailable" in spec:
        needed = pods.resolve(spec["minAvailable"], expected, up=True)
    else:
        needed = expected - pods.resolve(spec.get("maxUnavailable", 1), expected, up=True)
    disrupted = _disrupted(cluster, old.get("disruptedPods", {}), selected)
    healthy = sum(pods.is_ready(pod) and pods.is_active(pod) and pod["metadata"]["name"] not in disrupted for pod in selected)
    allowed = max(0, healthy - max(0, needed)) if expected else 0
    reason = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    generation = budget["metadata"].get("generation", 1)
    conditions = put(
        old.get("conditions", []), "DisruptionAllowed", reason[0], cluster.now, reason=reason[1], message="", observedGeneration=generation
    )
    status: Json = {
        "conditions": [{"message": "", **each} for each in conditions],
        "currentHealthy": healthy,
        "desiredHealthy": max(0, needed),
        "disruptionsAllowed": allowed,
        "expectedPods": expected,
        "observedGeneration": generation,
    }
    return {**status, "disruptedPods": disrupted} if disrupted else status


def _expected(cluster: Cluster, selected: list[Json]) -> int:
    """The replicas that the owners want; pods without an owner count themselves."""
    wanted: dict[str, int] = {}
    for pod in selected:
        owner = next((each for each in pod["metadata"].get("ownerReferences", ()) if each.get("controller")), None)
        if owner is None or owner["kind"] not in _OWNERS:
            wanted[pod["metadata"]["uid"]] = 1
            continue
        uid, size = _owner_size(cluster, pod["metadata"]["namespace"], owner)
        wanted[uid] = size
    return sum(wanted.values())


def _owners(cluster: Cluster, selected: list[Json]) -> list[Json | None]:
    """What the pods' sizes are read from: their owners, and those of the owners."""
    found: dict[str, Json | None] = {}
    for pod in selected:
        namespace = pod["metadata"]["namespace"]
        for owner in pod["metadata"].get("ownerReferences", ()):
            if owner["uid"] in found or owner["kind"] not in _OWNERS:
                continue
            item = found[owner["uid"]] = cluster.store.peek(_OWNERS[owner["kind"]], namespace, owner["name"])
            for above in (item or {}).get("metadata", {}).get("ownerReferences", ()):
                found[above["uid"]] = cluster.store.peek(DEPLOYMENTS, namespace, above["name"])
    return list(found.values())


def _owner_size(cluster: Cluster, namespace: str, owner: Json) -> tuple[str, int]:
    found = cluster.store.peek(_OWNERS[owner["kind"]], namespace, owner["name"])
    if found is None:
        return owner["uid"], 0
    for above in found["metadata"].get("ownerReferences", ()):
        deployment = cluster.store.peek(DEPLOYMENTS, namespace, above["name"]) if above["kind"] == "Deployment" else None
        if deployment is not None:
            return above["uid"], deployment["spec"].get("replicas", 1)
    size = found["spec"].get("replicas", found["spec"].get("parallelism", found.get("status", {}).get("desiredNumberScheduled", 0)))
    return owner["uid"], size


def _disrupted(cluster: Cluster, old: dict[str, str], selected: list[Json]) -> dict[str, str]:
    """Allowed evictions whose pods are still there and not yet asked to go."""
    there = {pod["metadata"]["name"] for pod in selected if "deletionTimestamp" not in pod["metadata"]}
    limit = cluster.now - timedelta(seconds=_EVICTION_SECONDS)
    return {name: at for name, at in old.items() if name in there and moment(at) > limit and at <= stamp(cluster.now)}
