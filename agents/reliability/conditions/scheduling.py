"""Pods that no node takes, by the reason that the scheduler itself counts. Called by the table of this agent.

Source of the reasons' wording: the framework plug-ins of kube-scheduler (pkg/scheduler/framework/plugins), joined into the message of the
condition PodScheduled as `0/6 nodes are available: 4 Insufficient cpu, 2 node(s) had untolerated taint {...}.`
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from agents.desk import Desk
from agents.reliability.conditions.signs import Sign, check, on_pod, unwell
from agents.reporting import seen, told
from agents.workloads import age
from core.cluster.objects import Condition, Pod
from core.cluster.placing import GPUS
from core.domain.finding import Severity

PATIENCE = timedelta(minutes=2)
_KINDS = ("Namespace", "Node", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob")
_COUNTED = re.compile(r"(?P<count>\d+) (?P<why>Insufficient [^\s,.]+|Too many pods|node\(s\) [^,.{]+)")


class Cause(NamedTuple):
    """One sort of reason. `strength` orders them: what no other node could mend counts before what time may mend."""

    name: str
    shape: re.Pattern[str]
    strength: int


_CAUSES = (
    Cause(
        "volume",
        re.compile(
            r"persistentvolumeclaim|volume node affinity|PersistentVolume's node affinity|available persistent volumes|max volume count",
            re.IGNORECASE,
        ),
        5,
    ),
    Cause("placement", re.compile(r"didn't match Pod's node affinity/selector|didn't match the requested node name", re.IGNORECASE), 4),
    Cause("spread", re.compile(r"anti-affinity|pod affinity rules|topology spread|free ports", re.IGNORECASE), 3),
    Cause("taint", re.compile(r"untolerated taint|were unschedulable", re.IGNORECASE), 2),
    Cause("room", re.compile(r"Insufficient |Too many pods", re.IGNORECASE), 1),
)


def cause_of(message: str, meant: bool | None = None) -> str:
    """The sort of reason that keeps the pod out; empty for a message of no known form.

    The scheduler asks in an order, and counts each node by what stopped it first: taints, then selector and affinity, then room, volumes
    and spread. So room counts where it keeps out any node at all, and volumes and spread before what the other nodes were never meant for.
    `meant`: whether some node is one that the pod selects; then a taint or a cordon is what is wrong with it. None where it selects none.
    """
    if "persistentvolumeclaim" in message.lower():
        return "volume"  # said of the pod, not of nodes: without a count
    counts: dict[str, int] = {}
    for found in _COUNTED.finditer(message):
        cause = next((item for item in _CAUSES if item.shape.search(found["why"])), None)
        if cause is not None:
            counts[cause.name] = counts.get(cause.name, 0) + int(found["count"])
    if counts.get("room"):
        return "room"
    if late := {name: count for name, count in counts.items() if name in ("volume", "spread")}:
        counts = late
    elif meant is not None and len(counts) > 1:
        return "taint" if meant else "placement"
    strength = {item.name: item.strength for item in _CAUSES}
    return max(counts, key=lambda name: (counts[name], strength[name]), default="")


def _because(name: str, what: str, matters: str) -> Callable[[Desk], Iterator[Sign]]:
    def look(desk: Desk) -> Iterator[Sign]:
        for pod in unwell(desk):
            condition = _unschedulable(desk, pod)
            if condition is not None and cause_of(condition.message, _meant(desk, pod)) == name:
                yield _sign(desk, pod, condition, what, matters)

    return look


def _meant(desk: Desk, pod: Pod) -> bool | None:
    required = ((pod.spec.affinity or {}).get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = [term for term in required.get("nodeSelectorTerms") or () if isinstance(term, dict)]
    if not terms and not pod.spec.node_selector:
        return None
    every = (node.metadata.labels for node in desk.snapshot.nodes)
    return any(pod.spec.node_selector.items() <= labels.items() and _named(terms, labels) for labels in every)


def _named(terms: list[dict[str, Any]], labels: Mapping[str, str]) -> bool:
    """One of the terms, and of it each expression. What cannot be weighed here counts as fulfilled."""
    return not terms or any(all(_holds(one, labels) for one in term.get("matchExpressions") or ()) for term in terms)


def _holds(expression: Any, labels: Mapping[str, str]) -> bool:
    if not isinstance(expression, dict):
        return True
    value, values = labels.get(str(expression.get("key"))), expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return True


def _unschedulable(desk: Desk, pod: Pod) -> Condition | None:
    """Waiting for GPUs in a Job is the business of the scaling agent: SCA-103 sees the whole gang."""
    home = desk.snapshot.workload_of(pod)
    if age(pod.metadata, desk.now) < PATIENCE or (home is not None and home[0] in ("Job", "CronJob") and _wants_gpus(pod)):
        return None
    return next(
        (
            item
            for item in pod.status.conditions
            if item.type == "PodScheduled" and item.status == "False" and item.reason == "Unschedulable"
        ),
        None,
    )


def _wants_gpus(pod: Pod) -> bool:
    return any(
        name in container.resources.limits or name in container.resources.requests for container in pod.spec.containers for name in GPUS
    )


def _sign(desk: Desk, pod: Pod, condition: Condition, what: str, matters: str) -> Sign:
    path = "status.conditions[PodScheduled]"
    return on_pod(
        desk,
        pod,
        what,
        matters,
        seen(desk, "Pod", pod, f"{path}.reason", condition.reason),
        told(desk, "Pod", pod, f"{path}.message", condition.message),
    )


_SILENT = "in the first 2 minutes of a pod, and for Jobs that wait for GPUs (SCA-103)"

CHECKS = (
    check(
        "REL-125",
        "no node has room",
        Severity.HIGH,
        _KINDS,
        _because(
            "room", "waits for a node: none that it may use has room for its requests", "The replica is missing until something goes."
        ),
        looks="Pods that the scheduler calls unschedulable, where nodes are short of CPU, memory, pods or an extended resource.",
        silent=_SILENT,
        mend="Ask for less where usage allows it, add nodes, or give room by priority.",
    ),
    check(
        "REL-126",
        "no node matches selector or affinity",
        Severity.HIGH,
        _KINDS,
        _because("placement", "waits for a node that does not exist: none matches its node selector or affinity", "It waits for ever."),
        looks="Unschedulable pods that no node matches by node selector, node affinity or name.",
        silent=_SILENT,
        mend="Correct the selector, or label the nodes that were meant.",
    ),
    check(
        "REL-127",
        "no node whose taints are tolerated",
        Severity.HIGH,
        _KINDS,
        _because("taint", "waits for a node: all are cordoned or have taints that it does not tolerate", "It waits until a taint goes."),
        looks="Unschedulable pods that the nodes they are meant for keep out by a taint or a cordon, and none for lack of room.",
        silent=_SILENT,
        mend="Uncordon what is well again, or add the toleration where the pod is meant for those nodes.",
    ),
    check(
        "REL-128",
        "no node that affinity or spread rules allow",
        Severity.MEDIUM,
        _KINDS,
        _because("spread", "waits for a node: its affinity, spread or host port rules leave none", "More replicas than places."),
        looks="Unschedulable pods that most nodes keep out by pod affinity, anti-affinity, topology spread or a taken host port.",
        silent=_SILENT,
        mend="Prefer instead of require, allow more skew, or run no more replicas than there are places.",
    ),
    check(
        "REL-129",
        "no node that its volume allows",
        Severity.HIGH,
        _KINDS,
        _because(
            "volume", "waits for a node: its volume is not bound, is not there, or is in another zone", "It cannot run anywhere else."
        ),
        looks="Unschedulable pods that wait for a claim, or whose volume is tied to nodes that have no room.",
        silent=_SILENT,
        mend="See the claim (REL-149): a class that does not exist, a provisioner that does not answer, a zone without nodes.",
    ),
)
