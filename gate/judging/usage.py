"""How much the target's pods really use: from the metrics source over a week, and from the kubelets right now as a second source.

Pods come and go; those of a workload's past are known by its name and the form of the names that its controller gives.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from core.cluster import quantities
from core.cluster.queries import Query, Sample, Series, Shape
from core.domain.errors import Day2Error
from core.domain.values import Json, at_path
from gate import workloads
from gate.judging import amounts
from gate.judging.sources import Bench

WEEK = timedelta(days=7)
HOUR = 3600
_LIVE = ("requests_cpu_milli_live_max", "requests_memory_mib_live_max")
_NAMES = {
    "Deployment": "-[a-z0-9]{1,10}-[a-z0-9]{5}",
    "StatefulSet": "-[0-9]+",
    "DaemonSet": "-[a-z0-9]{5}",
    "Pod": "",
}


async def used(bench: Bench, before: Json, after: Json | None, workload: Json) -> dict[str, Any]:
    """Where requests change, there may be fewer pods, or an autoscaler's more: nothing else is judged by usage. A source that does not
    answer leaves None."""
    container = amounts.changed_container(before, after)
    if not container or before.get("kind") not in _NAMES:
        return await _demanded(bench, before, after, workload)
    namespace, own = str(at_path(before, "metadata.namespace")), _own(before)
    pods = await workloads.pods_of(bench.reader, before)
    names = {str(at_path(pod, "metadata.name")) for pod in pods}
    seen = await _past(bench, namespace, own, container) | await _live(bench, namespace, names, container)
    now, created = bench.clock.now(), workloads.moment(at_path(before, "metadata.creationTimestamp"))
    killed = any(_killed(pod, now - timedelta(days=3)) for pod in pods)
    return seen | {"oom_killed_recently": killed, "age_hours": created and int((now - created).total_seconds()) // HOUR}


def _own(live: Json) -> re.Pattern[str]:
    """Names of its pods. A pod that a workload made has the past of all of that workload's pods: its own may be an hour."""
    kind, name = workloads.maker(live) if live["kind"] == "Pod" else (str(live["kind"]), at_path(live, "metadata.name"))
    if kind not in _NAMES:
        kind, name = "Pod", at_path(live, "metadata.name")
    return re.compile(re.escape(str(name)) + _NAMES[kind])


async def _demanded(bench: Bench, before: Json, after: Json | None, workload: Json) -> dict[str, Any]:
    """CPU that all pods may ask for, before and after, and where that falls or an autoscaler decides, what they used at most."""
    if after is None or after.get("kind") != before.get("kind") or workload.get("kind") not in ("Deployment", "StatefulSet"):
        return {}
    each = amounts.of_container(workload, "").cpu_milli or 0
    room, left = (each * int(at_path(item, "spec.maxReplicas") or amounts.replicas(item) or 0) for item in (before, after))
    found: dict[str, Any] = {"cpu_milli_room_before": room, "cpu_milli_room_after": left}
    if (left >= room and workload is before) or bench.metrics is None:
        return found
    seen = await week(bench, str(at_path(before, "metadata.namespace")))
    return found | {"cpu_milli_demand": busiest(seen, workload)}


async def week(bench: Bench, namespace: str) -> tuple[Series, ...]:
    """The most CPU that each container used in any five minutes, by the hour; nothing where the source does not answer."""
    now, query = bench.clock.now(), Query(Shape.CPU_MAX, namespace, window_seconds=HOUR)
    try:
        return tuple(await bench.metrics.range(query, now - WEEK, now, HOUR)) if bench.metrics else ()
    except Day2Error:
        return ()


def busiest(seen: Iterable[Series], workload: Json) -> int | None:
    """Milli-cores of all its pods together in the hour in which they used the most: each at its highest, as load that is spread has it."""
    own, used = _own(workload), Counter[float]()
    for series in seen:
        if own.fullmatch(series.label("pod")):
            used.update(dict(zip(series.times, series.values, strict=True)))
    return math.ceil(max(used.values()) * 1000) if used else None


async def _past(bench: Bench, namespace: str, own: re.Pattern[str], container: str) -> dict[str, Any]:
    if bench.metrics is None:
        return {}
    now = bench.clock.now()
    try:
        often, cpu = [await bench.metrics.instant(Query(Shape.CPU_QUANTILE, namespace, share), now) for share in (0.95, 0.99)]
        memory = await bench.metrics.instant(Query(Shape.MEMORY_MAX, namespace), now)
        seen = await bench.metrics.range(Query(Shape.CPU_RATE, namespace), now - WEEK, now, HOUR)
    except Day2Error:
        return {}
    return {
        "cpu_milli_p95": _highest(often, own, container, 1000),
        "cpu_milli_p99": _highest(cpu, own, container, 1000),
        "memory_mib_max": _highest(memory, own, container, 2**-20),
        **_coverage(seen, own, now),
    }


def _highest(samples: Iterable[Sample], own: re.Pattern[str], container: str, unit: float) -> int | None:
    found = [item.value for item in samples if own.fullmatch(item.label("pod")) and item.label("container") == container]
    return math.ceil(max(found) * unit) if found else None


def _coverage(found: Iterable[Series], own: re.Pattern[str], now: datetime) -> dict[str, int]:
    """Days since the first hour with data, the share of the hours since then that have any, and how long ago the last of them was.

    Hours are counted by their whole part: rounded, all moments at half past would fall on even hours, and half of the week were a gap.
    """
    hours = {int(at // HOUR) for series in found if own.fullmatch(series.label("pod")) for at in series.times}
    if not hours:
        return {"usage_coverage_percent": 0, "usage_days": 0}
    span, missed = max(hours) - min(hours) + 1, int(now.timestamp() // HOUR) - max(hours)
    return {"usage_coverage_percent": 100 * len(hours) // span, "usage_days": span // 24, "usage_age_seconds": max(0, missed) * HOUR}


async def _live(bench: Bench, namespace: str, names: set[str], container: str) -> dict[str, int | None]:
    try:
        found = await bench.reader.usage(namespace)
        used = [
            (quantities.cpu_milli(at_path(item, "usage.cpu") or 0), quantities.memory_mib(at_path(item, "usage.memory")))
            for pod in found
            if at_path(pod, "metadata.name") in names
            for item in pod.get("containers") or ()
            if item.get("name") == container
        ]
    except (Day2Error, ValueError):
        return {}
    return {name: max(values) for name, values in zip(_LIVE, zip(*used, strict=True), strict=False)}


def _killed(pod: Json, since: Any) -> bool:
    statuses = at_path(pod, "status.containerStatuses") or ()
    ends = [at_path(each, place) or {} for each in statuses for place in ("lastState.terminated", "state.terminated")]
    kills = [workloads.moment(end.get("finishedAt")) for end in ends if end.get("reason") == "OOMKilled"]
    return any(when is None or when >= since for when in kills)
