"""Whether a cluster is well, by what Kubernetes promises: pods ready, services answered, claims bound. And who was harmed.

Written from live objects alone. It knows no detector and no action of ours: who mends is judged by this, not by what he says.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from simulator.faults.ground import Home

Json = dict[str, Any]
Objects = Mapping[str, Sequence[Json]]
"""Live objects by kind."""
_MINUTE = re.compile(r"-\d{8,}$")
"""How a Job of a CronJob ends: the minute that it was due at."""
KINDS = (
    "Pod",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Service",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
    "Node",
    "Namespace",
    "ReplicaSet",
)


def ills(seen: Objects, namespaces: Sequence[str]) -> tuple[str, ...]:
    """What is not as it should be, one line each; of these namespaces and of all nodes."""
    own = {kind: [item for item in items if _is_in(item, namespaces)] for kind, items in seen.items()}
    found = [*_workloads(own), *_services(own), *_claims(own), *_budgets(own), *_autoscalers(own), *_nodes(own), *_ending(own)]
    return tuple(sorted(found))


def harmed(before: Objects, after: Objects, spared: Sequence[Home], taken: Collection[str] = ()) -> tuple[str, ...]:
    """Pods of others that are gone or were restarted. `spared` are the workloads that the fault or its cure may touch, `taken` nodes that
    their owner took back, pods and all."""
    free = {(home.namespace, home.name) for home in spared}
    was = _pods(before)
    now = {item["metadata"]["uid"]: _restarts(item) for item in after["Pod"]}
    lost = []
    for pod in was:
        meta = pod["metadata"]
        if (meta["namespace"], _app(pod)) in free or _has_ended(pod) or _is_resized(before, meta["namespace"], _app(pod)):
            continue
        if _is_scheduled(pod) or pod["spec"].get("nodeName") in taken:
            continue
        if meta["uid"] not in now:
            lost.append(f"{meta['namespace']}/{meta['name']} is gone")
        elif now[meta["uid"]] > _restarts(pod):
            lost.append(f"{meta['namespace']}/{meta['name']} was restarted")
    return tuple(sorted(lost))


def one_pod_of(seen: Objects, home: Home) -> str:
    """The name of a pod of the workload, to be deleted; empty where there is none."""
    names = sorted(
        pod["metadata"]["name"] for pod in _pods(seen) if (pod["metadata"]["namespace"], _app(pod)) == (home.namespace, home.name)
    )
    return names[0] if names else ""


# -- parts ------------------------------------------------------------------------------------------------------------


def _is_in(item: Json, namespaces: Sequence[str]) -> bool:
    meta = item["metadata"]
    return meta.get("namespace") in namespaces or "namespace" not in meta


def _pods(seen: Objects) -> list[Json]:
    return [pod for pod in seen["Pod"] if "deletionTimestamp" not in pod["metadata"]]


def _app(pod: Json) -> str:
    found: str = pod["metadata"].get("labels", {}).get("app.kubernetes.io/name", "")
    return found


def _has_ended(pod: Json) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def _is_resized(seen: Objects, namespace: str, name: str) -> bool:
    """An autoscaler may take pods away at any time."""
    targets = ((item["metadata"]["namespace"], item["spec"]["scaleTargetRef"]["name"]) for item in seen["HorizontalPodAutoscaler"])
    return (namespace, name) in targets


def _is_scheduled(pod: Json) -> bool:
    """A run of a CronJob ends by itself, and its history is cut."""
    return any(each["kind"] == "Job" and _MINUTE.search(each["name"]) for each in pod["metadata"].get("ownerReferences") or ())


def _restarts(pod: Json) -> int:
    return sum(each.get("restartCount", 0) for each in pod.get("status", {}).get("containerStatuses") or ())


def _condition(item: Json, kind: str) -> str:
    return next((each["status"] for each in item.get("status", {}).get("conditions") or () if each["type"] == kind), "")


def _place(kind: str, item: Json) -> str:
    meta = item["metadata"]
    return f"{meta['namespace']}/{kind.lower()}/{meta['name']}" if meta.get("namespace") else f"{kind.lower()}/{meta['name']}"


def _workloads(seen: Objects) -> Iterator[str]:
    for kind in ("Deployment", "StatefulSet"):
        for item in seen[kind]:
            wanted, status = item["spec"].get("replicas", 1), item.get("status", {})
            ready, new = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
            if ready < wanted or (new < wanted and status.get("currentRevision") != status.get("updateRevision", "none")):
                yield f"{_place(kind, item)}: {ready} of {wanted} ready, {new} of the current template"
            if not wanted:
                yield f"{_place(kind, item)}: at zero"
    for item in seen["DaemonSet"]:
        status = item.get("status", {})
        if status.get("numberReady", 0) < status.get("desiredNumberScheduled", 0):
            yield f"{_place('DaemonSet', item)}: {status.get('numberReady', 0)} of {status['desiredNumberScheduled']} ready"


def _services(seen: Objects) -> Iterator[str]:
    for item in seen["Service"]:
        selector = item["spec"].get("selector")
        if not selector:
            continue
        behind = [
            pod
            for pod in _pods(seen)
            if pod["metadata"]["namespace"] == item["metadata"]["namespace"]
            and selector.items() <= pod["metadata"].get("labels", {}).items()
        ]
        ready = [pod for pod in behind if _condition(pod, "Ready") == "True"]
        if not ready:
            yield f"{_place('Service', item)}: no ready pod behind it"
        elif closed := next((port for port in item["spec"].get("ports") or () if not _open(port, ready[0])), None):
            yield f"{_place('Service', item)}: nobody listens on {closed.get('targetPort')}"


def _open(port: Json, pod: Json) -> bool:
    declared = [each for container in pod["spec"]["containers"] for each in container.get("ports") or ()]
    target = port.get("targetPort", port["port"])
    return not declared or target in [each["containerPort"] for each in declared] or target in [each.get("name") for each in declared]


def _claims(seen: Objects) -> Iterator[str]:
    for item in seen["PersistentVolumeClaim"]:
        if item.get("status", {}).get("phase") != "Bound":
            yield f"{_place('PersistentVolumeClaim', item)}: {item.get('status', {}).get('phase', 'Pending')}"


def _budgets(seen: Objects) -> Iterator[str]:
    for item in seen["PodDisruptionBudget"]:
        if not item.get("status", {}).get("disruptionsAllowed"):
            yield f"{_place('PodDisruptionBudget', item)}: no disruption allowed"


def _autoscalers(seen: Objects) -> Iterator[str]:
    for item in seen["HorizontalPodAutoscaler"]:
        for kind in ("ScalingActive", "AbleToScale"):
            if _condition(item, kind) == "False":
                yield f"{_place('HorizontalPodAutoscaler', item)}: {kind} is False"


def _nodes(seen: Objects) -> Iterator[str]:
    for item in seen["Node"]:
        sick = [
            kind
            for kind, well in (("Ready", "True"), ("MemoryPressure", "False"), ("DiskPressure", "False"))
            if _condition(item, kind) not in (well, "")
        ]
        if sick and not item["spec"].get("unschedulable"):
            yield f"{_place('Node', item)}: takes pods with {', '.join(sick)}"


def _ending(seen: Objects) -> Iterator[str]:
    for kind in ("Pod", "Namespace"):
        for item in seen[kind]:
            if item["metadata"].get("deletionTimestamp") and item["metadata"].get("finalizers", item["spec"].get("finalizers")):
                yield f"{_place(kind, item)}: does not go"
