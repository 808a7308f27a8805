"""Deployments: a ReplicaSet per template, rolled over within maxSurge and maxUnavailable, with revisions and a progress deadline.

The arithmetic is the rolling-update controller's own (kubernetes/pkg/controller/deployment/rolling.go, sync.go, progress.go).
"""

from datetime import datetime, timedelta

from simulator.clock import stamp
from simulator.controllers import events, pods
from simulator.controllers.cluster import DEPLOYMENTS, REPLICA_SETS, Cluster, Json, moment, owner_reference
from simulator.controllers.conditions import find, put, without

SOURCE = "deployment-controller"
REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
_NOT_COPIED = ("kubectl.kubernetes.io/last-applied-configuration", REVISION)


def reconcile(cluster: Cluster) -> datetime | None:
    return cluster.each(cluster.all(DEPLOYMENTS), _one)


def _one(cluster: Cluster, deployment: Json) -> datetime | None:
    if "deletionTimestamp" in deployment["metadata"]:
        return None
    new = _new_replica_set(cluster, deployment)
    if new is None:
        return None
    deployment = cluster.store.peek(DEPLOYMENTS, deployment["metadata"]["namespace"], deployment["metadata"]["name"]) or deployment
    _roll(cluster, deployment, new)
    _forget_old(cluster, deployment, new)
    return _report(cluster, deployment, new["metadata"]["name"])


# -- revisions --------------------------------------------------------------------------------------------------------


def _new_replica_set(cluster: Cluster, deployment: Json) -> Json | None:
    """The ReplicaSet of the current template, made or given the newest revision where needed."""
    digest = pods.hash_of(cluster, deployment)
    known = cluster.owned(REPLICA_SETS, deployment["metadata"]["uid"])
    found = next((each for each in known if each["metadata"]["labels"].get(HASH) == digest), None)
    newest = max((revision_of(each) for each in known if each is not found), default=0)
    if found is None:
        if deployment["spec"].get("paused"):
            return max(known, key=revision_of, default=None)
        found = _create(cluster, deployment, digest, newest + 1)
    elif revision_of(found) < newest:
        found = _annotate(cluster, found, deployment, newest + 1)
    _adopt_revision(cluster, deployment, revision_of(found))
    return found


def revision_of(obj: Json) -> int:
    return int(obj["metadata"].get("annotations", {}).get(REVISION, "0"))


def _create(cluster: Cluster, deployment: Json, digest: str, revision: int) -> Json:
    meta, spec = deployment["metadata"], deployment["spec"]
    template = {**spec["template"], "metadata": dict(spec["template"].get("metadata", {}))}
    template["metadata"]["labels"] = {**template["metadata"].get("labels", {}), HASH: digest}
    replica_set: Json = {
        "metadata": {
            "name": f"{meta['name']}-{digest}",
            "namespace": meta["namespace"],
            "labels": template["metadata"]["labels"],
            "annotations": _annotations(deployment, revision),
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": 0,
            "selector": {**spec["selector"], "matchLabels": {**spec["selector"].get("matchLabels", {}), HASH: digest}},
            "template": template,
        },
    }
    if spec.get("minReadySeconds"):
        replica_set["spec"]["minReadySeconds"] = spec["minReadySeconds"]
    return cluster.create(REPLICA_SETS, replica_set)


def _annotations(deployment: Json, revision: int) -> dict[str, str]:
    wanted = deployment["spec"].get("replicas", 1)
    surge, _ = _bounds(deployment)
    copied = {key: value for key, value in deployment["metadata"].get("annotations", {}).items() if key not in _NOT_COPIED}
    own = {"desired-replicas": str(wanted), "max-replicas": str(wanted + surge), "revision": str(revision)}
    return {**copied, **{f"deployment.kubernetes.io/{key}": value for key, value in own.items()}}


def _annotate(cluster: Cluster, replica_set: Json, deployment: Json, revision: int) -> Json:
    meta = {**replica_set["metadata"], "annotations": _annotations(deployment, revision)}
    cluster.update(REPLICA_SETS, {**replica_set, "metadata": meta})
    return cluster.store.peek(REPLICA_SETS, meta["namespace"], meta["name"]) or replica_set


def _adopt_revision(cluster: Cluster, deployment: Json, revision: int) -> None:
    if revision_of(deployment) != revision:
        meta = deployment["metadata"]
        annotations = {**meta.get("annotations", {}), REVISION: str(revision)}
        cluster.update(DEPLOYMENTS, {**deployment, "metadata": {**meta, "annotations": annotations}})


def _forget_old(cluster: Cluster, deployment: Json, new: Json) -> None:
    """Delete empty ReplicaSets beyond revisionHistoryLimit, oldest first."""
    kept = deployment["spec"].get("revisionHistoryLimit", 10)
    old = [each for each in cluster.owned(REPLICA_SETS, deployment["metadata"]["uid"]) if each["metadata"]["uid"] != new["metadata"]["uid"]]
    empty = [each for each in old if not each["spec"].get("replicas") and not each.get("status", {}).get("replicas")]
    for replica_set in sorted(empty, key=revision_of)[: max(0, len(old) - kept)]:
        cluster.store.delete(REPLICA_SETS, replica_set["metadata"]["namespace"], replica_set["metadata"]["name"])


# -- rolling ----------------------------------------------------------------------------------------------------------


def _bounds(deployment: Json) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) as numbers of pods; never both zero."""
    wanted = deployment["spec"].get("replicas", 1)
    rolling = deployment["spec"].get("strategy", {}).get("rollingUpdate", {})
    surge = pods.resolve(rolling.get("maxSurge"), wanted, up=True)
    unavailable = pods.resolve(rolling.get("maxUnavailable"), wanted, up=False)
    return surge, unavailable if surge or unavailable else 1


def _roll(cluster: Cluster, deployment: Json, new: Json) -> None:
    siblings = cluster.owned(REPLICA_SETS, deployment["metadata"]["uid"])
    old = [each for each in siblings if each["metadata"]["uid"] != new["metadata"]["uid"]]
    new = next((each for each in siblings if each["metadata"]["uid"] == new["metadata"]["uid"]), new)
    wanted = deployment["spec"].get("replicas", 1)
    if not any(each["spec"]["replicas"] for each in old):
        _scale(cluster, deployment, new, wanted)
    elif deployment["spec"].get("paused"):
        return
    elif deployment["spec"].get("strategy", {}).get("type") == "Recreate":
        _recreate(cluster, deployment, new, old)
    else:
        _grow(cluster, deployment, new, old)
        _shrink(cluster, deployment, new, old)


def _recreate(cluster: Cluster, deployment: Json, new: Json, old: list[Json]) -> None:
    for each in old:
        _scale(cluster, deployment, each, 0)
    if not any(each.get("status", {}).get("replicas") for each in old):
        _scale(cluster, deployment, new, deployment["spec"].get("replicas", 1))


def _grow(cluster: Cluster, deployment: Json, new: Json, old: list[Json]) -> None:
    wanted = deployment["spec"].get("replicas", 1)
    surge, _ = _bounds(deployment)
    have = new["spec"]["replicas"]
    total = have + sum(each["spec"]["replicas"] for each in old)
    room = wanted + surge - total
    if have > wanted:
        _scale(cluster, deployment, new, wanted)
    elif room > 0 and have < wanted:
        _scale(cluster, deployment, new, have + min(room, wanted - have))


def _shrink(cluster: Cluster, deployment: Json, new: Json, old: list[Json]) -> None:
    """Old pods go, the unhealthy first, as far as minAvailable allows while the new ones are not available yet."""
    wanted = deployment["spec"].get("replicas", 1)
    _, unavailable = _bounds(deployment)
    floor = wanted - unavailable
    fresh = _current(cluster, new)
    sizes = {each["metadata"]["uid"]: each["spec"]["replicas"] for each in old}
    new_missing = fresh["spec"]["replicas"] - fresh.get("status", {}).get("availableReplicas", 0)
    spare = fresh["spec"]["replicas"] + sum(sizes.values()) - floor - new_missing
    for each in sorted(old, key=revision_of):
        sick = sizes[each["metadata"]["uid"]] - each.get("status", {}).get("availableReplicas", 0)
        cut = max(0, min(spare, sick))
        sizes[each["metadata"]["uid"]] -= cut
        spare -= cut
    available = sum(each.get("status", {}).get("availableReplicas", 0) for each in [*old, fresh])
    spare = available - floor
    for each in sorted(old, key=revision_of):
        cut = max(0, min(spare, sizes[each["metadata"]["uid"]]))
        sizes[each["metadata"]["uid"]] -= cut
        spare -= cut
    for each in old:
        _scale(cluster, deployment, each, sizes[each["metadata"]["uid"]])


def _current(cluster: Cluster, replica_set: Json) -> Json:
    meta = replica_set["metadata"]
    return cluster.store.peek(REPLICA_SETS, meta["namespace"], meta["name"]) or replica_set


def _scale(cluster: Cluster, deployment: Json, replica_set: Json, replicas: int) -> None:
    have = replica_set["spec"]["replicas"]
    if have == replicas:
        return
    live = _current(cluster, replica_set)
    cluster.update(REPLICA_SETS, {**live, "spec": {**live["spec"], "replicas": replicas}})
    way = "up" if replicas > have else "down"
    text = f"Scaled {way} replica set {replica_set['metadata']['name']} from {have} to {replicas}"
    events.record(cluster, deployment, "ScalingReplicaSet", text, source=SOURCE)


# -- status -----------------------------------------------------------------------------------------------------------


def _report(cluster: Cluster, deployment: Json, newest: str) -> datetime | None:
    siblings = cluster.owned(REPLICA_SETS, deployment["metadata"]["uid"])
    new = next((each for each in siblings if each["metadata"]["name"] == newest), None)
    if new is None:
        return None
    status = _counts(deployment, siblings, new)
    conditions: list[Json] = list(deployment.get("status", {}).get("conditions", []))
    conditions = _available(cluster, deployment, status, conditions)
    conditions, due = _progress(cluster, deployment, status, conditions, newest)
    status["conditions"] = _failures(siblings, conditions)
    cluster.set_status(DEPLOYMENTS, deployment, status)
    return due


def _failures(siblings: list[Json], conditions: list[Json]) -> list[Json]:
    """A ReplicaSet's refusal is its Deployment's too."""
    failed = [found for each in siblings if (found := find(each.get("status", {}).get("conditions", []), "ReplicaFailure"))]
    return [*without(conditions, "ReplicaFailure"), *failed[:1]]


def _counts(deployment: Json, siblings: list[Json], new: Json) -> Json:
    def total(field: str) -> int:
        return sum(each.get("status", {}).get(field, 0) for each in siblings)

    counts = {
        "replicas": total("replicas"),
        "updatedReplicas": new.get("status", {}).get("replicas", 0),
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": total("availableReplicas"),
        "unavailableReplicas": max(0, sum(each["spec"]["replicas"] for each in siblings) - total("availableReplicas")),
    }
    return {"observedGeneration": deployment["metadata"].get("generation", 1), **{key: value for key, value in counts.items() if value}}


def _available(cluster: Cluster, deployment: Json, status: Json, conditions: list[Json]) -> list[Json]:
    _, unavailable = _bounds(deployment)
    enough = status.get("availableReplicas", 0) >= deployment["spec"].get("replicas", 1) - unavailable
    word = ("True", "MinimumReplicasAvailable", "has") if enough else ("False", "MinimumReplicasUnavailable", "does not have")
    old = find(conditions, "Available")
    if old is not None and old["status"] == word[0]:
        return conditions
    message = f"Deployment {word[2]} minimum availability."
    return put(conditions, "Available", word[0], cluster.now, reason=word[1], message=message, lastUpdateTime=stamp(cluster.now))


def is_complete(deployment: Json, status: Json) -> bool:
    wanted = deployment["spec"].get("replicas", 1)
    return all(status.get(field, 0) == wanted for field in ("updatedReplicas", "replicas", "availableReplicas"))


def _progress(cluster: Cluster, deployment: Json, status: Json, conditions: list[Json], newest: str) -> tuple[list[Json], datetime | None]:
    """The Progressing condition, and when it will be too late."""
    old, before = find(conditions, "Progressing"), deployment.get("status", {})
    deadline = timedelta(seconds=deployment["spec"].get("progressDeadlineSeconds", 600))
    if deployment["spec"].get("paused"):
        if old is None or old["reason"] not in ("DeploymentPaused", "ProgressDeadlineExceeded"):
            conditions = _progressing(cluster, conditions, "Unknown", "DeploymentPaused", "Deployment is paused")
        return conditions, None
    if old is not None and old["reason"] == "DeploymentPaused":
        return _progressing(cluster, conditions, "Unknown", "DeploymentResumed", "Deployment is resumed"), cluster.now + deadline
    if is_complete(deployment, status):
        message = f'ReplicaSet "{newest}" has successfully progressed.'
        if old is not None and old.get("reason") == "NewReplicaSetAvailable" and old.get("message") == message:
            return conditions, None
        return _progressing(cluster, conditions, "True", "NewReplicaSetAvailable", message), None
    if old is None or _moved(before, status) or (old.get("reason") == "NewReplicaSetAvailable" and before.get("updatedReplicas") is None):
        message = f'ReplicaSet "{newest}" is progressing.'
        return _progressing(cluster, conditions, "True", "ReplicaSetUpdated", message), cluster.now + deadline
    if old["reason"] in ("ProgressDeadlineExceeded", "NewReplicaSetAvailable"):
        return conditions, None
    due = moment(old["lastUpdateTime"]) + deadline
    if cluster.now < due:
        return conditions, due
    message = f'ReplicaSet "{newest}" has timed out progressing.'
    return _progressing(cluster, conditions, "False", "ProgressDeadlineExceeded", message), None


def _progressing(cluster: Cluster, conditions: list[Json], status: str, reason: str, message: str) -> list[Json]:
    return put(conditions, "Progressing", status, cluster.now, reason=reason, message=message, lastUpdateTime=stamp(cluster.now))


def _moved(before: Json, status: Json) -> bool:
    """More updated pods, fewer old ones, or more ready or available ones than before."""
    old_before = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    old_now = status.get("replicas", 0) - status.get("updatedReplicas", 0)
    grown = any(status.get(field, 0) > before.get(field, 0) for field in ("updatedReplicas", "readyReplicas", "availableReplicas"))
    return grown or old_now < old_before
