"""Pods that were put out, do not go, or wait for a volume, a network or a gate. Called by the table of this agent."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from agents.desk import Desk
from agents.reliability.conditions.signs import Sign, check, events, on_pod, ours, reported, unwell
from agents.reporting import moment, seen, told
from agents.workloads import age
from core.cluster.objects import Pod
from core.domain.finding import Severity

PATIENCE = timedelta(minutes=3)
OVERDUE = timedelta(minutes=10)
GATED = timedelta(hours=1)
DAY = timedelta(days=1)
_KINDS = ("Namespace", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob")
_MOUNT = frozenset(("FailedMount", "FailedAttachVolume", "FailedMapVolume"))
_SANDBOX = frozenset(("FailedCreatePodSandBox", "NetworkNotReady"))
_ELSEWHERE = "Multi-Attach"


def evicted(desk: Desk) -> Iterator[Sign]:
    for pod in desk.snapshot.pods:
        if pod.status.phase != "Failed" or pod.status.reason != "Evicted":
            continue
        ended = max((item.last_transition_time for item in pod.status.conditions if item.last_transition_time), default=None)
        at = ended or pod.status.start_time or pod.metadata.creation_timestamp
        if ours(pod.metadata) and at and desk.now - at <= DAY:
            yield on_pod(
                desk,
                pod,
                f"lost pod {pod.metadata.name}, evicted by its node",
                "A node under pressure puts out what uses more than it asked for first; the next one follows.",
                seen(desk, "Pod", pod, "status.reason", pod.status.reason),
                told(desk, "Pod", pod, "status.message", pod.status.message),
            )


def preempted(desk: Desk) -> Iterator[Sign]:
    for pod in desk.snapshot.pods:
        if pod.status.phase != "Failed" and pod.metadata.deletion_timestamp is None:
            continue  # whoever was preempted is ended, or on its way out
        for condition in pod.status.conditions:
            recent = condition.last_transition_time is not None and desk.now - condition.last_transition_time <= DAY
            if ours(pod.metadata) and condition.type == "DisruptionTarget" and condition.reason == "PreemptionByScheduler" and recent:
                yield on_pod(
                    desk,
                    pod,
                    f"lost pod {pod.metadata.name} to one of a higher priority",
                    "There is not room for both: whoever has the lower priority waits until somebody adds some.",
                    seen(desk, "Pod", pod, "status.conditions[DisruptionTarget].reason", condition.reason),
                    told(desk, "Pod", pod, "status.conditions[DisruptionTarget].message", condition.message),
                )


def stuck_leaving(desk: Desk) -> Iterator[Sign]:
    for pod in desk.snapshot.pods:
        going = pod.metadata.deletion_timestamp  # the API server sets it to when the grace period ends
        if not ours(pod.metadata) or going is None or desk.now - going < OVERDUE:
            continue
        held = f", held by finalizer {pod.metadata.finalizers[0]}" if pod.metadata.finalizers else ""
        yield on_pod(
            desk,
            pod,
            f"has pod {pod.metadata.name} that has been leaving for {int((desk.now - going).total_seconds() // 60)} minutes{held}",
            "Its name, volumes and place are not free until it is gone; a StatefulSet does not go on without it.",
            seen(desk, "Pod", pod, "metadata.deletionTimestamp", moment(going)),
            seen(desk, "Pod", pod, "metadata.finalizers", ", ".join(pod.metadata.finalizers) or "none"),
        )


def volume_missing(desk: Desk) -> Iterator[Sign]:
    """Not where the volume is still held elsewhere: that has a check of its own."""
    yield from _by_event(desk, _MOUNT, lambda text: _ELSEWHERE not in text, "cannot start: a volume is not mounted")


def volume_elsewhere(desk: Desk) -> Iterator[Sign]:
    yield from _by_event(desk, _MOUNT, lambda text: _ELSEWHERE in text, "cannot start: its volume is still attached to another node")


def sandbox(desk: Desk) -> Iterator[Sign]:
    yield from _by_event(desk, _SANDBOX, lambda _: True, "cannot start: the node gives its pod no sandbox or network")


def _by_event(desk: Desk, reasons: frozenset[str], wanted: Callable[[str], bool], what: str) -> Iterator[Sign]:
    for pod in unwell(desk):
        if not _starting(pod) or age(pod.metadata, desk.now) < PATIENCE:
            continue
        event = next((item for item in events(desk, pod.metadata.uid, reasons) if wanted(item.message)), None)
        if event is not None:
            yield on_pod(desk, pod, what, "The pod is bound to a node and does not run.", reported(desk, "Pod", pod, event))


def _starting(pod: Pod) -> bool:
    """Bound to a node, and nothing of it runs yet."""
    return bool(pod.spec.node_name) and pod.status.phase == "Pending"


def gated(desk: Desk) -> Iterator[Sign]:
    for pod in unwell(desk):
        if pod.spec.scheduling_gates and not pod.spec.node_name and age(pod.metadata, desk.now) >= GATED:
            gates = ", ".join(str(gate.get("name", "")) for gate in pod.spec.scheduling_gates)
            what = f"is held back by scheduling gate {gates} for {int(age(pod.metadata, desk.now).total_seconds() // 3600)} h"
            matters = "The scheduler does not look at it until whoever set the gate takes it away."
            yield on_pod(desk, pod, what, matters, seen(desk, "Pod", pod, "spec.schedulingGates", gates))


CHECKS = (
    check(
        "REL-118",
        "pods evicted by their node",
        Severity.MEDIUM,
        _KINDS,
        evicted,
        looks="Pods that ended with reason Evicted within a day, with the kubelet's words for which resource ran short.",
        silent="a day after the eviction",
        mend="Give the pods requests that say what they use; look at what else fills the node.",
    ),
    check(
        "REL-119",
        "pods preempted by others",
        Severity.MEDIUM,
        _KINDS,
        preempted,
        looks="Pods whose DisruptionTarget condition says that the scheduler preempted them within a day.",
        silent="a day after the preemption, and once the pod object is gone",
        mend="Add room, or give the workload the priority that it deserves.",
    ),
    check(
        "REL-120",
        "pod that does not go",
        Severity.MEDIUM,
        _KINDS,
        stuck_leaving,
        looks="Pods whose grace period ended ten minutes ago or more and that are still there, with their finalizers.",
        silent="for 10 minutes after the grace period",
        mend="Whoever set the finalizer must take it away; without one, the node's kubelet does not answer. Force comes last.",
    ),
    check(
        "REL-121",
        "volume that is not mounted",
        Severity.HIGH,
        (*_KINDS, "Event"),
        volume_missing,
        looks="Pods, bound and pending for three minutes, with FailedMount, FailedAttachVolume or FailedMapVolume among the events.",
        silent="in the first 3 minutes, and where no such event is younger than an hour",
        mend="The message names the volume: a missing ConfigMap or Secret, a driver that is not there, a server that does not answer.",
    ),
    check(
        "REL-122",
        "volume that is held by another node",
        Severity.HIGH,
        (*_KINDS, "Event"),
        volume_elsewhere,
        looks="Pods that wait with a Multi-Attach error.",
        silent="in the first 3 minutes, and where no such event is younger than an hour",
        mend="If the other node is lost, prove that it is off before its attachment is freed; else the old pod must go first.",
    ),
    check(
        "REL-123",
        "pod without a sandbox",
        Severity.HIGH,
        (*_KINDS, "Event"),
        sandbox,
        looks="Pods that are bound and pending for three minutes, with FailedCreatePodSandBox or NetworkNotReady among the events.",
        silent="in the first 3 minutes, and where no such event is younger than an hour",
        mend="The network plug-in of that node: addresses used up, its pod not running, its configuration gone.",
    ),
    check(
        "REL-124",
        "pod behind a scheduling gate",
        Severity.LOW,
        _KINDS,
        gated,
        looks="Pods with scheduling gates for an hour or more.",
        silent="in the first hour",
        mend="Look after the controller that set the gate.",
    ),
)
