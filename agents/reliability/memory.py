"""REL-102 and REL-107: containers that the kernel killed for memory, and those that are about to be. Called by the table of this agent."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple

from agents.desk import Desk
from agents.recalling import once
from agents.reporting import found, measured, seen
from agents.sizes import limited
from agents.usage import memory_now, mib
from agents.workloads import SYSTEM_NAMESPACES, home, leaving
from core.cluster.objects import Container, ContainerStatus, Pod
from core.cluster.queries import Query
from core.cluster.snapshot import Snapshot
from core.domain.finding import Finding, Severity
from core.domain.target import Target

KILLED_CODE = "REL-102"
NEAR_CODE = "REL-107"
RECENT = timedelta(hours=24)
NEAR = 0.92  # of the limit; a working set above it leaves no room for one burst
KILLED = "OOMKilled"


class Pressed(NamedTuple):
    """One container that was killed for memory or is near its limit. `used_mib` is 0 where nobody measured it."""

    pod: Pod
    container: Container
    status: ContainerStatus
    limit_mib: int
    used_mib: int
    killed: bool


def queries(snapshot: Snapshot) -> Iterable[Query]:
    """Only namespaces where a container has a memory limit."""
    names: set[str] = set()
    for pod in snapshot.pods:
        if pod.metadata.namespace not in names and any(limited(container).memory_mib for container in pod.spec.containers):
            names.add(pod.metadata.namespace)
    return tuple(memory_now(name) for name in sorted(names - SYSTEM_NAMESPACES))


def detect_killed(desk: Desk) -> Iterator[Finding]:
    """From the pods' own status; needs no metrics."""
    for subject, group in groups(desk):
        if any(each.killed for each in group):
            yield _finding(desk, subject, group)


def detect_near(desk: Desk) -> Iterator[Finding]:
    """Only where nothing was killed yet: one workload is told of once."""
    for subject, group in groups(desk):
        if not any(each.killed for each in group):
            yield _finding(desk, subject, group)


@once
def groups(desk: Desk) -> Iterator[tuple[Target, list[Pressed]]]:
    """By workload, or by bare pod."""
    found: dict[str, tuple[Target, list[Pressed]]] = {}
    for pressed in _pressed_containers(desk):
        subject = _subject_of(desk, pressed.pod)
        found.setdefault(subject.uid, (subject, []))[1].append(pressed)
    yield from found.values()


def _subject_of(desk: Desk, pod: Pod) -> Target:
    return desk.snapshot.target(*home(desk.snapshot, pod))


def _pressed_containers(desk: Desk) -> Iterator[Pressed]:
    used = _used(desk)
    for pod in sorted(desk.snapshot.pods, key=lambda pod: (pod.metadata.namespace, pod.metadata.name)):
        if pod.metadata.namespace in SYSTEM_NAMESPACES or leaving(pod):
            continue
        statuses = {status.name: status for status in pod.status.container_statuses}
        for container in pod.spec.containers:
            pressed = _pressed(desk, pod, container, statuses.get(container.name), used)
            if pressed is not None:
                yield pressed


def _used(desk: Desk) -> dict[tuple[str, str, str], int]:
    """MiB by namespace, pod and container."""
    used: dict[tuple[str, str, str], int] = {}
    for query in queries(desk.snapshot):
        for sample in desk.samples.get(query, ()):
            labels = dict(sample.labels)
            used[labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", "")] = mib(sample.value)
    return used


def _pressed(
    desk: Desk, pod: Pod, container: Container, status: ContainerStatus | None, used: dict[tuple[str, str, str], int]
) -> Pressed | None:
    limit = limited(container).memory_mib
    if status is None or limit == 0:
        return None
    now_mib = used.get((pod.metadata.namespace, pod.metadata.name, container.name), 0)
    killed = killed_recently(desk, pod, status)
    if killed or (now_mib >= NEAR * limit and status.state.running is not None):
        return Pressed(pod, container, status, limit, now_mib, killed)
    return None


def killed_recently(desk: Desk, pod: Pod, status: ContainerStatus) -> bool:
    """Within a day, and not resized in place since."""
    for state in (status.state, status.last_state):
        ended = state.terminated
        if ended is None or ended.reason != KILLED:
            continue
        at = ended.finished_at
        resized = max((entry.time for entry in pod.metadata.managed_fields if entry.subresource == "resize" and entry.time), default=None)
        if at is None or (desk.now - at <= RECENT and (resized is None or resized < at)):
            return True
    return False


def _finding(desk: Desk, subject: Target, group: list[Pressed]) -> Finding:
    worst = max(group, key=lambda each: (each.killed, each.status.restart_count, each.used_mib, each.pod.metadata.name))
    killed = sum(each.killed for each in group)
    code = KILLED_CODE if killed else NEAR_CODE
    what = f"was killed for memory in {killed} pods" if killed else f"uses {worst.used_mib} of {worst.limit_mib} MiB"
    evidence = [seen(desk, "Pod", worst.pod, f"spec.containers[{worst.container.name}].resources.limits.memory", f"{worst.limit_mib} MiB")]
    if worst.killed:
        path = f"status.containerStatuses[{worst.container.name}].lastState.terminated.reason"
        evidence.append(seen(desk, "Pod", worst.pod, path, f"{KILLED}, {worst.status.restart_count} restarts"))
    if worst.used_mib:
        query = memory_now(worst.pod.metadata.namespace)
        evidence.append(measured(desk, subject, query, f"{worst.used_mib} MiB in {worst.pod.metadata.name}"))
    return found(
        desk,
        code,
        Severity.HIGH if killed else Severity.MEDIUM,
        subject,
        f"{subject.name}: container {worst.container.name} {what}",
        f"At its limit of {worst.limit_mib} MiB the kernel kills the container, and what it was doing is lost.",
        *evidence,
    )
