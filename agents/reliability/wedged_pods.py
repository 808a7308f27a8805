"""REL-103: a pod that runs but does not answer, while its siblings do. Called by the table of this agent."""

from collections.abc import Iterator
from datetime import timedelta

from agents.desk import Desk
from agents.reporting import counted, found, seen
from agents.workloads import TEMPLATE_HASH, Controlled, controlled, ready
from core.cluster.objects import Condition, Node, Pod
from core.domain.finding import Finding, Severity

CODE = "REL-103"
PATIENCE = timedelta(minutes=15)  # longer than slow starts take


def detect(desk: Desk) -> Iterator[Finding]:
    sick = {node.metadata.name for node in desk.snapshot.nodes if not _serves(node)}
    for workload in controlled(desk.snapshot):
        for pod in workload.pods:
            if pod.spec.node_name not in sick and is_wedged(desk, pod) and (siblings := answering_siblings(workload, pod)):
                yield _finding(desk, workload, pod, siblings)


def is_wedged(desk: Desk, pod: Pod) -> bool:
    """Every container runs, and the pod has not been ready for a while."""
    statuses = pod.status.container_statuses
    if pod.status.phase != "Running" or ready(pod) or not statuses or any(status.state.running is None for status in statuses):
        return False
    since = next((condition.last_transition_time for condition in pod.status.conditions if condition.type == "Ready"), None)
    started = max(
        (status.state.running.started_at for status in statuses if status.state.running and status.state.running.started_at), default=None
    )
    latest = max((moment for moment in (since, started) if moment is not None), default=None)
    return latest is not None and desk.now - latest >= PATIENCE


def answering_siblings(workload: Controlled, pod: Pod) -> int:
    """Ready pods of the same workload and the same template: it is this pod, not the revision."""
    own = pod.metadata.labels.get(TEMPLATE_HASH, "")
    return sum(ready(other) and other.metadata.labels.get(TEMPLATE_HASH, "") == own for other in workload.pods if other is not pod)


def _serves(node: Node) -> bool:
    return any(condition.type == "Ready" and condition.status == "True" for condition in node.status.conditions)


def _finding(desk: Desk, workload: Controlled, pod: Pod, siblings: int) -> Finding:
    condition = next((condition for condition in pod.status.conditions if condition.type == "Ready"), Condition())
    minutes = int((desk.now - (condition.last_transition_time or desk.now)).total_seconds() // 60)
    return found(
        desk,
        CODE,
        Severity.MEDIUM,
        desk.snapshot.target("Pod", pod),
        f"{pod.metadata.name} runs but has not been ready for {minutes} minutes, while {counted(siblings, 'sibling')} answer",
        f"{workload.name} has one replica less than it pays for, and a stuck pod does not mend itself.",
        seen(desk, "Pod", pod, "status.conditions[Ready]", f"{condition.status} for {minutes} min: {condition.reason}"),
        seen(desk, workload.kind, workload.item, "status.readyReplicas", f"{workload.item.status.ready_replicas} of {workload.replicas}"),
    )
