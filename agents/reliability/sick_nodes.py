"""REL-104: nodes that fail or flap and still take new pods. Called by the table of this agent."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from agents.desk import Desk
from agents.reporting import found, seen
from core.cluster.objects import Condition, Event, Node
from core.domain.evidence import Evidence, observe
from core.domain.finding import Finding, Severity

CODE = "REL-104"
CORDONED = "node.kubernetes.io/unschedulable"
"""The taint that the node controller sets on a closed node."""
PATIENCE_NOT_READY = timedelta(minutes=2)
PATIENCE_PRESSURE = timedelta(minutes=5)
FLAPS = 3
FLAP_WINDOW = timedelta(hours=1)
BAD_WHEN_TRUE = frozenset(
    (
        "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable", "KernelDeadlock", "ReadonlyFilesystem", "KubeletUnhealthy",
        "FrequentKubeletRestart", "FrequentContainerdRestart", "ContainerRuntimeUnhealthy", "CorruptDockerOverlay2",
    )
)  # fmt: skip
"""Conditions of kubelets and of the node problem detector."""


class Illness(NamedTuple):
    what: str
    evidence: Evidence


def detect(desk: Desk) -> Iterator[Finding]:
    for node in sorted(desk.snapshot.nodes, key=lambda node: node.metadata.name):
        illness = illness_of(desk, node)
        if illness is not None and not node.spec.unschedulable:
            yield _finding(desk, node, illness)


def illness_of(desk: Desk, node: Node) -> Illness | None:
    """The first thing that is wrong with a node, or None."""
    for condition in node.status.conditions:
        what = _bad(desk, condition)
        if what:
            value = f"{condition.status}: {condition.reason}"
            return Illness(what, seen(desk, "Node", node, f"status.conditions[{condition.type}]", value))
    return _flapping(desk, node)


def _bad(desk: Desk, condition: Condition) -> str:
    since = desk.now - condition.last_transition_time if condition.last_transition_time else timedelta.max
    shown = f"for {int(since.total_seconds() // 60)} minutes" if condition.last_transition_time else "for an unknown time"
    if condition.type == "Ready" and condition.status != "True" and since >= PATIENCE_NOT_READY:
        return f"has not been ready {shown}"
    if condition.type in BAD_WHEN_TRUE and condition.status == "True" and since >= PATIENCE_PRESSURE:
        return f"reports {condition.type} {shown}"
    return ""


def _flapping(desk: Desk, node: Node) -> Illness | None:
    """Three or more times not ready within an hour, by the node controller's own events."""
    events: tuple[Event, ...] = desk.snapshot.events_of(node.metadata.uid) or desk.snapshot.events_of(node.metadata.name)
    recent = [event for event in events if event.reason == "NodeNotReady" and _when(desk, event) <= FLAP_WINDOW]
    times = sum(max(1, event.count) for event in recent)
    if times < FLAPS:
        return None
    evidence = observe("event", desk.snapshot.target("Node", node), "events reason=NodeNotReady", f"{times} times within an hour", desk.now)
    return Illness(f"went not ready {times} times within an hour", evidence)


def _when(desk: Desk, event: Event) -> timedelta:
    at = event.last_timestamp or event.event_time
    return desk.now - at if at else timedelta.max


def _finding(desk: Desk, node: Node, illness: Illness) -> Finding:
    pods = sum(pod.spec.node_name == node.metadata.name for pod in desk.snapshot.pods)
    return found(
        desk,
        CODE,
        Severity.HIGH,
        desk.snapshot.target("Node", node),
        f"node {node.metadata.name} {illness.what} and still takes new pods",
        f"{pods} pods stand on it; each new one that lands there fails like the node does.",
        illness.evidence,
        seen(desk, "Node", node, "spec.unschedulable", "false"),
    )
