"""Containers that do not start, do not stay, or do not answer, and the reason that the kubelet gives. Called by the table of this agent.

Crash loops, memory and the images of rollouts have modules of their own; what those tell of is left to them.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from agents.desk import Desk
from agents.reliability.conditions.signs import Sign, check, events, on_pod, pods, reported, unwell
from agents.reliability.crash_loops import suspected
from agents.reliability.image_pulls import unpullable
from agents.reporting import seen, told
from agents.workloads import age, ready
from core.cluster.objects import Container, ContainerStatus, Pod
from core.domain.finding import Severity

PATIENCE = timedelta(minutes=2)
HANGS = timedelta(minutes=10)
LEAST_RESTARTS = 3
CREATION = frozenset(("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreStartHookError", "PostStartHookError"))
_KINDS = ("Namespace", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob")
_MISSING = re.compile(r"(?P<kind>configmap|secret)s? \"(?P<name>[^\"]{1,253})\" not found", re.IGNORECASE)
_KEY = re.compile(r"couldn't find key (?P<key>\S{1,253}) in (?P<kind>ConfigMap|Secret) (?P<place>\S{1,317})")
_FOREIGN = re.compile(r"exec format error|no match for platform|does not match the detected host platform", re.IGNORECASE)
_COMMAND = re.compile(r"executable file not found|no such file or directory|permission denied", re.IGNORECASE)
_PROBE = frozenset(("Unhealthy",))
_KILLING = frozenset(("Killing", "Unhealthy"))


def _statuses(pod: Pod) -> Iterator[ContainerStatus]:
    yield from pod.status.init_container_statuses
    yield from pod.status.container_statuses


def _waiting(desk: Desk, pod: Pod, status: ContainerStatus, what: str, matters: str) -> Sign:
    """With the kubelet's reason and its words."""
    waiting = status.state.waiting
    path = f"status.containerStatuses[{status.name}].state.waiting"
    reason, message = (waiting.reason, waiting.message) if waiting else ("", "")
    return on_pod(
        desk, pod, what, matters, seen(desk, "Pod", pod, f"{path}.reason", reason), told(desk, "Pod", pod, f"{path}.message", message)
    )


def init_stuck(desk: Desk) -> Iterator[Sign]:
    """A rollout of the last day that loops is told of by REL-101, which can take it back."""
    suspects = suspected(desk)
    for pod in unwell(desk):
        home = desk.snapshot.workload_of(pod)
        looping = home is None or home[1].metadata.uid not in suspects
        for status in pod.status.init_container_statuses:
            waiting, running, last = status.state.waiting, status.state.running, status.last_state.terminated
            if looping and waiting is not None and waiting.reason == "CrashLoopBackOff" and status.restart_count >= LEAST_RESTARTS:
                code = f"with exit code {last.exit_code}" if last else "again and again"
                yield _waiting(desk, pod, status, f"cannot start: init container {status.name} ends {code}", _INIT)
            elif running is not None and _hangs(desk, pod, status):
                yield on_pod(
                    desk,
                    pod,
                    f"does not start: init container {status.name} has been running for {_minutes(desk, status)} minutes",
                    _INIT,
                    seen(desk, "Pod", pod, f"status.initContainerStatuses[{status.name}].state.running", "running"),
                )


_INIT = "The pod's own containers wait for it; no replica of this revision can serve."


def _hangs(desk: Desk, pod: Pod, status: ContainerStatus) -> bool:
    """A sidecar runs on purpose."""
    sidecar = any(item.name == status.name and item.restart_policy == "Always" for item in pod.spec.init_containers)
    return not sidecar and _minutes(desk, status) >= HANGS.total_seconds() // 60


def _minutes(desk: Desk, status: ContainerStatus) -> int:
    started = status.state.running.started_at if status.state.running else None
    return int((desk.now - started).total_seconds() // 60) if started else 0


def missing_reference(desk: Desk) -> Iterator[Sign]:
    """Agents may not read secrets: the kubelet's message names what is missing, for ConfigMaps alike."""
    for pod in unwell(desk):
        for status in _statuses(pod):
            waiting = status.state.waiting
            if waiting is None or waiting.reason != "CreateContainerConfigError" or age(pod.metadata, desk.now) < PATIENCE:
                continue
            if match := _MISSING.search(waiting.message):
                what = f"cannot start: {_kind(match['kind'])} {match['name']}, which container {status.name} names, does not exist"
                yield _waiting(desk, pod, status, what, _REFERENCE)
            elif match := _KEY.search(waiting.message):
                what = f"cannot start: {_kind(match['kind'])} {match['place']} has no key {match['key']} for container {status.name}"
                yield _waiting(desk, pod, status, what, _REFERENCE)


_REFERENCE = "Each new pod waits for it; old pods run on with what they read, until they are moved."


def _kind(word: str) -> str:
    return {"configmap": "ConfigMap", "secret": "Secret"}[word.lower()]


def not_created(desk: Desk) -> Iterator[Sign]:
    """What no missing reference and no wrong command explains."""
    for pod in unwell(desk):
        for status in _statuses(pod):
            waiting = status.state.waiting
            if waiting is None or waiting.reason not in CREATION or age(pod.metadata, desk.now) < PATIENCE:
                continue
            if not any(shape.search(waiting.message) for shape in (_MISSING, _KEY, _COMMAND, _FOREIGN)):
                yield _waiting(desk, pod, status, f"cannot start: container {status.name} is not created ({waiting.reason})", _CREATED)


_CREATED = "The container runtime refuses it; a restart meets the same refusal."


def wrong_command(desk: Desk) -> Iterator[Sign]:
    """By the runtime's words, or by what a shell answers for a command that is not there (127) or may not run (126)."""
    for pod in unwell(desk):
        for status in _statuses(pod):
            waiting, last = status.state.waiting, status.state.terminated or status.last_state.terminated
            text = " ".join((waiting.message if waiting else "", last.message if last else ""))
            named = (waiting is not None and waiting.reason in (*CREATION, "CrashLoopBackOff")) or status.state.terminated is not None
            if not named or status.ready or _FOREIGN.search(text):
                continue
            if _COMMAND.search(text) or (last is not None and last.exit_code in (126, 127)):
                code = f" (exit code {last.exit_code})" if last is not None else ""
                what = f"cannot run: the command of container {status.name} is not in its image or may not be run{code}"
                yield _waiting(desk, pod, status, what, "Every start ends at once; waiting longer changes nothing.")


def wrong_architecture(desk: Desk) -> Iterator[Sign]:
    for pod in unwell(desk):
        for status in _statuses(pod):
            waiting, last = status.state.waiting, status.state.terminated or status.last_state.terminated
            text = " ".join((waiting.message if waiting else "", last.message if last else ""))
            if not status.ready and _FOREIGN.search(text):
                node = desk.snapshot.find("Node", "", pod.spec.node_name)
                on = f" on {node.status.node_info.architecture} nodes" if node is not None and node.status.node_info.architecture else ""
                what = f"cannot run{on}: the image of container {status.name} is built for another architecture"
                yield _waiting(desk, pod, status, what, "Pods start on some nodes only, or on none.")


def killed_by_probe(desk: Desk) -> Iterator[Sign]:
    for pod in pods(desk):
        restarts = sum(status.restart_count for status in pod.status.container_statuses)
        found_here = events(desk, pod.metadata.uid, _KILLING) if restarts >= LEAST_RESTARTS else ()
        told_of = next((event for event in found_here if re.search(r"(liveness|startup) probe", event.message, re.IGNORECASE)), None)
        if told_of is not None and any(event.reason == "Killing" for event in found_here):
            which = "startup" if "startup" in told_of.message.lower() else "liveness"
            what = f"is restarted by its own {which} probe: {restarts} restarts"
            matters = "A probe that is too strict kills pods that would have answered, most of all under load."
            yield on_pod(desk, pod, what, matters, reported(desk, "Pod", pod, told_of), _restarts(desk, pod, restarts))


def _restarts(desk: Desk, pod: Pod, restarts: int) -> Any:
    return seen(desk, "Pod", pod, "status.containerStatuses[*].restartCount", restarts)


def never_ready(desk: Desk) -> Iterator[Sign]:
    """No pod of the workload passes its readiness probe: the probe is wrong, or what it asks is gone."""
    for pod in unwell(desk):
        home = desk.snapshot.workload_of(pod)
        siblings = desk.snapshot.pods_of(home[1].metadata.uid) if home else (pod,)
        if pod.status.phase != "Running" or ready(pod) or any(ready(other) for other in siblings):
            continue
        if age(pod.metadata, desk.now) < HANGS or not all(status.state.running for status in pod.status.container_statuses):
            continue
        event = next((item for item in events(desk, pod.metadata.uid, _PROBE) if "readiness probe" in item.message.lower()), None)
        if event is not None:
            what = "has not one ready pod, though all run: the readiness probe fails in each"
            yield on_pod(desk, pod, what, "No service sends them a request.", reported(desk, "Pod", pod, event))


def probe_without_port(desk: Desk) -> Iterator[Sign]:
    for pod in pods(desk):
        for container in (*pod.spec.containers, *pod.spec.init_containers):
            for word, probe in _probes(container):
                if (name := _named_port(probe)) and name not in {port.name for port in container.ports}:
                    what = f"has a {word} probe for port {name}, which container {container.name} does not name"
                    path = f"spec.containers[{container.name}].{word}Probe"
                    yield on_pod(desk, pod, what, "The kubelet cannot ask; the probe fails for ever.", seen(desk, "Pod", pod, path, name))


def _probes(container: Container) -> Iterator[tuple[str, dict[str, Any]]]:
    if container.liveness_probe is not None:
        yield "liveness", container.liveness_probe
    if container.readiness_probe is not None:
        yield "readiness", container.readiness_probe
    if container.startup_probe is not None:
        yield "startup", container.startup_probe


def _named_port(probe: dict[str, Any]) -> str:
    for handler in ("httpGet", "tcpSocket"):
        asked = probe.get(handler)
        port = asked.get("port") if isinstance(asked, dict) else None
        if isinstance(port, str) and port and not port.isdigit():
            return port
    return ""


def image_elsewhere(desk: Desk) -> Iterator[Sign]:
    """Images of what is no rollout of a Deployment: REL-105 tells of those."""
    for pod in unwell(desk):
        home = desk.snapshot.workload_of(pod)
        if age(pod.metadata, desk.now) < PATIENCE or (home is not None and home[0] == "Deployment"):
            continue
        for _, status in unpullable(pod):
            reason = status.state.waiting.reason if status.state.waiting else ""
            yield _waiting(
                desk, pod, status, f"cannot pull {status.image} ({reason})", "Pods that are moved or made anew do not come back."
            )


CHECKS = (
    check(
        "REL-109",
        "init container that fails or hangs",
        Severity.HIGH,
        _KINDS,
        init_stuck,
        looks="Init containers in CrashLoopBackOff with their last exit code, and those that have been running for ten minutes or more.",
        silent="below 3 restarts, in the first 10 minutes of a run, for sidecars (restartPolicy Always), and where REL-101 tells of it",
        mend="Read the log of the init container; it names what it waits for. After a bad rollout, roll back.",
    ),
    check(
        "REL-110",
        "reference to a ConfigMap, Secret or key that does not exist",
        Severity.HIGH,
        _KINDS,
        missing_reference,
        looks="Containers in CreateContainerConfigError whose message names a ConfigMap, a Secret or a key that is not there.",
        silent="in the first 2 minutes of a pod, and for optional references, which the kubelet does not wait for",
        mend="Make the object with the missing key, or take back the change that renamed it.",
    ),
    check(
        "REL-111",
        "container that the runtime does not create",
        Severity.HIGH,
        _KINDS,
        not_created,
        looks="Containers in CreateContainerError, RunContainerError or a failed hook, that no other check explains.",
        silent="in the first 2 minutes of a pod, and where REL-110, REL-112 or REL-113 tells of it",
        mend="The message says what the runtime refused: a mount, a user, a security profile, a hook.",
    ),
    check(
        "REL-112",
        "command that is not in the image",
        Severity.HIGH,
        _KINDS,
        wrong_command,
        looks="Exit codes 126 and 127, and the runtime's words for an executable that is not found.",
        silent="once the container is ready, and for images of another architecture",
        mend="Correct `command` or `args` in the template, or the image. A rollback of the change is the fast way.",
    ),
    check(
        "REL-113",
        "image for another architecture",
        Severity.HIGH,
        (*_KINDS, "Node"),
        wrong_architecture,
        looks="`exec format error`, and runtime messages that an image has no variant for the node's platform.",
        silent="once the container is ready",
        mend="Build the image for the node's architecture, or keep the pods to nodes it runs on (kubernetes.io/arch).",
    ),
    check(
        "REL-114",
        "probe that kills its container",
        Severity.HIGH,
        (*_KINDS, "Event"),
        killed_by_probe,
        looks="Pods with three restarts or more, whose events say that a liveness or startup probe failed and the kubelet killed it.",
        silent="below 3 restarts, and where no such event is younger than an hour",
        mend="Give the probe a longer timeout or a startup probe before it, after looking at why the answer is late.",
    ),
    check(
        "REL-115",
        "readiness probe that no pod passes",
        Severity.HIGH,
        (*_KINDS, "Event"),
        never_ready,
        looks="Workloads all of whose pods run and none of which is ready, with failed readiness probes among the events.",
        silent="in the first 10 minutes of a pod, while any sibling is ready, and while any container does not run",
        mend="Compare the probe's port and path with what the container serves; take back the change of whichever moved.",
    ),
    check(
        "REL-116",
        "probe for a port that the container does not name",
        Severity.MEDIUM,
        _KINDS,
        probe_without_port,
        looks="Liveness, readiness and startup probes that name a port which is not among the container's ports.",
        silent="for probes by number, which need no declared port",
        mend="Name the port in the container, or the number in the probe.",
    ),
    check(
        "REL-117",
        "image that cannot be pulled, outside a rollout",
        Severity.HIGH,
        _KINDS,
        image_elsewhere,
        looks="Containers of StatefulSets, DaemonSets, Jobs and bare pods that wait for an image.",
        silent="in the first 2 minutes of a pod, and for Deployments (REL-105)",
        mend="Correct the image's name or tag, or the pull secret; the kubelet's message says which.",
    ),
)
