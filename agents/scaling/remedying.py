"""From this agent's findings to proposals: other bounds, more replicas, a gang released. Called by the table."""

import math
from datetime import timedelta

from agents import sizes
from agents.desk import Desk
from agents.pricing import prices_under
from agents.proposing import propose
from agents.remedies import bound, scale, suspend
from agents.reporting import counted
from agents.scaling import ceilings, fixed_sizes, gangs, gpu_serving, peaks
from agents.sizes import Size
from agents.usage import cores
from agents.workloads import SCALABLE, Controlled, controlled
from core.cluster.objects import Autoscaler
from core.domain.finding import Finding
from core.domain.money import Saving
from core.domain.proposal import Proposal

PEAK_HOURS_PER_MONTH = 44
"""A floor for a peak costs the two hours around it on each of about 22 working days."""
HOURS_PER_MONTH = 730
ROOM = 1.2
MOST_CEILING = 2  # times the ceiling of now; look again after that


def raise_floor(desk: Desk, finding: Finding) -> Proposal | None:
    peak = next((peak for peak in peaks.peaks(desk) if peak.under.autoscaler.metadata.uid == finding.subject.uid), None)
    if peak is None:
        return None
    autoscaler, floor = peak.under.autoscaler, peaks.floor(peak)
    more = floor - max(autoscaler.spec.min_replicas, autoscaler.status.current_replicas)
    each = Size(cpu_milli=peak.under.request_milli)
    return propose(
        desk,
        finding,
        *bound(desk, finding, autoscaler, least=floor, most=autoscaler.spec.max_replicas),
        why=(
            f"{cores(peak.cores)} CPU are expected at {peak.at:%H:%M} UTC against {cores(peak.now_cores)} now (14 d of history, "
            f"{peak.forecast.mase:.2f} of the naive error). At {peak.under.request_milli}m x {peak.under.target_percent} % a pod that is "
            f"{peak.needed} replicas."
        ),
        expect=f"{floor} replicas ready before {peak.at:%H:%M} UTC, when the autoscaler alone would begin to add them",
        saving=_cost(desk, peak.under.workload, more, hours=PEAK_HOURS_PER_MONTH),
        takes=each.times(max(0, more)),
        pods=max(0, more),
        good_for=max(timedelta(minutes=5), peak.at - desk.now),
    )


def raise_ceiling(desk: Desk, finding: Finding) -> Proposal | None:
    autoscaler = _autoscaler(desk, finding)
    excess = ceilings.excess_percent(autoscaler) if autoscaler is not None else 0
    if autoscaler is None or not excess:
        return None
    spec = autoscaler.spec
    wanted = ceilings.needed(autoscaler, excess)
    most = min(max(spec.max_replicas + 1, math.ceil(wanted * ROOM)), max(2, spec.max_replicas) * MOST_CEILING)
    workload = _target(desk, autoscaler)
    more = min(wanted, most) - autoscaler.status.current_replicas
    return propose(
        desk,
        finding,
        *bound(desk, finding, autoscaler, least=spec.min_replicas, most=most),
        why=f"{finding.title}. {wanted} replicas bring it back to its target; {most} leave a fifth of room, within twice the bound of now.",
        expect=f"up to {most} replicas; the autoscaler takes what the load asks for, about {more} more now",
        saving=_cost(desk, workload, more) if workload is not None else None,
        takes=_asks(workload).times(more) if workload is not None else Size(),
        pods=more,
    )


def release(desk: Desk, finding: Finding) -> Proposal | None:
    gang = next((gang for gang in gangs.partial_gangs(desk) if gang.job.metadata.uid == finding.subject.uid), None)
    if gang is None:
        return None
    held = Size()
    for pod in gang.bound:
        held = held.plus(sizes.of_pod(pod.spec))
    unit = prices_under(desk, gang.bound)
    paper = unit.monthly(held) if unit is not None else 0
    return propose(
        desk,
        finding,
        *suspend(desk, finding, gang.job),
        why=f"{finding.title}. {counted(len(gang.waiting), 'pod')} found no place in all that time; suspended it waits without holding.",
        expect=f"{gang.gpus} GPUs free at once; the Job stays and can be resumed when {gang.wanted} have room together",
        saving=Saving(paper_micro_usd=paper, low_micro_usd=0, high_micro_usd=paper, source=desk.prices.source)
        if paper and desk.prices
        else None,
        gpu_hours_per_day=gang.gpus * 24,
        takes=held.times(-1),
        pods=-len(gang.bound),
    )


def add_replicas(desk: Desk, finding: Finding) -> Proposal | None:
    saturated = next(
        (each for each in fixed_sizes.saturated_workloads(desk) if each.workload.item.metadata.uid == finding.subject.uid), None
    )
    if saturated is None:
        return None
    workload = saturated.workload
    more = saturated.wanted - workload.replicas
    return propose(
        desk,
        finding,
        *scale(desk, finding, workload, saturated.wanted),
        why=f"{finding.title}: {cores(saturated.cores_each)} of {saturated.limit_milli}m. {saturated.wanted} replicas bring it near 65 %.",
        expect=f"{more} more replicas, each at about two thirds of its limit",
        saving=_cost(desk, workload, more),
        takes=_asks(workload).times(more),
        pods=more,
    )


def add_gpu_replicas(desk: Desk, finding: Finding) -> Proposal | None:
    saturated = next(
        (each for each in gpu_serving.saturated_services(desk) if each.workload.item.metadata.uid == finding.subject.uid), None
    )
    if saturated is None:
        return None
    workload = saturated.workload
    more = saturated.wanted - workload.replicas
    return propose(
        desk,
        finding,
        *scale(desk, finding, workload, saturated.wanted),
        why=f"{finding.title} (mean of 15 min). A meter at its end hides the queue, so the load counts double above 95 %.",
        expect=f"{more * saturated.gpus_each} more GPUs, about {gpu_serving.TARGET_PERCENT:.0f} % busy; {_free_gpus(desk)}",
        saving=_cost(desk, workload, more),
        gpu_hours_per_day=-24 * more * saturated.gpus_each,
        takes=_asks(workload).times(more),
        pods=more,
    )


def _free_gpus(desk: Desk) -> str:
    if not desk.whole:
        return "how many are free was not looked at"
    total = sum(sizes.read(node.status.allocatable).gpus for node in desk.snapshot.nodes if not node.spec.unschedulable)
    held = sum(sizes.gpus(pod.spec) for pod in desk.snapshot.pods if pod.spec.node_name and pod.status.phase in ("Pending", "Running"))
    return f"{max(0, total - held)} of {total} are free now"


def _asks(workload: Controlled) -> Size:
    return sizes.of_pod(workload.item.spec.template.spec)


def _cost(desk: Desk, workload: Controlled, more: int, *, hours: int = HOURS_PER_MONTH) -> Saving | None:
    """What more replicas cost a month, as a negative saving; None without a price."""
    unit = prices_under(desk, workload.pods)
    if unit is None or desk.prices is None or more <= 0:
        return None
    paper = -unit.monthly(_asks(workload).times(more)) * hours // HOURS_PER_MONTH
    return Saving(paper_micro_usd=paper, low_micro_usd=paper, high_micro_usd=paper // 2, source=desk.prices.source)


def _autoscaler(desk: Desk, finding: Finding) -> Autoscaler | None:
    found: Autoscaler | None = desk.snapshot.find("HorizontalPodAutoscaler", finding.subject.namespace, finding.subject.name)
    return found


def _target(desk: Desk, autoscaler: Autoscaler) -> Controlled | None:
    reference, namespace = autoscaler.spec.scale_target_ref, autoscaler.metadata.namespace
    for workload in controlled(desk.snapshot, SCALABLE):
        if (workload.kind, workload.item.metadata.namespace, workload.item.metadata.name) == (reference.kind, namespace, reference.name):
            return workload
    return None
