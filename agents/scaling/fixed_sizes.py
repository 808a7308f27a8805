"""SCA-104: a workload of fixed size that uses up its CPU limit. Called by the table of this agent."""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agents import sizes
from agents.desk import Desk
from agents.recalling import once
from agents.reporting import found, measured, seen
from agents.usage import Homes, Owner, by_workload, cores, cpu_now
from agents.workloads import SCALABLE, Controlled, controlled, settled
from core.cluster.objects import PodSpec
from core.cluster.queries import Query
from core.cluster.snapshot import Snapshot
from core.domain.finding import Finding, Severity

CODE = "SCA-104"
FULL = 0.9  # of the limit: above it the kernel holds the container back within each period
TARGET = 0.65
MOST_GROWTH = 2  # a limit hides the true load; look again after doubling


class Saturated(NamedTuple):
    workload: Controlled
    cores_each: float
    limit_milli: int

    @property
    def share(self) -> float:
        return self.cores_each * 1000 / self.limit_milli

    @property
    def wanted(self) -> int:
        """Replicas that bring the use to 65 % of the limit, at most twice as many as now."""
        now = self.workload.replicas
        return min(math.ceil(round(now * self.share / TARGET, 6)), now * MOST_GROWTH)


def queries(snapshot: Snapshot) -> Iterable[Query]:
    return tuple(cpu_now(name) for name in sorted({each.item.metadata.namespace for each in _fixed(snapshot)}))


def detect(desk: Desk) -> Iterator[Finding]:
    for saturated in saturated_workloads(desk):
        yield _finding(desk, saturated)


@once
def saturated_workloads(desk: Desk) -> Iterator[Saturated]:
    homes = Homes(desk.snapshot)
    for workload in _fixed(desk.snapshot):
        meta = workload.item.metadata
        values = by_workload(homes, desk.samples.get(cpu_now(meta.namespace), ())).get(Owner(workload.kind, meta.namespace, meta.name), ())
        limit = cpu_limit(workload.item.spec.template.spec)
        living = [value for value in values if value > 0]
        if living and settled(workload) and (saturated := Saturated(workload, sum(living) / len(living), limit)).share >= FULL:
            yield saturated


def cpu_limit(spec: PodSpec) -> int:
    """Milli-cores of the pod, 0 where a container has no limit: then only the node bounds it."""
    limits = [sizes.limited(container).cpu_milli for container in spec.containers]
    return sum(limits) if all(limits) else 0


def _fixed(snapshot: Snapshot) -> Iterator[Controlled]:
    for workload in controlled(snapshot, SCALABLE):
        meta, spec = workload.item.metadata, workload.item.spec.template.spec
        fixed = snapshot.autoscaler_of(workload.kind, meta.namespace, meta.name) is None
        if fixed and workload.replicas > 0 and cpu_limit(spec) and not sizes.gpus(spec):
            yield workload


def _finding(desk: Desk, saturated: Saturated) -> Finding:
    workload = saturated.workload
    subject = desk.snapshot.target(workload.kind, workload.item)
    used = cores(saturated.cores_each)
    return found(
        desk,
        CODE,
        Severity.HIGH,
        subject,
        f"{workload.item.metadata.name} uses {saturated.share:.0%} of its CPU limit in {workload.replicas} pods, and has no autoscaler",
        "The kernel holds it back: requests wait although the node has CPU to give.",
        measured(desk, subject, cpu_now(workload.item.metadata.namespace), f"{used} a pod, of a limit of {saturated.limit_milli}m"),
        seen(desk, workload.kind, workload.item, "spec.replicas", workload.replicas),
    )
