"""FIN-104: jobs that hold GPUs and do not compute. Called by the table of this agent."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple

from agents import sizes
from agents.desk import Desk
from agents.recalling import once
from agents.reporting import found, measured, seen
from agents.usage import gpu_hour
from agents.workloads import age, jobs
from core.cluster.objects import Job, Pod
from core.cluster.queries import Query
from core.cluster.snapshot import Snapshot
from core.domain.finding import Finding, Severity

CODE = "FIN-104"
IDLE_PERCENT = 3.0
PATIENCE = timedelta(hours=1)  # loading data takes its time


class IdleJob(NamedTuple):
    job: Job
    pods: tuple[Pod, ...]
    gpus: int
    percent: float
    since: timedelta


def queries(snapshot: Snapshot) -> Iterable[Query]:
    return tuple(gpu_hour(name) for name in sorted({job.metadata.namespace for job, _ in _holding(snapshot)}))


def detect(desk: Desk) -> Iterator[Finding]:
    for idle in idle_jobs(desk):
        yield _finding(desk, idle)


@once
def idle_jobs(desk: Desk) -> Iterator[IdleJob]:
    for job, pods in _holding(desk.snapshot):
        values = {sample.label("pod"): sample.value for sample in desk.samples.get(gpu_hour(job.metadata.namespace), ())}
        since = min(age(pod.metadata, desk.now) for pod in pods)
        percents = [values[pod.metadata.name] for pod in pods if pod.metadata.name in values]
        if since >= PATIENCE and len(percents) == len(pods) and max(percents) <= IDLE_PERCENT:
            yield IdleJob(job, pods, sum(sizes.gpus(pod.spec) for pod in pods), max(percents), since)


def _holding(snapshot: Snapshot) -> Iterator[tuple[Job, tuple[Pod, ...]]]:
    """Jobs whose pods all have a place and hold GPUs. A gang that waits for members is the scaling agent's case."""
    for job, pods in jobs(snapshot):
        running = tuple(pod for pod in pods if pod.status.phase == "Running" and pod.spec.node_name)
        if running and len(running) == len(pods) and any(sizes.gpus(pod.spec) for pod in running):
            yield job, running


def _finding(desk: Desk, idle: IdleJob) -> Finding:
    subject = desk.snapshot.target("Job", idle.job)
    hours = idle.since.total_seconds() / 3600
    return found(
        desk,
        CODE,
        Severity.MEDIUM,
        subject,
        f"{idle.job.metadata.name} holds {idle.gpus} GPUs for {hours:.1f} h and uses {idle.percent:.0f} % of them",
        f"{idle.gpus * 24} GPU-hours a day are paid for and do nothing.",
        measured(
            desk, subject, gpu_hour(idle.job.metadata.namespace), f"{idle.percent:.0f} % at most over the last hour, {len(idle.pods)} pods"
        ),
        seen(desk, "Job", idle.job, "status.active", idle.job.status.active),
    )
