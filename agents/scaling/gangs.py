"""SCA-103: a gang of which some members hold GPUs and the others find no place: nobody works, and nobody else may. Called by the table.

A gang is a Job that names how many of its pods must run together (annotation `scheduling.day2.dev/min-available` or Volcano's
`scheduling.k8s.io/group-min-member`), or one with GPUs whose completions equal its parallelism.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple

from agents import sizes
from agents.desk import Desk
from agents.recalling import once
from agents.reporting import found, measured, seen, told
from agents.usage import gpu_hour
from agents.workloads import age, jobs
from core.cluster.objects import Job, Pod
from core.cluster.queries import Query
from core.cluster.snapshot import Snapshot
from core.domain.evidence import Evidence
from core.domain.finding import Finding, Severity

CODE = "SCA-103"
MIN_AVAILABLE = ("scheduling.day2.dev/min-available", "scheduling.k8s.io/group-min-member")
PATIENCE = timedelta(minutes=30)  # nodes may still be on their way
IDLE_PERCENT = 5.0


class PartialGang(NamedTuple):
    """`bound` pods of at least `wanted` hold `gpus` GPUs, since the youngest waiting pod was made."""

    job: Job
    wanted: int
    bound: tuple[Pod, ...]
    waiting: tuple[Pod, ...]
    gpus: int
    since: timedelta


def detect(desk: Desk) -> Iterator[Finding]:
    for gang in partial_gangs(desk):
        yield _finding(desk, gang)


def queries(snapshot: Snapshot) -> Iterable[Query]:
    """Whether the bound members compute: only asked where there is a partial gang."""
    return tuple(
        gpu_hour(name) for name in sorted({job.metadata.namespace for job, pods in jobs(snapshot) if _split(job, pods) is not None})
    )


@once
def partial_gangs(desk: Desk) -> Iterator[PartialGang]:
    for job, pods in jobs(desk.snapshot):
        split = _split(job, pods)
        if split is None:
            continue
        bound, waiting = split
        since = min(age(pod.metadata, desk.now) for pod in waiting)
        gang = PartialGang(job, wanted_members(job), bound, waiting, sum(sizes.gpus(pod.spec) for pod in bound), since)
        if gang.since >= PATIENCE and not computes(desk, gang):
            yield gang


def _split(job: Job, pods: tuple[Pod, ...]) -> tuple[tuple[Pod, ...], tuple[Pod, ...]] | None:
    """Bound and waiting pods, where fewer than the gang needs are bound and those hold GPUs."""
    wanted = wanted_members(job)
    bound = tuple(pod for pod in pods if pod.spec.node_name)
    waiting = tuple(pod for pod in pods if not pod.spec.node_name and is_unschedulable(pod))
    held = sum(sizes.gpus(pod.spec) for pod in bound)
    return (bound, waiting) if wanted > len(bound) and waiting and held else None


def wanted_members(job: Job) -> int:
    """How many pods must run together; 0 for a Job whose pods work one by one."""
    for key in MIN_AVAILABLE:
        text = job.metadata.annotations.get(key) or job.spec.template.metadata.annotations.get(key, "")
        if text.isascii() and text.isdigit() and len(text) < 6:
            return int(text)
    together = job.spec.completions == job.spec.parallelism and job.spec.parallelism > 1
    return job.spec.parallelism if together and sizes.gpus(job.spec.template.spec) else 0


def is_unschedulable(pod: Pod) -> bool:
    return any(condition.type == "PodScheduled" and condition.reason == "Unschedulable" for condition in pod.status.conditions)


def utilisation(desk: Desk, gang: PartialGang) -> float | None:
    """The highest mean of a bound pod's GPUs, in percent; None where nobody measured."""
    names = {pod.metadata.name for pod in gang.bound}
    samples = desk.samples.get(gpu_hour(gang.job.metadata.namespace), ())
    return max((sample.value for sample in samples if sample.label("pod") in names), default=None)


def computes(desk: Desk, gang: PartialGang) -> bool:
    """Some frameworks start with fewer members than they asked for: those are left alone."""
    return (utilisation(desk, gang) or 0.0) > IDLE_PERCENT


def _finding(desk: Desk, gang: PartialGang) -> Finding:
    job, hours = gang.job, gang.since.total_seconds() / 3600
    subject = desk.snapshot.target("Job", job)
    return found(
        desk,
        CODE,
        Severity.HIGH,
        subject,
        f"{job.metadata.name} holds {gang.gpus} GPUs for {hours:.1f} h and cannot start: {len(gang.bound)} of {gang.wanted} pods placed",
        f"{gang.gpus * 24} GPU-hours a day are paid for and idle, and nobody else may use them.",
        *_evidence(desk, gang),
    )


def _evidence(desk: Desk, gang: PartialGang) -> Iterator[Evidence]:
    waiting = gang.waiting[0]
    condition = next(condition for condition in waiting.status.conditions if condition.reason == "Unschedulable")
    yield seen(
        desk, "Job", gang.job, "status.active", f"{len(gang.bound)} bound, {len(gang.waiting)} waiting, {gang.wanted} needed together"
    )
    yield seen(desk, "Pod", waiting, "status.conditions[PodScheduled].reason", "Unschedulable")
    yield told(desk, "Pod", waiting, "status.conditions[PodScheduled].message", condition.message)
    busy = utilisation(desk, gang)
    if busy is not None:
        query = gpu_hour(gang.job.metadata.namespace)
        yield measured(desk, desk.snapshot.target("Job", gang.job), query, f"{busy:.0f} % at most over the last hour")
