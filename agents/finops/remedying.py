"""From this agent's findings to proposals, with what they save on paper and for real. Called by the table."""

from agents import sizes
from agents.desk import Desk
from agents.finops import autoscaler_floors, idle_gpus, idle_workloads, requests
from agents.pricing import prices_under, saving
from agents.proposing import propose
from agents.remedies import bound, scale, size, suspend
from agents.reporting import counted
from agents.sizes import Size
from core.actions.containers import Sizes
from core.domain.finding import Finding
from core.domain.money import Saving
from core.domain.proposal import Proposal

SIZED_CERTAINTY = 70
"""Percent of a right-sizing's saving that stays if usage grows by a third of what is given back."""
IDLE_CERTAINTY = 90


def fit_requests(desk: Desk, finding: Finding) -> Proposal | None:
    oversized = next((each for each in requests.oversized_workloads(desk) if each.workload.item.metadata.uid == finding.subject.uid), None)
    if oversized is None:
        return None
    workload = oversized.workload
    wanted = {fit.container: _sizes(fit) for fit in oversized.fits if fit.wants != fit.asks}
    back = oversized.given_back
    each = Size(back.cpu_milli // workload.replicas, back.memory_mib // workload.replicas)
    after = {pod.metadata.uid: sizes.of_pod(pod.spec).plus(each.times(-1)) for pod in workload.pods}
    fit = max(oversized.fits, key=lambda each: each.asks.cpu_milli - each.wants.cpu_milli)
    return propose(
        desk,
        finding,
        *size(desk, finding, workload, wanted),
        why=(
            f"Over {oversized.hours / 24:.0f} days no pod used more than {fit.p95_milli}m CPU (p95) and {fit.peak_mib} MiB (peak) of "
            f"{fit.asks.cpu_milli}m and {fit.asks.memory_mib} MiB; 15 % and 25 % on top is {_wanted(fit)}."
        ),
        expect=f"{back.cpu_milli}m CPU and {back.memory_mib} MiB free for others over {counted(workload.replicas, 'replica')}",
        saving=saving(desk, workload.pods, back, certainty_percent=SIZED_CERTAINTY, after=after),
        takes=back.times(-1),
    )


def _wanted(fit: requests.Fit) -> str:
    kept = " (kept)" if fit.wants.memory_mib == fit.asks.memory_mib else ""
    return f"{fit.wants.cpu_milli}m and {fit.wants.memory_mib} MiB{kept}"


def _sizes(fit: requests.Fit) -> Sizes:
    """Only what moves; the limits stay: they reserve nothing."""
    return Sizes(
        cpu_milli=fit.wants.cpu_milli if fit.wants.cpu_milli != fit.asks.cpu_milli else None,
        memory_mib=fit.wants.memory_mib if fit.wants.memory_mib != fit.asks.memory_mib else None,
    )


def stop_idle(desk: Desk, finding: Finding) -> Proposal | None:
    idle = next((each for each in idle_workloads.idle_workloads(desk) if each.workload.item.metadata.uid == finding.subject.uid), None)
    if idle is None:
        return None
    workload = idle.workload
    back = sizes.of_pod(workload.item.spec.template.spec).times(workload.replicas)
    after = {pod.metadata.uid: Size() for pod in workload.pods}
    return propose(
        desk,
        finding,
        *scale(desk, finding, workload, 0),
        why=f"{finding.title}, in any 5 minutes of 7 days. At zero replicas nothing is lost but its start time.",
        expect=f"{back.cpu_milli}m CPU and {back.memory_mib} MiB free; where somebody misses it, the undo brings {workload.replicas} back",
        saving=saving(desk, workload.pods, back, certainty_percent=IDLE_CERTAINTY, after=after),
        takes=back.times(-1),
        pods=-workload.replicas,
    )


def lower_floor(desk: Desk, finding: Finding) -> Proposal | None:
    """Not below what an objective asks for."""
    high = next((each for each in autoscaler_floors.high_floors(desk) if each.under.autoscaler.metadata.uid == finding.subject.uid), None)
    if high is None:
        return None
    spec, workload = high.under.autoscaler.spec, high.under.workload
    asked = max((objective.min_replicas for objective in desk.objectives.of(finding.subject.namespace)), default=0)
    floor = max(high.floor, asked)
    if floor >= spec.min_replicas:
        return None
    fewer = high.idle_above(floor)
    back = sizes.of_pod(workload.item.spec.template.spec)
    given = Size(round(back.cpu_milli * fewer), round(back.memory_mib * fewer))
    return propose(
        desk,
        finding,
        *bound(desk, finding, high.under.autoscaler, least=floor, most=spec.max_replicas),
        why=f"For {high.share:.0%} of 7 days the load needed fewer than {spec.min_replicas} replicas; {floor} carry it then.",
        expect=f"{fewer:.1f} replicas fewer on the mean of a week; the ceiling stays at {spec.max_replicas}",
        saving=saving(desk, workload.pods, given, certainty_percent=50),
        takes=given.times(-1),
    )


def suspend_idle(desk: Desk, finding: Finding) -> Proposal | None:
    idle = next((each for each in idle_gpus.idle_jobs(desk) if each.job.metadata.uid == finding.subject.uid), None)
    if idle is None:
        return None
    held = Size()
    for pod in idle.pods:
        held = held.plus(sizes.of_pod(pod.spec))
    unit = prices_under(desk, idle.pods)
    paper = unit.monthly(held) if unit is not None else 0
    return propose(
        desk,
        finding,
        *suspend(desk, finding, idle.job),
        why=f"{finding.title}, over {len(idle.pods)} pods. Suspended it gives the GPUs back; resumed it starts again.",
        expect=f"{idle.gpus} GPUs free; what the pods had computed without saving is lost",
        saving=Saving(paper_micro_usd=paper, low_micro_usd=0, high_micro_usd=paper, source=desk.prices.source)
        if paper and desk.prices
        else None,
        gpu_hours_per_day=idle.gpus * 24,
        takes=held.times(-1),
        pods=-len(idle.pods),
    )
