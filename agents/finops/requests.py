"""FIN-101: workloads that ask for far more than they use. Called by the table of this agent.

Sizes are the project's rule for services: CPU = p95 of a week x 1.15, memory = peak of two weeks x 1.25, rounded up. The judge asks for
1.1 and 1.2; the difference is room for the days between two looks. CPU that is short is slow, memory that is short is a kill.
"""

import math
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple

from agents import sizes
from agents.desk import Desk
from agents.pricing import prices_under
from agents.recalling import once
from agents.reporting import counted, derived, found, measured, seen
from agents.sizes import Size
from agents.usage import Homes, Owner, by_container, cpu_p95, hours_of_history, memory_peak, mib, samples_hour, samples_week
from agents.workloads import SCALABLE, SYSTEM_NAMESPACES, Controlled, controlled, settled
from core.cluster.objects import Container
from core.cluster.queries import Query
from core.cluster.snapshot import Snapshot
from core.domain.finding import Finding, Severity

CODE = "FIN-101"
CPU_MARGIN = 1.15
MEMORY_MARGIN = 1.25
CPU_STEP_MILLI = 25
MEMORY_STEP_MIB = 32
LEAST_CPU_MILLI = 25
LEAST_MEMORY_MIB = 64
LEAST_HOURS = 72
LEAST_CHANGE = 0.10  # of the request; smaller changes are churn
WORTH_SHARE = 0.60  # a finding needs a size below this share of the request
WORTH_CPU_MILLI = 500  # and this much over all replicas
WORTH_MEMORY_MIB = 1024
WORTH_MICRO_USD = 2_000_000  # a month, where the machines have a price: a rollout has its risk too
RECENT = timedelta(hours=24)


class Fit(NamedTuple):
    """What one container asks for, uses and should ask for."""

    container: str
    asks: Size
    p95_milli: int
    peak_mib: int
    wants: Size


class Oversized(NamedTuple):
    workload: Controlled
    fits: tuple[Fit, ...]
    hours: float

    @property
    def given_back(self) -> Size:
        """Over all replicas."""
        each = Size()
        for fit in self.fits:
            each = each.plus(fit.asks.plus(fit.wants.times(-1)))
        return each.times(self.workload.replicas)


def queries(snapshot: Snapshot) -> Iterable[Query]:
    names = sorted({each.item.metadata.namespace for each in candidates(snapshot)} - SYSTEM_NAMESPACES)
    return tuple(ask(name) for name in names for ask in (cpu_p95, memory_peak, samples_week, samples_hour))


def detect(desk: Desk) -> Iterator[Finding]:
    for oversized in oversized_workloads(desk):
        yield _finding(desk, oversized)


@once
def oversized_workloads(desk: Desk) -> Iterator[Oversized]:
    homes = Homes(desk.snapshot)
    known = {name: _usage(desk, homes, name) for name in {each.item.metadata.namespace for each in candidates(desk.snapshot)}}
    for workload in candidates(desk.snapshot):
        usage = known[workload.item.metadata.namespace]
        oversized = _oversized(desk, workload, usage)
        if oversized is not None and is_worth_it(oversized) and is_worth_money(desk, oversized):
            yield oversized


def candidates(snapshot: Snapshot) -> Iterator[Controlled]:
    """Not under an autoscaler, whose trigger would move with the request; not on GPUs, whose nodes are paid for the GPUs."""
    for workload in controlled(snapshot, SCALABLE):
        meta = workload.item.metadata
        fixed = snapshot.autoscaler_of(workload.kind, meta.namespace, meta.name) is None
        if fixed and workload.replicas > 0 and not sizes.gpus(workload.item.spec.template.spec):
            yield workload


class _Usage(NamedTuple):
    """Per workload and container: p95 in cores and peak in bytes, of each pod."""

    cpu: dict[tuple[Owner, str], tuple[float, ...]]
    memory: dict[tuple[Owner, str], tuple[float, ...]]
    hours: dict[Owner, float]


def _usage(desk: Desk, homes: Homes, namespace: str) -> _Usage:
    cpu, memory = desk.samples.get(cpu_p95(namespace), ()), desk.samples.get(memory_peak(namespace), ())
    return _Usage(by_container(homes, cpu), by_container(homes, memory), hours_of_history(desk, homes, namespace))


def _oversized(desk: Desk, workload: Controlled, usage: _Usage) -> Oversized | None:
    """None where too little is known, or where anything happened lately that makes usage a poor guide."""
    meta = workload.item.metadata
    owner = Owner(workload.kind, meta.namespace, meta.name)
    hours = usage.hours.get(owner, 0.0)  # of samples, not of the object: one that was made again from its manifest is the same workload
    if hours < LEAST_HOURS or not settled(workload) or _troubled(desk, workload):
        return None
    fits = tuple(_fit(container, owner, usage) for container in workload.item.spec.template.spec.containers)
    known = tuple(fit for fit in fits if fit is not None)
    return Oversized(workload, known, hours) if known else None


def _troubled(desk: Desk, workload: Controlled) -> bool:
    """A container ended within a day: for memory, or for anything else."""
    ended = (status.last_state.terminated for pod in workload.pods for status in pod.status.container_statuses)
    return any(state is not None and (state.finished_at is None or desk.now - state.finished_at <= RECENT) for state in ended)


def _fit(container: Container, owner: Owner, usage: _Usage) -> Fit | None:
    cpu, memory = usage.cpu.get((owner, container.name)), usage.memory.get((owner, container.name))
    asks = sizes.requested(container)
    if not cpu or not memory:
        return None
    p95, peak = math.ceil(max(cpu) * 1000), mib(max(memory))
    wants = Size(
        _lower(asks.cpu_milli, _rounded(p95 * CPU_MARGIN, CPU_STEP_MILLI, LEAST_CPU_MILLI)),
        _lower(asks.memory_mib, _rounded(peak * MEMORY_MARGIN, MEMORY_STEP_MIB, LEAST_MEMORY_MIB)),
        asks.gpus,
    )
    return Fit(container.name, asks, p95, peak, wants)


def _rounded(value: float, step: int, least: int) -> int:
    return max(least, math.ceil(value / step) * step)


def _lower(asks: int, fits: int) -> int:
    """The smaller size where it is at least a tenth smaller, else what it is."""
    return fits if asks and fits <= asks * (1 - LEAST_CHANGE) else asks


def is_worth_it(oversized: Oversized) -> bool:
    """Far too large, and by enough to be worth somebody's time. Idle workloads are another check's."""
    back = oversized.given_back
    cpu = any(fit.wants.cpu_milli <= fit.asks.cpu_milli * WORTH_SHARE for fit in oversized.fits) and back.cpu_milli >= WORTH_CPU_MILLI
    memory = (
        any(fit.wants.memory_mib <= fit.asks.memory_mib * WORTH_SHARE for fit in oversized.fits) and back.memory_mib >= WORTH_MEMORY_MIB
    )
    return (cpu or memory) and any(not is_idle(fit) for fit in oversized.fits)


def is_worth_money(desk: Desk, oversized: Oversized) -> bool:
    """Without a price, size alone decides."""
    unit = prices_under(desk, oversized.workload.pods)
    return unit is None or unit.monthly(oversized.given_back) >= WORTH_MICRO_USD


def is_idle(fit: Fit) -> bool:
    """Uses next to nothing of its CPU: it does not need a smaller size, but none."""
    return fit.p95_milli <= max(3, fit.asks.cpu_milli // 50)


def _finding(desk: Desk, oversized: Oversized) -> Finding:
    workload = oversized.workload
    namespace = workload.item.metadata.namespace
    subject = desk.snapshot.target(workload.kind, workload.item)
    fit = max(oversized.fits, key=lambda each: each.asks.cpu_milli - each.wants.cpu_milli)
    times = fit.asks.cpu_milli / max(1, fit.p95_milli)
    back = oversized.given_back
    path = f"spec.template.spec.containers[{fit.container}].resources.requests"
    rule = f"CPU p95 x {CPU_MARGIN} and memory peak x {MEMORY_MARGIN}, rounded up to {CPU_STEP_MILLI}m and {MEMORY_STEP_MIB} MiB"
    return found(
        desk,
        CODE,
        Severity.LOW,
        subject,
        f"{workload.item.metadata.name} asks for {times:.1f} times the CPU it uses: {fit.asks.cpu_milli}m, p95 {fit.p95_milli}m",
        f"{back.cpu_milli}m CPU and {back.memory_mib} MiB over {counted(workload.replicas, 'replica')} are set aside and never used.",
        measured(desk, subject, cpu_p95(namespace), f"{fit.p95_milli}m, the highest of its pods over 7 days"),
        measured(desk, subject, memory_peak(namespace), f"{fit.peak_mib} MiB, the highest of its pods over 14 days"),
        measured(desk, subject, samples_week(namespace), f"{oversized.hours:.0f} of 168 hours have samples"),
        seen(desk, workload.kind, workload.item, path, f"{fit.asks.cpu_milli}m CPU, {fit.asks.memory_mib} MiB"),
        derived(desk, subject, rule, f"{fit.wants.cpu_milli}m CPU, {fit.wants.memory_mib} MiB"),
    )
