"""Autoscalers that follow CPU, and how many replicas a load needs under them. Called by detectors of waste and of want.

The arithmetic is the HPA controller's own (`pkg/controller/podautoscaler/replica_calculator.go`): replicas = load / (request x target).
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from agents import sizes
from agents.desk import Desk, RangeQuery
from agents.usage import Homes, Owner, Totals, cpu_now, totals
from agents.workloads import SCALABLE, Controlled, controlled
from core.cluster.objects import Autoscaler
from core.cluster.snapshot import Snapshot


class Autoscaled(NamedTuple):
    """A workload under an HPA that keeps CPU at `target_percent` of its request."""

    workload: Controlled
    autoscaler: Autoscaler
    request_milli: int
    target_percent: int

    @property
    def owner(self) -> Owner:
        meta = self.workload.item.metadata
        return Owner(self.workload.kind, meta.namespace, meta.name)

    def needed(self, cores: float) -> int:
        """Replicas that carry this load at the target."""
        return max(0, math.ceil(round(cores * 1000 * 100 / (self.request_milli * self.target_percent), 6)))

    def carried(self, replicas: int) -> float:
        """Cores at which this many replicas use all of their requests: above it they fall behind."""
        return replicas * self.request_milli / 1000


def autoscaled(snapshot: Snapshot) -> tuple[Autoscaled, ...]:
    if snapshot not in _FOUND:
        _FOUND[snapshot] = tuple(_autoscaled(snapshot))
    return _FOUND[snapshot]


_FOUND: WeakKeyDictionary[Snapshot, tuple[Autoscaled, ...]] = WeakKeyDictionary()


def _autoscaled(snapshot: Snapshot) -> Iterator[Autoscaled]:
    for workload in controlled(snapshot, SCALABLE):
        meta = workload.item.metadata
        autoscaler = snapshot.autoscaler_of(workload.kind, meta.namespace, meta.name)
        request = sizes.of_pod(workload.item.spec.template.spec).cpu_milli
        target = cpu_target(autoscaler) if autoscaler is not None else 0
        if autoscaler is not None and target and request:
            yield Autoscaled(workload, autoscaler, request, target)


def cpu_target(autoscaler: Autoscaler) -> int:
    """Percent of the request, 0 for an autoscaler that follows something else as well: then CPU does not tell what it needs."""
    metrics = autoscaler.spec.metrics
    return _utilisation(metrics[0]) if len(metrics) == 1 else 0


def _utilisation(metric: dict[str, Any]) -> int:
    resource = metric.get("resource")
    target = resource.get("target") if isinstance(resource, dict) and resource.get("name") == "cpu" else None
    percent = target.get("averageUtilization") if isinstance(target, dict) else None
    return percent if isinstance(percent, int) and not isinstance(percent, bool) and percent > 0 else 0


def namespaces(snapshot: Snapshot) -> tuple[str, ...]:
    return tuple(sorted({each.owner.namespace for each in autoscaled(snapshot)}))


def cpu_history(snapshot: Snapshot, days: int, step_seconds: int) -> Iterable[RangeQuery]:
    """CPU of all pods of the namespaces where an autoscaler follows CPU."""
    return tuple(RangeQuery(cpu_now(name), days * 86_400, step_seconds) for name in namespaces(snapshot))


def loads(desk: Desk, asked: Iterable[RangeQuery]) -> dict[Owner, Totals]:
    """Cores over time by workload."""
    homes = Homes(desk.snapshot)
    return {owner: load for span in asked for owner, load in totals(homes, desk.series.get(span, ())).items()}
