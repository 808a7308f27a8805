"""StatefulSets: numbered pods, made in order and replaced from the highest number down, one at a time."""

from datetime import datetime

from simulator.controllers import admitting, events, pods
from simulator.controllers.cluster import PODS, REVISIONS, STATEFUL_SETS, Cluster, Json, owner_reference

SOURCE = "statefulset-controller"
HASH = "controller-revision-hash"


def reconcile(cluster: Cluster) -> datetime | None:
    return cluster.each(cluster.all(STATEFUL_SETS), _one)


def _one(cluster: Cluster, stateful_set: Json) -> None:
    if "deletionTimestamp" in stateful_set["metadata"]:
        return
    revision = _revision(cluster, stateful_set)
    members = {ordinal(pod): pod for pod in cluster.owned(PODS, stateful_set["metadata"]["uid"])}
    _act(cluster, stateful_set, members, revision)
    _report(cluster, stateful_set, revision)


def ordinal(pod: Json) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])


def _revision(cluster: Cluster, owner: Json) -> str:
    """The name of the ControllerRevision of the current template, made where it is missing."""
    meta = owner["metadata"]
    name = f"{meta['name']}-{pods.hash_of(cluster, owner)}"
    if cluster.store.peek(REVISIONS, meta["namespace"], name) is None:
        known = cluster.owned(REVISIONS, meta["uid"])
        number = max((each.get("revision", 0) for each in known), default=0) + 1
        body: Json = {
            "metadata": {"name": name, "namespace": meta["namespace"], "labels": {HASH: name.rpartition("-")[2]}},
            "data": {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}},
            "revision": number,
        }
        body["metadata"]["ownerReferences"] = [owner_reference(owner)]
        cluster.create(REVISIONS, body)
    return name


def _act(cluster: Cluster, stateful_set: Json, members: dict[int, Json], revision: str) -> None:
    """One step: fill the lowest gap, or drop the highest surplus, or replace the highest outdated pod."""
    wanted = stateful_set["spec"].get("replicas", 1)
    parallel = stateful_set["spec"].get("podManagementPolicy") == "Parallel"
    for number in range(wanted):
        pod = members.get(number)
        if pod is None:
            _create(cluster, stateful_set, number, revision)
        if not parallel and (pod is None or not pods.is_ready(pod)):
            return _unstick(cluster, stateful_set, pod, revision)
    surplus = [number for number in members if number >= wanted]
    if surplus:
        return _drop(cluster, stateful_set, members[max(surplus)])
    _replace(cluster, stateful_set, members, revision)
    return None


def _unstick(cluster: Cluster, stateful_set: Json, pod: Json | None, revision: str) -> None:
    """A broken pod of an old revision is replaced, or a mended template would never come to effect."""
    outdated = pod is not None and pod["metadata"]["labels"].get(HASH) != revision
    if pod is not None and pods.is_active(pod) and outdated and _rolls(stateful_set):
        _drop(cluster, stateful_set, pod)


def _rolls(stateful_set: Json) -> bool:
    return bool(stateful_set["spec"].get("updateStrategy", {}).get("type", "RollingUpdate") == "RollingUpdate")


def _create(cluster: Cluster, stateful_set: Json, number: int, revision: str) -> None:
    name = f"{stateful_set['metadata']['name']}-{number}"
    labels = {HASH: revision, "apps.kubernetes.io/pod-index": str(number), "statefulset.kubernetes.io/pod-name": name}
    pod = pods.from_template(stateful_set, stateful_set["spec"]["template"], name=name, labels=labels)
    pod["spec"] |= {"hostname": name, "subdomain": stateful_set["spec"].get("serviceName", "")}
    try:
        admitting.create_pod(cluster, pod)
    except admitting.PodRefusedError as refused:
        text = f"create Pod {name} in StatefulSet {stateful_set['metadata']['name']} failed error: {refused}"
        events.record(cluster, stateful_set, "FailedCreate", text, source=SOURCE, warning=True)
        return
    text = f"create Pod {name} in StatefulSet {stateful_set['metadata']['name']} successful"
    events.record(cluster, stateful_set, "SuccessfulCreate", text, source=SOURCE)


def _drop(cluster: Cluster, stateful_set: Json, pod: Json) -> None:
    if "deletionTimestamp" in pod["metadata"]:
        return
    cluster.delete_pod(pod)
    text = f"delete Pod {pod['metadata']['name']} in StatefulSet {stateful_set['metadata']['name']} successful"
    events.record(cluster, stateful_set, "SuccessfulDelete", text, source=SOURCE)


def _replace(cluster: Cluster, stateful_set: Json, members: dict[int, Json], revision: str) -> None:
    if not _rolls(stateful_set) or any("deletionTimestamp" in pod["metadata"] or not pods.is_ready(pod) for pod in members.values()):
        return
    partition = stateful_set["spec"].get("updateStrategy", {}).get("rollingUpdate", {}).get("partition", 0)
    outdated = [number for number, pod in members.items() if number >= partition and pod["metadata"]["labels"].get(HASH) != revision]
    if outdated:
        _drop(cluster, stateful_set, members[max(outdated)])


def _report(cluster: Cluster, stateful_set: Json, revision: str) -> None:
    members = [pod for pod in cluster.owned(PODS, stateful_set["metadata"]["uid"]) if pods.is_active(pod)]
    wait = stateful_set["spec"].get("minReadySeconds", 0)
    updated = [pod for pod in members if pod["metadata"]["labels"].get(HASH) == revision]
    old = stateful_set.get("status", {}).get("currentRevision", revision)
    current = revision if len(updated) == len(members) else old
    status = {
        "observedGeneration": stateful_set["metadata"].get("generation", 1),
        "replicas": len(members),
        "readyReplicas": sum(map(pods.is_ready, members)),
        "availableReplicas": sum(pods.is_available(pod, wait, cluster.now) for pod in members),
        "currentReplicas": sum(pod["metadata"]["labels"].get(HASH) == current for pod in members),
        "updatedReplicas": len(updated),
        "currentRevision": current,
        "updateRevision": revision,
        "collisionCount": 0,
    }
    cluster.set_status(STATEFUL_SETS, stateful_set, status)
