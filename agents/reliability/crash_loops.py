"""REL-101 and REL-108: containers that start and die again and again, since a rollout or for another reason. Called by the table."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agents.desk import Desk, LogRequest
from agents.reporting import counted, found, quoted, seen
from agents.workloads import SUSPECT, Controlled, Rollout, controlled, rollouts
from core.cluster.objects import ContainerStatus, Pod
from core.cluster.snapshot import Snapshot
from core.domain.evidence import Evidence
from core.domain.finding import Finding, Severity
from core.domain.values import bounded

SINCE_ROLLOUT = "REL-101"
OTHERWISE = "REL-108"
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
    """Where the rollout is the suspect: it is a day old at most, or it never worked."""
    for rollout in rollouts(desk.snapshot):
        if is_suspect(desk, rollout) and (loops := looping(rollout.current_pods)):
            yield _since_rollout(desk, rollout, loops)


def detect_otherwise(desk: Desk) -> Iterator[Finding]:
    """What else crashes: no rollout explains it, so nothing is proposed and a person, or the model, must look. Init containers: REL-109."""
    suspects = suspected(desk)
    for workload in controlled(desk.snapshot):
        if workload.item.metadata.uid not in suspects and (loops := looping(workload.pods, init=False)):
            yield _otherwise(desk, workload, loops)


def logs(snapshot: Snapshot) -> Iterable[LogRequest]:
    """The last words of the container that died most often, of each workload."""
    for workload in controlled(snapshot):
        if loops := looping(workload.pods):
            yield log_of(worst(loops))


def is_suspect(desk: Desk, rollout: Rollout) -> bool:
    return desk.now - rollout.started_at <= SUSPECT


def log_of(loop: Looping) -> LogRequest:
    meta = loop.pod.metadata
    return LogRequest(meta.namespace, meta.name, loop.container.name, previous=True)


def suspected(desk: Desk) -> frozenset[str]:
    """The uids of Deployments whose crashes REL-101 speaks for."""
    return frozenset(rollout.workload.item.metadata.uid for rollout in rollouts(desk.snapshot) if is_suspect(desk, rollout))


def looping(pods: Iterable[Pod], *, init: bool = True) -> tuple[Looping, ...]:
    """Containers that loop, and not for want of memory: another check speaks for those."""
    return tuple(
        Looping(pod, container)
        for pod in pods
        for container in (*(pod.status.init_container_statuses if init else ()), *pod.status.container_statuses)
        if is_looping(container)
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


def _since_rollout(desk: Desk, rollout: Rollout, loops: tuple[Looping, ...]) -> Finding:
    item, loop = rollout.workload.item, worst(loops)
    subject = desk.snapshot.target("Deployment", item)
    pods = len({each.pod.metadata.uid for each in loops})
    minutes = int((desk.now - rollout.started_at).total_seconds() // 60)
    ended = loop.container.last_state.terminated
    since = f"since the rollout {minutes} minutes ago" if rollout.previous else "and no earlier revision is there"
    return found(
        desk,
        SINCE_ROLLOUT,
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


def _otherwise(desk: Desk, workload: Controlled, loops: tuple[Looping, ...]) -> Finding:
    loop, name = worst(loops), workload.item.metadata.name
    pods = len({each.pod.metadata.uid for each in loops})
    ended = loop.container.last_state.terminated
    path = f"status.containerStatuses[{loop.container.name}]"
    return found(
        desk,
        OTHERWISE,
        Severity.HIGH,
        desk.snapshot.target(workload.kind, workload.item),
        f"{name}: {pods} of {counted(len(workload.pods), 'pod')} restart again and again, and no rollout of the last day explains it",
        "Something around it changed: a dependency, a secret, a node. Its last words are the place to begin.",
        seen(desk, "Pod", loop.pod, f"{path}.restartCount", loop.container.restart_count),
        seen(desk, "Pod", loop.pod, f"{path}.lastState", f"exit code {ended.exit_code}" if ended else BACK_OFF),
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
