"""Replicas, requests, GPUs and bounds before and after, read from the live object and from the API server's own dry-run answer."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from core.cluster import quantities
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


def sizes(action: Action, live: Live, after: Json | None) -> dict[str, Any]:
    """What changes in numbers. Without a dry-run answer, only what stands now."""
    before, new = live.object, after if after is not None and after.get("kind") == live.object.get("kind") else None
    name = changed_container(before, new)
    old_size, new_size = of_container(before, name), of_container(new, name) if new else None
    count, count_after = replicas(before), replicas(new) if new else None
    ready = before.get("kind") == "Pod" and workloads.ready(before)
    return {
        "replicas": count,
        "replicas_ready": None
        if count is None
        else int(at_path(before, "status.readyReplicas") or at_path(before, "status.ready") or ready),
        "replicas_after": count_after,
        "pods_touched": _touched(action, live),
        "requests_cpu_milli_before": old_size.cpu_milli,
        "requests_cpu_milli_after": new_size.cpu_milli if new_size else None,
        "requests_memory_mib_before": old_size.memory_mib,
        "requests_memory_mib_after": new_size.memory_mib if new_size else None,
        "limits_memory_mib_after": new_size.limit_memory_mib if new_size else None,
        "gpus_before": gpus(before),
        "gpus_after": gpus(new) if new else None,
        **_bounds(before, new),
        **_security(before, new),
    }


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


def gpus(live: Json) -> int:
    return (replicas(live) or 0) * sum(resources(item).gpus for item in workloads.containers(live))


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
    requests, limits = _amounts(container, "requests"), _amounts(container, "limits")
    cpu, memory, most = requests.get("cpu", limits.get("cpu")), requests.get("memory", limits.get("memory")), limits.get("memory")
    return Resources(
        quantities.cpu_milli(cpu) if cpu is not None else None,
        quantities.memory_mib(memory) if memory is not None else None,
        quantities.memory_mib(most) if most is not None else None,
        sum(quantities.count(value) for key, value in {**limits, **requests}.items() if key.endswith(_GPU)),
    )


def _amounts(container: Json, section: str) -> Mapping[str, Any]:
    found = at_path(container, f"resources.{section}")
    return found if isinstance(found, Mapping) else {}


def _sum(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _touched(action: Action, live: Live) -> int | None:
    try:
        return action.pods_touched(live)
    except (Day2Error, TypeError, ValueError, KeyError):
        return None


def _bounds(before: Json, after: Json | None) -> dict[str, Any]:
    if before.get("kind") != "HorizontalPodAutoscaler":
        return {}
    found: dict[str, Any] = {"hpa_min_before": at_path(before, "spec.minReplicas") or 1}
    if after is not None:
        found |= {"hpa_min_after": at_path(after, "spec.minReplicas") or 1, "hpa_max_after": at_path(after, "spec.maxReplicas")}
    return found


def _security(before: Json, after: Json | None) -> dict[str, Any]:
    if before.get("kind") != "Namespace" or after is None:
        return {}
    return {"pod_security_before": _level(before), "pod_security_after": _level(after)}


def _level(namespace: Json) -> str:
    found = str(workloads.labels(namespace).get(_ENFORCE, ""))
    return found if found in ("", *pod_security.LEVELS) else "unknown"
