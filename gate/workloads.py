"""The pods behind a target, and what the kubelets and controllers report of them. Read for verification and for the judge's facts."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from core.cluster.kinds import KINDS
from core.cluster.reading import ObjectReader
from core.domain.values import Json, at_path

FINISHED = ("Succeeded", "Failed")


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """A label selector. An empty one matches everything, an absent one nothing (as the API server has it)."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(item, labels) for item in selector.get("matchExpressions") or ())


def _expression(item: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(str(item.get("key"))), item.get("values") or ()
    match item.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            return False


def template(live: Json) -> Json:
    """Metadata and spec of the pods that the object makes; of a pod, itself."""
    kind = live.get("kind")
    if kind == "Pod":
        return live
    found = at_path(live, "spec.jobTemplate.spec.template" if kind == "CronJob" else "spec.template")
    return dict(found) if isinstance(found, Mapping) else {}


def containers(live: Json) -> list[Json]:
    return list((template(live).get("spec") or {}).get("containers") or ())


async def scaled_by(reader: ObjectReader, live: Json) -> Json:
    """The workload behind an autoscaler; anything else is itself."""
    name, kind = at_path(live, "spec.scaleTargetRef.name"), at_path(live, "spec.scaleTargetRef.kind")
    if live.get("kind") != "HorizontalPodAutoscaler" or kind not in KINDS:
        return live
    return await reader.get(KINDS[str(kind)], str(at_path(live, "metadata.namespace")), str(name)) or {}


async def pods_of(reader: ObjectReader, live: Json) -> list[Json]:
    """The pods of a workload, a job, a node, or the pod itself; those that go are left out."""
    metadata, kind = live.get("metadata", {}), live.get("kind")
    if kind == "Pod":
        return [live]
    if kind == "Node":
        return [pod for pod in await reader.list(KINDS["Pod"]) if at_path(pod, "spec.nodeName") == metadata.get("name")]
    if kind == "Namespace":
        return list(await reader.list(KINDS["Pod"], str(metadata.get("name"))))
    found = await reader.list(KINDS["Pod"], str(metadata.get("namespace") or ""))
    return [pod for pod in found if selects(live, pod) and not at_path(pod, "metadata.deletionTimestamp")]


def selects(live: Json, pod: Json) -> bool:
    """Whether the pod is one of those that the workload's selector means."""
    same = at_path(live, "metadata.namespace") == at_path(pod, "metadata.namespace")
    return same and matches(at_path(live, "spec.selector"), labels(pod))


def maker(pod: Json) -> tuple[str, str]:
    """Kind and name of the workload that made a pod; its own where none did."""
    owners = (item for item in at_path(pod, "metadata.ownerReferences") or () if item.get("controller"))
    owner: Json = next(owners, {"kind": "Pod", "name": at_path(pod, "metadata.name")})
    if owner["kind"] == "ReplicaSet":
        return "Deployment", str(owner["name"]).rpartition("-")[0]
    return str(owner["kind"]), str(owner["name"])


def labels(live: Json) -> Mapping[str, str]:
    found = at_path(live, "metadata.labels")
    return found if isinstance(found, Mapping) else {}


def ready(item: Json) -> bool:
    """A pod or a node that says it is Ready, and is not on its way out."""
    conditions = at_path(item, "status.conditions") or ()
    said = any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions)
    return said and not at_path(item, "metadata.deletionTimestamp")


def restarted_since(pods: Iterable[Json], since: datetime) -> list[str]:
    """Containers that ended and were started again after `since`; of a pod made after it, any restart counts."""
    found = []
    for pod in pods:
        young = moment(at_path(pod, "metadata.creationTimestamp"))
        for status in at_path(pod, "status.containerStatuses") or ():
            ended = moment(at_path(status, "lastState.terminated.finishedAt"))
            if status.get("restartCount", 0) and ((young and young >= since) or (ended and ended >= since)):
                found.append(f"{at_path(pod, 'metadata.name')}/{status.get('name')}")
    return sorted(found)


def moment(text: object) -> datetime | None:
    """A Kubernetes time; None for anything else."""
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def rolled_out(live: Json) -> bool | None:
    """The controller saw the newest template, and every replica runs it; as `kubectl rollout status` decides. None for what has none."""
    spec, status = live.get("spec") or {}, live.get("status") or {}
    if live.get("kind") not in ("Deployment", "StatefulSet", "DaemonSet"):
        return None
    if int(status.get("observedGeneration") or 0) < int(at_path(live, "metadata.generation") or 0):
        return False
    if live["kind"] == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        return bool(status.get("updatedNumberScheduled", 0) >= wanted and status.get("numberAvailable", 0) >= wanted)
    wanted = spec.get("replicas", 1)
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    return bool(updated >= wanted and available >= wanted and status.get("replicas", 0) <= wanted)


def rolling(live: Json) -> bool | None:
    """Whether a change of the template is still on its way. Pods that fall ill after a rollout was complete are not a rollout."""
    done = rolled_out(live)
    if done is not False:
        return None if done is None else False
    status, generation = live.get("status") or {}, at_path(live, "metadata.generation") or 0
    if int(status.get("observedGeneration") or 0) < int(generation):
        return True
    match live["kind"]:
        case "Deployment":
            said = {item.get("reason") for item in status.get("conditions") or () if item.get("type") == "Progressing"}
            return "NewReplicaSetAvailable" not in said or status.get("replicas", 0) != status.get("updatedReplicas", 0)
        case "StatefulSet":
            return bool(status.get("currentRevision") != status.get("updateRevision"))
        case _:
            return bool(status.get("updatedNumberScheduled", 0) < status.get("desiredNumberScheduled", 0))


def stuck(live: Json) -> bool:
    """A rollout that its controller has given up: the pods of the newest template did not come up in time."""
    generation, seen = at_path(live, "metadata.generation") or 0, at_path(live, "status.observedGeneration") or 0
    said = {item.get("reason") for item in at_path(live, "status.conditions") or () if item.get("type") == "Progressing"}
    return bool(rolling(live)) and seen >= generation and "ProgressDeadlineExceeded" in said
