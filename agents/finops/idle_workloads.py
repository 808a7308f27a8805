"""FIN-102: workloads that did next to nothing for a week. Called by the table of this agent."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple

from agents import sizes
from agents.desk import Desk
from agents.recalling import once
from agents.reporting import counted, found, measured, seen
from agents.usage import Homes, Owner, by_workload, cores, cpu_peak, hours_of_history, samples_hour, samples_week
from agents.workloads import SCALABLE, Controlled, age, controlled, settled
from core.cluster.queries import Query
from core.cluster.snapshot import Snapshot
from core.domain.finding import Finding, Severity

CODE = "FIN-102"
LEAST_AGE = timedelta(days=7)
LEAST_HOURS = 6 * 24
IDLE_SHARE = 0.02  # of the request, at the highest 5 minutes of the week
IDLE_CORES = 0.003
WORTH_CPU_MILLI = 100


class Idle(NamedTuple):
    workload: Controlled
    peak_cores: float
    request_milli: int


def queries(snapshot: Snapshot) -> Iterable[Query]:
    names = sorted({each.item.metadata.namespace for each in candidates(snapshot)})
    return tuple(ask(name) for name in names for ask in (cpu_peak, samples_week, samples_hour))


def detect(desk: Desk) -> Iterator[Finding]:
    for idle in idle_workloads(desk):
        yield _finding(desk, idle)


def candidates(snapshot: Snapshot) -> Iterator[Controlled]:
    """Without an autoscaler, which would scale them up again; GPU workloads may keep their CPU idle while they work."""
    for workload in controlled(snapshot, SCALABLE):
        meta, spec = workload.item.metadata, workload.item.spec.template.spec
        fixed = snapshot.autoscaler_of(workload.kind, meta.namespace, meta.name) is None
        if fixed and workload.replicas > 0 and not sizes.gpus(spec) and sizes.of_pod(spec).cpu_milli * workload.replicas >= WORTH_CPU_MILLI:
            yield workload


@once
def idle_workloads(desk: Desk) -> Iterator[Idle]:
    homes = Homes(desk.snapshot)
    names = {each.item.metadata.namespace for each in candidates(desk.snapshot)}
    peaks = {owner: values for name in names for owner, values in by_workload(homes, desk.samples.get(cpu_peak(name), ())).items()}
    hours = {owner: value for name in names for owner, value in hours_of_history(desk, homes, name).items()}
    for workload in candidates(desk.snapshot):
        meta = workload.item.metadata
        owner = Owner(workload.kind, meta.namespace, meta.name)
        known = hours.get(owner, 0.0) >= LEAST_HOURS and age(meta, desk.now) >= LEAST_AGE
        if known and settled(workload) and (values := peaks.get(owner)):
            idle = Idle(workload, max(values), sizes.of_pod(workload.item.spec.template.spec).cpu_milli)
            if idle.peak_cores <= max(IDLE_CORES, IDLE_SHARE * idle.request_milli / 1000):
                yield idle


def _finding(desk: Desk, idle: Idle) -> Finding:
    workload = idle.workload
    subject = desk.snapshot.target(workload.kind, workload.item)
    return found(
        desk,
        CODE,
        Severity.LOW,
        subject,
        f"{workload.item.metadata.name} did nothing for a week: at most {cores(idle.peak_cores)} of {idle.request_milli}m CPU",
        f"{counted(workload.replicas, 'replica')} paid for day and night, and nobody calls.",
        measured(desk, subject, cpu_peak(workload.item.metadata.namespace), f"{cores(idle.peak_cores)}, the highest 5 minutes of 7 days"),
        seen(desk, workload.kind, workload.item, "spec.replicas", workload.replicas),
    )
