"""ReplicaSets: keep as many pods as asked, delete the least useful first, count what is ready and available."""

from datetime import datetime

from simulator.controllers import admitting, events, pods
from simulator.controllers.cluster import PODS, REPLICA_SETS, Cluster, Json, earliest
from simulator.controllers.conditions import put

SOURCE = "replicaset-controller"
RETRY_SECONDS = 60


def reconcile(cluster: Cluster) -> datetime | None:
    return cluster.each(cluster.all(REPLICA_SETS), _one)


def _one(cluster: Cluster, replica_set: Json) -> datetime | None:
    members = cluster.owned(PODS, replica_set["metadata"]["uid"])
    if cluster.is_known("replicas", replica_set, *members):
        return None
    active = [pod for pod in members if pods.is_active(pod)]
    refused = ""
    if "deletionTimestamp" not in replica_set["metadata"]:
        wanted = replica_set["spec"].get("replicas", 1)
        if len(active) < wanted:
            refused = _create(cluster, replica_set, wanted - len(active))
        elif len(active) > wanted:
            _delete(cluster, replica_set, active, len(active) - wanted)
        members = cluster.owned(PODS, replica_set["metadata"]["uid"])
    due = _report(cluster, replica_set, [pod for pod in members if pods.is_active(pod)], refused)
    due = earliest(due, cluster.after(RETRY_SECONDS)) if refused else due
    if due is not None:
        cluster.forget(replica_set)
    return due


def _create(cluster: Cluster, replica_set: Json, count: int) -> str:
    """Create so many pods; the sentence of a refusal, at which it stops."""
    name = replica_set["metadata"]["name"]
    for _ in range(count):
        try:
            pod = admitting.create_pod(cluster, pods.from_template(replica_set, replica_set["spec"]["template"], generateName=f"{name}-"))
        except admitting.PodRefusedError as refused:
            events.record(cluster, replica_set, "FailedCreate", f"Error creating: {refused}", source=SOURCE, warning=True)
            return str(refused)
        events.record(cluster, replica_set, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}", source=SOURCE)
    return ""


def _delete(cluster: Cluster, replica_set: Json, active: list[Json], count: int) -> None:
    for pod in sorted(active, key=lambda each: pods.deletion_rank(cluster, each))[:count]:
        cluster.delete_pod(pod)
        events.record(cluster, replica_set, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}", source=SOURCE)


def _report(cluster: Cluster, replica_set: Json, active: list[Json], refused: str) -> datetime | None:
    wait = replica_set["spec"].get("minReadySeconds", 0)
    status: Json = {"replicas": len(active), "observedGeneration": replica_set["metadata"].get("generation", 1)}
    hashed = replica_set["spec"]["template"].get("metadata", {}).get("labels", {})
    counts = {
        "fullyLabeledReplicas": sum(hashed.items() <= pod["metadata"].get("labels", {}).items() for pod in active),
        "readyReplicas": sum(map(pods.is_ready, active)),
        "availableReplicas": sum(pods.is_available(pod, wait, cluster.now) for pod in active),
    }
    status |= {key: value for key, value in counts.items() if value}
    if refused:
        known = replica_set.get("status", {}).get("conditions", [])
        status["conditions"] = put(known, "ReplicaFailure", "True", cluster.now, reason="FailedCreate", message=refused)
    cluster.set_status(REPLICA_SETS, replica_set, status)
    coming = [at for pod in active if (at := pods.available_at(pod, wait)) is not None and at > cluster.now]
    return earliest(*coming)
