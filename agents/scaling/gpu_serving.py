"""SCA-105: a service on GPUs whose GPUs are busy all the time. Called by the table of this agent."""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agents import sizes
from agents.desk import Desk
from agents.recalling import once
from agents.reporting import found, measured, seen
from agents.usage import Homes, Owner, by_workload
from agents.workloads import SCALABLE, Controlled, controlled, settled
from core.cluster.queries import Query, Shape
from core.cluster.snapshot import Snapshot
from core.domain.finding import Finding, Severity

CODE = "SCA-105"
WINDOW_SECONDS = 900
FULL_PERCENT = 90.0
METER_END_PERCENT = 95.0
TARGET_PERCENT = 70.0


class Saturated(NamedTuple):
    workload: Controlled
    percent: float
    gpus_each: int

    @property
    def wanted(self) -> int:
        """Replicas at which the GPUs are 70 % busy. A meter at its end hides what waits: there the load counts double."""
        load = self.percent * self.workload.replicas * (2 if self.percent >= METER_END_PERCENT else 1)
        return math.ceil(load / TARGET_PERCENT)


def busy(namespace: str) -> Query:
    return Query(Shape.GPU_UTILISATION, namespace, window_seconds=WINDOW_SECONDS)


def queries(snapshot: Snapshot) -> Iterable[Query]:
    return tuple(busy(name) for name in sorted({each.item.metadata.namespace for each in _serving(snapshot)}))


def detect(desk: Desk) -> Iterator[Finding]:
    for saturated in saturated_services(desk):
        yield _finding(desk, saturated)


@once
def saturated_services(desk: Desk) -> Iterator[Saturated]:
    homes = Homes(desk.snapshot)
    for workload in _serving(desk.snapshot):
        meta = workload.item.metadata
        values = by_workload(homes, desk.samples.get(busy(meta.namespace), ())).get(Owner(workload.kind, meta.namespace, meta.name), ())
        if values and settled(workload) and sum(values) / len(values) >= FULL_PERCENT:
            yield Saturated(workload, sum(values) / len(values), sizes.gpus(workload.item.spec.template.spec))


def _serving(snapshot: Snapshot) -> Iterator[Controlled]:
    """Workloads on GPUs whose size is fixed: an autoscaler would have its own view."""
    for workload in controlled(snapshot, SCALABLE):
        meta = workload.item.metadata
        fixed = snapshot.autoscaler_of(workload.kind, meta.namespace, meta.name) is None
        if fixed and workload.replicas > 0 and sizes.gpus(workload.item.spec.template.spec):
            yield workload


def _finding(desk: Desk, saturated: Saturated) -> Finding:
    workload = saturated.workload
    subject = desk.snapshot.target(workload.kind, workload.item)
    held = workload.replicas * saturated.gpus_each
    return found(
        desk,
        CODE,
        Severity.MEDIUM,
        subject,
        f"{workload.item.metadata.name} keeps its {held} GPUs {saturated.percent:.0f} % busy; requests wait in its queue",
        f"At this load it cannot take a burst, and {saturated.wanted} replicas would bring it to {TARGET_PERCENT:.0f} %.",
        measured(desk, subject, busy(workload.item.metadata.namespace), f"{saturated.percent:.0f} % mean over 15 min"),
        seen(desk, workload.kind, workload.item, "spec.replicas", workload.replicas),
    )
