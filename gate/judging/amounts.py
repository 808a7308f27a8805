"""Replicas, requests, GPUs and bounds before and after, read from the live object and from the API server's own dry-run answer."""

from typing import Any, NamedTuple

from core.cluster import quantities
from core.cluster.placing import Amounts, total
from core.domain.action import Action, Live
from core.domain.errors import Day2Error
from core.domain.values import Json, at_path
from gate import workloads
from gate.judging import pod_security

_ENFORCE = "pod-security.kubernetes.io/enforce"
_GPU = "/gpu"


class Resources(NamedTuple):
    """Of one container. None where nothing is asked for."""

    cpu_milli: int | None
    memory_mib: int | None
    limit_memory_mib: int | None
    gpus: int


def sizes(action: Action, live: Live, before: Json, after: Json | None) -> dict[str, Any]:
    """What changes in numbers. Without a dry-run answer, only what stands now."""
    new = after if after is not None and after.get("kind") == before.get("kind") else None
    name = changed_container(before, new)
    old_size, new_size = of_container(before, name), of_container(new, name) if new else None
    count, count_after = replicas(before), replicas(new) if new else None
    told = (at_path(before, f"status.{field}") for field in ("readyReplicas", "numberReady", "ready"))
    ready = next(filter(None, told), before.get("kind") == "Pod" and workloads.ready(before))
    return {
        "replicas": count,
        "replicas_ready": None if count is None else int(ready),
        "replicas_after": count_after,
        "unscheduled": before.get("kind") == "Pod" and not at_path(before, "spec.nodeName"),
        "pods_touched": _touched(action, live),
        "requests_cpu_milli_before": old_size.cpu_milli,
        "requests_cpu_milli_after": new_size.cpu_milli if new_size else None,
        "requests_memory_mib_before": old_size.memory_mib,
        "requests_memory_mib_after": new_size.memory_mib if new_size else None,
        "limits_memory_mib_after": new_size.limit_memory_mib if new_size else None,
    }


def levels(before: Json, after: Json | None) -> dict[str, Any]:
    """An autoscaler's bounds, or a namespace's pod security."""
    if before.get("kind") == "HorizontalPodAutoscaler":
        found: dict[str, Any] = {"hpa_min_before": at_path(before, "spec.minReplicas") or 1}
        bounds = after and {"hpa_min_after": at_path(after, "spec.minReplicas") or 1, "hpa_max_after": at_path(after, "spec.maxReplicas")}
        return found | (bounds or {})
    if before.get("kind") == "Namespace" and after is not None:
        return {"pod_security_before": level(before), "pod_security_after": level(after)}
    return {}


def replicas(live: Json) -> int | None:
    """Pods that the object asks for; None for what makes no pods."""
    kind, spec = live.get("kind"), live.get("spec") or {}
    match kind:
        case "Deployment" | "StatefulSet" | "ReplicaSet":
            return int(spec.get("replicas", 1))
        case "DaemonSet":
            return int(at_path(live, "status.desiredNumberScheduled") or 0)
        case "Job":
            return 0 if spec.get("suspend") else int(spec.get("parallelism", 1))
        case "Pod":
            return 1
        case _:
            return None


def size(pod: Json) -> Amounts:
    """What a pod holds: all that runs together, or as much as an init container needs where that is more."""
    first = [(item.get("restartPolicy"), asks(item)) for item in at_path(pod, "spec.initContainers") or ()]
    beside = total(asked for policy, asked in first if policy == "Always")
    found = total((Amounts(pods=1), beside, *map(asks, at_path(pod, "spec.containers") or ())))
    for policy, asked in first:
        found = found if policy == "Always" else found.most(asked.plus(beside))
    return found


def asks(container: Json) -> Amounts:
    found = resources(container)
    return Amounts(found.cpu_milli or 0, found.memory_mib or 0, found.gpus)


def changed_container(before: Json, after: Json | None) -> str:
    """The container whose memory, or else CPU, is cut most; the first one that changes otherwise; empty where none does."""
    if after is None:
        return ""
    old = {str(item.get("name")): resources(item) for item in workloads.containers(before)}
    new = {str(item.get("name")): resources(item) for item in workloads.containers(after)}
    moved = [name for name in old if name in new and old[name] != new[name]]
    return min(
        moved,
        key=lambda name: (_ratio(old[name].memory_mib, new[name].memory_mib), _ratio(old[name].cpu_milli, new[name].cpu_milli)),
        default="",
    )


def _ratio(old: int | None, new: int | None) -> float:
    return new / old if old and new is not None else 1.0


def of_container(live: Json, name: str) -> Resources:
    """One container's resources, or the sums of all where no name is given. A sum with an unset part is unset."""
    found = [resources(item) for item in workloads.containers(live) if not name or item.get("name") == name]
    return Resources(
        _sum([item.cpu_milli for item in found]),
        _sum([item.memory_mib for item in found]),
        _sum([item.limit_memory_mib for item in found]),
        sum(item.gpus for item in found),
    )


def resources(container: Json) -> Resources:
    limits = at_path(container, "resources.limits") or {}
    asked = {**limits, **(at_path(container, "resources.requests") or {})}
    cpu, memory, most = asked.get("cpu"), asked.get("memory"), limits.get("memory")
    return Resources(
        quantities.cpu_milli(cpu) if cpu is not None else None,
        quantities.memory_mib(memory) if memory is not None else None,
        quantities.memory_mib(most) if most is not None else None,
        sum(quantities.count(value) for key, value in asked.items() if key.endswith(_GPU)),
    )


def _sum(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _touched(action: Action, live: Live) -> int | None:
    try:
        return action.pods_touched(live)
    except (Day2Error, TypeError, ValueError, KeyError):
        return None


def level(namespace: Json) -> str:
    found = str(workloads.labels(namespace).get(_ENFORCE, ""))
    return found if found in ("", *pod_security.LEVELS) else "unknown"
