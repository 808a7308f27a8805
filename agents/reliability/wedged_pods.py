"""REL-103: a pod that runs but does not answer, while its siblings do. Called by the table of this agent."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agents.desk import Desk
from agents.reporting import counted, found, seen
from agents.workloads import TEMPLATE_HASH, Controlled, controlled, ready
from core.cluster.objects import Node, Pod
from core.domain.finding import Finding, Severity

CODE = "REL-103"
PATIENCE = timedelta(minutes=15)  # longer than slow starts take


def detect(desk: Desk) -> Iterator[Finding]:
    """One finding for each workload, told by the pod that is stuck the longest."""
    for workload in controlled(desk.snapshot):
        if stuck := wedged(desk, workload):
            yield _finding(desk, workload, stuck)


def wedged(desk: Desk, workload: Controlled) -> tuple[Pod, ...]:
    """The longest first. Pods of a node that is not ready are the node's matter."""
    stuck = [pod for pod in workload.pods if is_wedged(desk, pod) and answering_siblings(workload, pod) and _node_serves(desk, pod)]
    return tuple(sorted(stuck, key=lambda pod: (since(pod) or desk.now, pod.metadata.name)))


def _node_serves(desk: Desk, pod: Pod) -> bool:
    node: Node | None = desk.snapshot.find("Node", "", pod.spec.node_name)
    return node is None or any(condition.type == "Ready" and condition.status == "True" for condition in node.status.conditions)


def since(pod: Pod) -> datetime | None:
    """Since when the pod is not ready."""
    return next((condition.last_transition_time for condition in pod.status.conditions if condition.type == "Ready"), None)


def is_wedged(desk: Desk, pod: Pod) -> bool:
    """Every container runs, and the pod has not been ready for a while."""
    statuses = pod.status.container_statuses
    if pod.status.phase != "Running" or ready(pod) or not statuses or any(status.state.running is None for status in statuses):
        return False
    started = max(
        (status.state.running.started_at for status in statuses if status.state.running and status.state.running.started_at), default=None
    )
    latest = max((moment for moment in (since(pod), started) if moment is not None), default=None)
    return latest is not None and desk.now - latest >= PATIENCE


def answering_siblings(workload: Controlled, pod: Pod) -> int:
    """Ready pods of the same workload and the same template: it is this pod, not the revision."""
    own = pod.metadata.labels.get(TEMPLATE_HASH, "")
    return sum(ready(other) and other.metadata.labels.get(TEMPLATE_HASH, "") == own for other in workload.pods if other is not pod)


def _finding(desk: Desk, workload: Controlled, stuck: tuple[Pod, ...]) -> Finding:
    pod, name = stuck[0], workload.item.metadata.name
    minutes = int((desk.now - (since(pod) or desk.now)).total_seconds() // 60)
    reason = next((condition.reason for condition in pod.status.conditions if condition.type == "Ready"), "")
    return found(
        desk,
        CODE,
        Severity.MEDIUM,
        desk.snapshot.target(workload.kind, workload.item),
        f"{name}: pod {pod.metadata.name} has run without being ready for {minutes} minutes, while "
        f"{counted(answering_siblings(workload, pod), 'sibling')} answer",
        f"{counted(len(stuck), 'replica')} of {workload.replicas} paid for and not serving; a stuck pod does not mend itself.",
        seen(desk, "Pod", pod, "status.conditions[Ready]", f"not True for {minutes} min: {reason}"),
        seen(desk, workload.kind, workload.item, "status.readyReplicas", f"{workload.item.status.ready_replicas} of {workload.replicas}"),
    )
