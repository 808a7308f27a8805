"""DaemonSets: one pod on each node that its selector and tolerations admit; outdated pods are replaced one at a time."""

from datetime import datetime

from simulator.controllers import admitting, events, pods, scheduling
from simulator.controllers.cluster import DAEMON_SETS, NODES, PODS, Cluster, Json

SOURCE = "daemonset-controller"
HASH = "controller-revision-hash"
_TOLERATED = (
    "not-ready:NoExecute",
    "unreachable:NoExecute",
    "disk-pressure:NoSchedule",
    "memory-pressure:NoSchedule",
    "unschedulable:NoSchedule",
)
TOLERATIONS = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": effect} for key, effect in (each.split(":") for each in _TOLERATED)
]


def reconcile(cluster: Cluster) -> datetime | None:
    return cluster.each(cluster.all(DAEMON_SETS), _one)


def _one(cluster: Cluster, daemon_set: Json) -> None:
    if "deletionTimestamp" in daemon_set["metadata"]:
        return
    revision = pods.hash_of(cluster, daemon_set)
    members = {pod["spec"].get("nodeName", ""): pod for pod in cluster.owned(PODS, daemon_set["metadata"]["uid"])}
    wanted = [node["metadata"]["name"] for node in cluster.all(NODES) if _belongs(daemon_set, node)]
    for name in wanted:
        if name not in members:
            _create(cluster, daemon_set, name, revision)
    for name, pod in members.items():
        if name not in wanted or pod.get("status", {}).get("phase") == "Failed":
            cluster.delete_pod(pod)
    _replace(cluster, daemon_set, members, revision)
    _report(cluster, daemon_set, wanted, revision)


def _belongs(daemon_set: Json, node: Json) -> bool:
    spec = daemon_set["spec"]["template"]["spec"]
    selected = spec.get("nodeSelector", {}).items() <= node["metadata"].get("labels", {}).items()
    return selected and not scheduling.untolerated(node, [*spec.get("tolerations", []), *TOLERATIONS])


def _create(cluster: Cluster, daemon_set: Json, node: str, revision: str) -> None:
    name = daemon_set["metadata"]["name"]
    pod = pods.from_template(daemon_set, daemon_set["spec"]["template"], generateName=f"{name}-", labels={HASH: revision})
    pod["spec"] |= {"nodeName": node, "tolerations": [*pod["spec"].get("tolerations", []), *TOLERATIONS]}
    try:
        made = admitting.create_pod(cluster, pod)
    except admitting.PodRefusedError as refused:
        events.record(cluster, daemon_set, "FailedCreate", f"Error creating: {refused}", source=SOURCE, warning=True)
        return
    events.record(cluster, daemon_set, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}", source=SOURCE)


def _replace(cluster: Cluster, daemon_set: Json, members: dict[str, Json], revision: str) -> None:
    if daemon_set["spec"].get("updateStrategy", {}).get("type") == "OnDelete":
        return
    limit = pods.resolve(
        daemon_set["spec"].get("updateStrategy", {}).get("rollingUpdate", {}).get("maxUnavailable"), len(members), up=True, default="1"
    )
    spare = max(1, limit) - sum(not pods.is_ready(pod) for pod in members.values())
    for pod in members.values():
        outdated = pod["metadata"]["labels"].get(HASH) != revision and "deletionTimestamp" not in pod["metadata"]
        if outdated and (spare > 0 or not pods.is_ready(pod)):
            spare -= pods.is_ready(pod)
            cluster.delete_pod(pod)


def _report(cluster: Cluster, daemon_set: Json, wanted: list[str], revision: str) -> None:
    members = [pod for pod in cluster.owned(PODS, daemon_set["metadata"]["uid"]) if pods.is_active(pod)]
    ready = sum(map(pods.is_ready, members))
    status = {
        "currentNumberScheduled": len(members),
        "numberMisscheduled": sum(pod["spec"].get("nodeName") not in wanted for pod in members),
        "desiredNumberScheduled": len(wanted),
        "numberReady": ready,
        "observedGeneration": daemon_set["metadata"].get("generation", 1),
        "updatedNumberScheduled": sum(pod["metadata"]["labels"].get(HASH) == revision for pod in members),
        "numberAvailable": ready,
    }
    if len(wanted) > ready:
        status["numberUnavailable"] = len(wanted) - ready
    cluster.set_status(DAEMON_SETS, daemon_set, {key: value for key, value in status.items() if value or key in _ALWAYS})


_ALWAYS = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
