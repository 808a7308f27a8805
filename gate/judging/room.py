"""Would every pod find a node? Placed in a bad order that a scheduler may meet them in: the smallest first, each where most CPU is free.

Weighed are requests with init containers and sidecars, GPUs, pods a node, cordons, taints, node selectors and required node affinity;
affinity between pods and spread are not.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from core.cluster import quantities
from core.cluster.placing import PODS_WITHOUT_LIMIT, Amounts, tolerated, total
from core.domain.values import Json, at_path
from gate import workloads
from gate.judging import amounts

RESERVE_PERCENT = 10
"""Of each other node, where one is closed: autoscalers and rollouts want room too before it is back."""
_TERMS = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"


class Room:
    """What nodes that take pods have left beside these."""

    def __init__(self, nodes: Iterable[Json], pods: Iterable[Json]) -> None:
        self._on: dict[str, list[Json]] = defaultdict(list)
        for pod in pods:
            self._on[str(at_path(pod, "spec.nodeName"))].append(pod)
        self._nodes = {_name(node): node for node in nodes if workloads.ready(node) and not at_path(node, "spec.unschedulable")}
        self._held = {name: total(map(amounts.size, self._on[name])) for name in self._nodes}

    def homeless(self, coming: Iterable[Json], but: Sequence[str] = (), reserve_percent: int = 0) -> int:
        """How many of the coming pods find no place, on all nodes but these, each of which keeps a reserve."""
        usable = {name: _allocatable(node, 100 - reserve_percent) for name, node in self._nodes.items() if name not in but}
        free = {name: has.minus(self._held[name]) for name, has in usable.items()}
        lost = 0
        for pod in sorted(coming, key=amounts.size):
            needs, order = amounts.size(pod), sorted(free, key=free.__getitem__, reverse=True)
            onto = next((name for name in order if needs.fits(free[name]) and accepts(self._nodes[name], pod)), None)
            if onto is None:
                lost += 1
            else:
                free[onto] = free[onto].minus(needs)
        return lost

    def without(self, name: str) -> int:
        """Pods that have no place once a node is closed: its own when they start anew, or those of one more node that is lost, as far as
        the closed one would have taken them. Of the others the fullest of each sort are tried, by each amount, and the fullest with pods
        that are particular about nodes and would be taken here."""
        others = [each for each in self._nodes if each != name]
        bound = [each for each in others if any(_particular(pod) and accepts(self._nodes.get(name, {}), pod) for pod in self._on[each])]
        sorts: dict[Any, list[str]] = defaultdict(list)
        for each in others:
            sorts[_allocatable(self._nodes[each], 100), str(at_path(self._nodes[each], "spec.taints"))].append(each)
        groups = [group for group in (*sorts.values(), bound) if group]
        fullest = {max(group, key=lambda each: self._held[each][field]) for group in groups for field in range(4)}
        worse = [self._left(each, (name, each)) - self._left(each, (each,)) for each in fullest]
        return max(self._left(name, (name,)), *worse, 0)

    def _left(self, name: str, but: Sequence[str]) -> int:
        return self.homeless(self._moving(name), but, RESERVE_PERCENT)

    def _moving(self, name: str) -> list[Json]:
        """Pods of a node that somebody makes anew elsewhere: a DaemonSet's go with their node."""
        owners = [(pod, {item.get("kind") for item in at_path(pod, "metadata.ownerReferences") or ()}) for pod in self._on[name]]
        return [pod for pod, kinds in owners if kinds and not kinds & {"DaemonSet", "Node"}]


def _particular(pod: Json) -> bool:
    return bool(at_path(pod, "spec.nodeSelector") or at_path(pod, _TERMS))


def accepts(node: Json, pod: Json) -> bool:
    """Selector, required affinity and tolerations let the pod onto the node."""
    spec, labels, terms = pod.get("spec") or {}, workloads.labels(node), at_path(pod, _TERMS)
    taints = [(str(each.get("key")), str(each.get("value") or ""), str(each.get("effect"))) for each in at_path(node, "spec.taints") or ()]
    return (
        (spec.get("nodeSelector") or {}).items() <= labels.items()
        and (terms is None or any(workloads.matches({"matchExpressions": each.get("matchExpressions")}, labels) for each in terms))
        and all(tolerated(spec.get("tolerations") or (), *taint) for taint in taints)
    )


def pinned(pod: Json, node: str) -> Json:
    """The pod, if it may only run there, as a DaemonSet's."""
    return {**pod, "spec": {**(pod.get("spec") or {}), "nodeSelector": {"kubernetes.io/hostname": node}}}


def _name(node: Json) -> str:
    return str(at_path(node, "metadata.name"))


def _allocatable(node: Json, percent: int) -> Amounts:
    has: dict[str, Any] = at_path(node, "status.allocatable") or {}
    cpu, memory, gpus, _ = amounts.asks({"resources": {"requests": has}})
    return Amounts(cpu * percent // 100, memory * percent // 100, gpus, quantities.count(has.get("pods", PODS_WITHOUT_LIMIT)))
