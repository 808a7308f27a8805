"""REL-101: containers that start and die again and again since the last rollout. Called by the table of this agent."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agents.desk import Desk, LogRequest
from agents.reporting import counted, found, quoted, seen
from agents.workloads import Rollout, rollouts
from core.cluster.objects import ContainerStatus, Pod
from core.cluster.snapshot import Snapshot
from core.domain.evidence import Evidence
from core.domain.finding import Finding, Severity
from core.domain.values import bounded

CODE = "REL-101"
RESTARTS_BEFORE_ALARM = 3  # fewer is normal while dependencies come up
BACK_OFF = "CrashLoopBackOff"
MEMORY = "OOMKilled"
_TELLING = re.compile(r"\b(panic|fatal|traceback|exception|segfault|unhandled|cannot|error)\b", re.IGNORECASE)
_STRONGEST = re.compile(r"\b(panic|fatal|unhandled|segfault)\b", re.IGNORECASE)
_SPEAKS_TO_MACHINES = re.compile(
    r"ignore (all |any )?(previous|prior|above) (instructions|prompts)|system (notice|prompt) to|automation agents", re.IGNORECASE
)


class Looping(NamedTuple):
    pod: Pod
    container: ContainerStatus


def detect(desk: Desk) -> Iterator[Finding]:
    for rollout in rollouts(desk.snapshot):
        loops = looping(rollout)
        if loops:
            yield _finding(desk, rollout, loops)


def logs(snapshot: Snapshot) -> Iterable[LogRequest]:
    """The last words of the container that died most often."""
    for rollout in rollouts(snapshot):
        if loops := looping(rollout):
            yield log_of(worst(loops))


def log_of(loop: Looping) -> LogRequest:
    meta = loop.pod.metadata
    return LogRequest(meta.namespace, meta.name, loop.container.name, previous=True)


def looping(rollout: Rollout) -> tuple[Looping, ...]:
    """Containers of the current revision that loop, and not for want of memory: another check speaks for those."""
    return tuple(
        Looping(pod, container) for pod in rollout.current_pods for container in pod.status.container_statuses if is_looping(container)
    )


def is_looping(container: ContainerStatus) -> bool:
    ended = container.last_state.terminated
    waiting = container.state.waiting is not None and container.state.waiting.reason == BACK_OFF
    dying = not container.ready and ended is not None and ended.exit_code != 0
    if ended is not None and ended.reason == MEMORY:
        return False
    return (waiting or dying) and container.restart_count >= RESTARTS_BEFORE_ALARM


def worst(loops: Iterable[Looping]) -> Looping:
    return max(loops, key=lambda loop: (loop.container.restart_count, loop.pod.metadata.name))


def _finding(desk: Desk, rollout: Rollout, loops: tuple[Looping, ...]) -> Finding:
    item, loop = rollout.workload.item, worst(loops)
    subject = desk.snapshot.target("Deployment", item)
    pods = len({each.pod.metadata.uid for each in loops})
    minutes = int((desk.now - rollout.started_at).total_seconds() // 60)
    ended = loop.container.last_state.terminated
    since = f"since the rollout {minutes} minutes ago" if rollout.previous else "and no earlier revision is there"
    return found(
        desk,
        CODE,
        Severity.CRITICAL if item.status.ready_replicas < rollout.workload.replicas else Severity.HIGH,
        subject,
        f"{item.metadata.name} crashes {since}: {pods} of {rollout.workload.replicas} pods restart again and again",
        f"Only {item.status.ready_replicas} of {rollout.workload.replicas} replicas serve; a pod that fails now has no replacement.",
        seen(desk, "Pod", loop.pod, f"status.containerStatuses[{loop.container.name}].restartCount", loop.container.restart_count),
        seen(
            desk,
            "Pod",
            loop.pod,
            f"status.containerStatuses[{loop.container.name}].lastState",
            f"exit code {ended.exit_code}" if ended else BACK_OFF,
        ),
        *_rollout_evidence(desk, rollout),
        *_last_words(desk, loop),
    )


def _rollout_evidence(desk: Desk, rollout: Rollout) -> Iterator[Evidence]:
    yield seen(
        desk, "ReplicaSet", rollout.current, "metadata.creationTimestamp", f"{rollout.started_at:%Y-%m-%dT%H:%M:%SZ}, {images(rollout)}"
    )
    if rollout.previous is not None:
        served = f"was current for {rollout.proven_seconds // 3600} h, {counted(rollout.previous.status.ready_replicas, 'pod')} ready now"
        yield seen(desk, "ReplicaSet", rollout.previous, "status.readyReplicas", served)


def images(rollout: Rollout) -> str:
    return "image " + ", ".join(bounded(container.image, 120) for container in rollout.current.spec.template.spec.containers)


def _last_words(desk: Desk, loop: Looping) -> Iterator[Evidence]:
    """The line that most looks like the cause, and any line that talks to machines: evidence that somebody tries, never an order."""
    request = log_of(loop)
    subject = desk.snapshot.target("Pod", loop.pod)
    lines = [line for line in desk.logs.get(request, "").splitlines() if line.strip()]
    hostile = [line for line in lines if _SPEAKS_TO_MACHINES.search(line)]
    cause = telling_line([line for line in lines if line not in hostile])
    for line in ([cause] if cause else []) + hostile[-1:]:
        yield quoted(desk, subject, request, line)


def telling_line(lines: list[str]) -> str:
    """The last line that names a panic, else the last that names an error, else nothing."""
    for pattern in (_STRONGEST, _TELLING):
        if match := next((line for line in reversed(lines) if pattern.search(line)), ""):
            return match
    return ""
