"""What pods hold and nodes have left, and which nodes could go. Used by finops for savings that can be realised, and by the judge's facts.

A request that nobody packs tighter saves nothing: only a node that goes does. So the pods of a node are placed anew on the others, largest
first (first fit decreasing), and the node counts only when all of them fit.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from core.cluster import objects, quantities
from core.cluster.placing import GPUS, PODS_WITHOUT_LIMIT, Amounts, tolerated, total
from core.cluster.snapshot import Snapshot


class Kept(NamedTuple):
    """A node that cannot go, and why."""

    node: str
    reason: str


class Packing(NamedTuple):
    """Nodes that could go, in the order in which they would; and why each other one stays."""

    removable: tuple[str, ...]
    kept: tuple[Kept, ...]


def container_amounts(container: objects.Container) -> Amounts:
    """Requests of one container; a limit stands for a missing request, as the API server defaults it. Raises ValueError for no quantity."""
    requests = {**container.resources.limits, **container.resources.requests}
    return Amounts(
        quantities.cpu_milli(requests.get("cpu", 0)),
        quantities.memory_mib(requests.get("memory", 0)),
        sum(quantities.count(requests.get(name, 0)) for name in GPUS),
    )


def pod_amounts(spec: objects.PodSpec) -> Amounts:
    """What a pod holds on its node: the larger of what runs together and what each init container needs beside the sidecars before it.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
    """
    if not spec.init_containers and len(spec.containers) == 1:
        return container_amounts(spec.containers[0])._replace(pods=1)
    sidecars, peak = Amounts(), Amounts()
    for container in spec.init_containers:
        if container.restart_policy == "Always":
            sidecars = sidecars.plus(container_amounts(container))
            peak = peak.most(sidecars)
        else:
            peak = peak.most(sidecars.plus(container_amounts(container)))
    together = total((sidecars, *map(container_amounts, spec.containers)))
    return together.most(peak)._replace(pods=1)


def holds(pod: objects.Pod) -> bool:
    """Whether a pod takes room on its node: it is bound and has not ended."""
    return bool(pod.spec.node_name) and pod.status.phase not in ("Succeeded", "Failed")


def allocatable(node: objects.Node) -> Amounts:
    has = node.status.allocatable or node.status.capacity
    return Amounts(
        quantities.cpu_milli(has.get("cpu", 0)),
        quantities.memory_mib(has.get("memory", 0)),
        sum(quantities.count(has.get(name, 0)) for name in GPUS),
        quantities.count(has.get("pods", PODS_WITHOUT_LIMIT)),
    )


class Room:
    """Allocatable, held and free by node. `sizes` overrides what pods hold, by pod uid: the cluster as it would be after right-sizing."""

    def __init__(self, snapshot: Snapshot, sizes: Mapping[str, Amounts] | None = None) -> None:
        self._sizes = sizes or {}
        self._pods: dict[str, list[objects.Pod]] = defaultdict(list)
        for pod in snapshot.pods:
            if holds(pod):
                self._pods[pod.spec.node_name].append(pod)
        self.nodes: dict[str, objects.Node] = {node.metadata.name: node for node in snapshot.nodes}

    def amounts(self, pod: objects.Pod) -> Amounts:
        """An odd quantity counts as nothing here: the pod runs, so the node has the room."""
        if (sized := self._sizes.get(pod.metadata.uid)) is not None:
            return sized._replace(pods=1)
        try:
            return pod_amounts(pod.spec)
        except ValueError:
            return Amounts(pods=1)

    def pods(self, node: str) -> tuple[objects.Pod, ...]:
        return tuple(self._pods.get(node, ()))

    def held(self, node: str) -> Amounts:
        return total(map(self.amounts, self._pods.get(node, ())))

    def free(self, node: str) -> Amounts:
        """May be below zero where a node was over-committed by hand."""
        return allocatable(self.nodes[node]).minus(self.held(node))

    def schedulable(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, node in self.nodes.items() if usable(node)))


def usable(node: objects.Node) -> bool:
    """Ready, not cordoned, not on its way out."""
    is_ready = any(condition.type == "Ready" and condition.status == "True" for condition in node.status.conditions)
    return is_ready and not node.spec.unschedulable and node.metadata.deletion_timestamp is None


def free_cpu_milli(snapshot: Snapshot) -> int:
    """CPU that is left on nodes that take pods."""
    room = Room(snapshot)
    return sum(max(0, room.free(name).cpu_milli) for name in room.schedulable())


def gpus_held(pods: Iterable[objects.Pod]) -> int:
    """GPUs of pods that are bound and have not ended."""
    return sum(_gpus(pod.spec) for pod in pods if holds(pod))


def _gpus(spec: objects.PodSpec) -> int:
    try:
        return pod_amounts(spec).gpus
    except ValueError:
        return 0


def repack(snapshot: Snapshot, sizes: Mapping[str, Amounts] | None = None) -> Packing:
    """Which nodes could go, one after the other, the emptiest first, with everything still in place somewhere."""
    room = Room(snapshot, sizes)
    free = {name: room.free(name) for name in room.schedulable()}
    guests: dict[str, list[objects.Pod]] = defaultdict(list)
    removable: list[str] = []
    kept: list[Kept] = []
    for name in sorted(free, key=lambda node: (room.held(node).gpus, room.held(node).cpu_milli, node)):
        moving = [pod for pod in room.pods(name) if not _stays_with_node(pod)] + guests[name]
        reason = _anchored(moving) or ("" if len(free) > 1 else "it is the last node")
        placed = None if reason else _placed(moving, name, free, room)
        if placed is None:
            kept.append(Kept(name, reason or "its pods do not fit on the other nodes"))
            continue
        for pod, onto in placed:
            free[onto] = free[onto].minus(room.amounts(pod))
            guests[onto].append(pod)
        del free[name]
        removable.append(name)
    return Packing(tuple(removable), tuple(kept))


def _stays_with_node(pod: objects.Pod) -> bool:
    """DaemonSet and static pods go with their node."""
    by_node = "kubernetes.io/config.mirror" in pod.metadata.annotations
    return by_node or any(owner.kind == "DaemonSet" for owner in pod.metadata.owner_references)


def _anchored(pods: list[objects.Pod]) -> str:
    """Why one of these pods cannot be moved; empty when all can."""
    for pod in pods:
        if not any(owner.controller for owner in pod.metadata.owner_references):
            return f"pod {pod.metadata.namespace}/{pod.metadata.name} has no controller that would make it again"
        if any(volume.host_path or volume.empty_dir is not None for volume in pod.spec.volumes):
            return f"pod {pod.metadata.namespace}/{pod.metadata.name} keeps data on the node"
        if pod.spec.affinity:
            return f"pod {pod.metadata.namespace}/{pod.metadata.name} has affinity rules that are not weighed here"
    return ""


def _placed(pods: list[objects.Pod], leaving: str, free: Mapping[str, Amounts], room: Room) -> list[tuple[objects.Pod, str]] | None:
    """Each pod with its new node, the largest pod first onto the first node that takes it; None when one finds no place."""
    left = {name: amounts for name, amounts in free.items() if name != leaving}
    order = sorted(pods, key=lambda pod: (*(-amount for amount in room.amounts(pod)[:3]), pod.metadata.namespace, pod.metadata.name))
    placed: list[tuple[objects.Pod, str]] = []
    for pod in order:
        needs = room.amounts(pod)
        onto = next((name for name in sorted(left) if needs.fits(left[name]) and accepts(room.nodes[name], pod.spec)), None)
        if onto is None:
            return None
        left[onto] = left[onto].minus(needs)
        placed.append((pod, onto))
    return placed


def accepts(node: objects.Node, spec: objects.PodSpec) -> bool:
    """Whether node selector and taints let a pod onto a node."""
    if any(node.metadata.labels.get(key) != value for key, value in spec.node_selector.items()):
        return False
    return all(tolerated(spec.tolerations, taint.key, taint.value, taint.effect) for taint in node.spec.taints)
