"""The catalogue's actions out of what a snapshot shows: arguments as seen, the change as a diff. Called by planners.

What an object said when it was read goes into the action's `from` arguments; the gate refuses the write if it says something else by then.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from agents import sizes
from agents.desk import Desk
from agents.proposing import action_id
from agents.workloads import Controlled, Rollout, revision
from core.actions.clear_finalizers import ClearFinalizers, protects
from core.actions.containers import Sizes, Sizing
from core.actions.cordon_node import CordonNode
from core.actions.delete_pod import DeletePod
from core.actions.fence_node import FenceNode
from core.actions.label_namespace import LabelNamespace, Level, LevelChange, Mode
from core.actions.raise_quota import QuotaChange, RaiseQuota
from core.actions.resize_pod import ResizePod
from core.actions.restart_rollout import RestartRollout
from core.actions.rollback_rollout import RollbackRollout
from core.actions.scale_workload import ScaleWorkload
from core.actions.set_hpa_bounds import SetHpaBounds
from core.actions.set_requests import SetRequests
from core.actions.set_service import PortChange, SetService
from core.actions.suspend_job import SuspendJob
from core.actions.uncordon_node import UncordonNode
from core.cluster.objects import Autoscaler, Container, Job, Namespace, Node, Pod, PodSpec, Quota, Service
from core.cluster.snapshot import controller
from core.domain.action import Action, Change, Live
from core.domain.finding import Finding
from core.domain.values import Json


class Remedy(NamedTuple):
    action: Action
    changes: tuple[Change, ...]


def scale(desk: Desk, finding: Finding, workload: Controlled, replicas: int) -> Remedy:
    target = desk.snapshot.target(workload.kind, workload.item)
    identity = action_id(desk, finding, "scale_workload", target)
    return _remedy(ScaleWorkload(id=identity, target=target, from_replicas=workload.replicas, to_replicas=replicas), workload.item)


def bound(desk: Desk, finding: Finding, autoscaler: Autoscaler, *, least: int, most: int) -> Remedy:
    target = desk.snapshot.target("HorizontalPodAutoscaler", autoscaler)
    spec = autoscaler.spec
    action = SetHpaBounds(
        id=action_id(desk, finding, "set_hpa_bounds", target),
        target=target,
        from_min=spec.min_replicas,
        from_max=spec.max_replicas,
        to_min=least,
        to_max=most,
    )
    return _remedy(action, autoscaler)


def size(desk: Desk, finding: Finding, workload: Controlled, wanted: Mapping[str, Sizes]) -> Remedy:
    """New sizes in the template, by container."""
    target = desk.snapshot.target(workload.kind, workload.item)
    sizings = sizings_of(workload.item.spec.template.spec, wanted)
    return _remedy(SetRequests(id=action_id(desk, finding, "set_requests", target), target=target, sizings=sizings), workload.item)


def resize(desk: Desk, finding: Finding, pod: Pod, wanted: Mapping[str, Sizes]) -> Remedy:
    """New sizes of one running pod, by container."""
    target = desk.snapshot.target("Pod", pod)
    return _remedy(ResizePod(id=action_id(desk, finding, "resize_pod", target), target=target, sizings=sizings_of(pod.spec, wanted)), pod)


def roll_back(desk: Desk, finding: Finding, rollout: Rollout) -> Remedy | None:
    """None where there is no earlier revision to trust, or where the revisions have no numbers."""
    older, item = rollout.previous, rollout.workload.item
    running = revision(item) or revision(rollout.current)
    if older is None or not revision(older) or not running:
        return None
    target = desk.snapshot.target("Deployment", item)
    action = RollbackRollout(
        id=action_id(desk, finding, "rollback_rollout", target),
        target=target,
        from_revision=running,
        to_revision=revision(older),
        replica_set=older.metadata.name,
        replica_set_uid=older.metadata.uid,
    )
    return _remedy(action, item, {older.metadata.name: as_json(older)})


def restart(desk: Desk, finding: Finding, workload: Controlled) -> Remedy:
    target = desk.snapshot.target(workload.kind, workload.item)
    return _remedy(RestartRollout(id=action_id(desk, finding, "restart_rollout", target), target=target), workload.item)


def delete(desk: Desk, finding: Finding, pod: Pod) -> Remedy:
    target = desk.snapshot.target("Pod", pod)
    owner = controller(pod.metadata)
    named = f"{owner.kind}/{owner.name}" if owner is not None else ""
    return _remedy(DeletePod(id=action_id(desk, finding, "delete_pod", target), target=target, from_owner=named), pod)


def cordon(desk: Desk, finding: Finding, node: Node) -> Remedy:
    target = desk.snapshot.target("Node", node)
    return _remedy(CordonNode(id=action_id(desk, finding, "cordon_node", target), target=target), node)


def uncordon(desk: Desk, finding: Finding, node: Node) -> Remedy:
    target = desk.snapshot.target("Node", node)
    return _remedy(UncordonNode(id=action_id(desk, finding, "uncordon_node", target), target=target), node)


def unfence(desk: Desk, finding: Finding, node: Node) -> Remedy:
    target = desk.snapshot.target("Node", node)
    return _remedy(FenceNode(id=action_id(desk, finding, "fence_node", target), target=target, lift=True), node)


def point(desk: Desk, finding: Finding, service: Service, selector: Mapping[str, str], targets: Mapping[int, int | str]) -> Remedy:
    """The Service at other labels, its ports (by number) at other targets."""
    target = desk.snapshot.target("Service", service)
    ports = tuple(
        PortChange(
            port=port["port"],
            protocol=port.get("protocol", "TCP"),
            from_target=port.get("targetPort", port["port"]),
            to_target=targets[port["port"]],
        )
        for port in service.spec.ports
        if port.get("port") in targets
    )
    action = SetService(
        id=action_id(desk, finding, "set_service", target),
        target=target,
        from_selector=service.spec.selector,
        to_selector=dict(selector),
        ports=ports,
    )
    return _remedy(action, service)


def allow(desk: Desk, finding: Finding, quota: Quota, amounts: Mapping[str, str]) -> Remedy:
    """A quota with higher amounts, by resource."""
    target = desk.snapshot.target("ResourceQuota", quota)
    moved = tuple(QuotaChange(resource=name, from_hard=str(quota.spec.hard[name]), to_hard=to) for name, to in sorted(amounts.items()))
    return _remedy(RaiseQuota(id=action_id(desk, finding, "raise_quota", target), target=target, amounts=moved), quota)


def let_go(desk: Desk, finding: Finding, kind: str, item: Any) -> Remedy | None:
    """Without the finalizers that are not Kubernetes' own. None where there are none."""
    target, held = desk.snapshot.target(kind, item), item.metadata.finalizers
    foreign = tuple(name for name in held if not protects(name))
    if not foreign:
        return None
    identity = action_id(desk, finding, "clear_finalizers", target)
    return _remedy(ClearFinalizers(id=identity, target=target, from_finalizers=held, finalizers=foreign), item)


def suspend(desk: Desk, finding: Finding, job: Job) -> Remedy:
    target = desk.snapshot.target("Job", job)
    identity = action_id(desk, finding, "suspend_job", target)
    return _remedy(SuspendJob(id=identity, target=target, from_parallelism=job.spec.parallelism), job)


def label(desk: Desk, finding: Finding, namespace: Namespace, levels: Mapping[Mode, Level]) -> Remedy | None:
    """Only the modes that change. None where nothing would, or where a label holds what is no level: a person must look at that."""
    target = desk.snapshot.target("Namespace", namespace)
    labels = namespace.metadata.labels
    old: dict[Mode, str | None] = {mode: labels.get(f"pod-security.kubernetes.io/{mode}") for mode in levels}
    if any(level not in (None, "privileged", "baseline", "restricted") for level in old.values()):
        return None
    changes = [{"mode": mode, "from_level": old[mode], "to_level": level} for mode, level in levels.items() if old[mode] != level]
    if not changes:
        return None
    identity = action_id(desk, finding, "label_namespace", target)
    moved = tuple(LevelChange.model_validate(change) for change in changes)
    return _remedy(LabelNamespace(id=identity, target=target, levels=moved), namespace)


def sizings_of(spec: PodSpec, wanted: Mapping[str, Sizes]) -> tuple[Sizing, ...]:
    """What each named container says now, beside what it should say."""
    containers = {container.name: container for container in spec.containers}
    return tuple(Sizing(container=name, from_sizes=sizes_of(containers[name]), to_sizes=to) for name, to in sorted(wanted.items()))


def sizes_of(container: Container) -> Sizes:
    """None where nothing is set, and for text that is no quantity: no plan moves what cannot be read."""
    requests, limits = sizes.read(container.resources.requests), sizes.limited(container)
    return Sizes(
        cpu_milli=requests.cpu_milli or None,
        memory_mib=requests.memory_mib or None,
        cpu_limit_milli=limits.cpu_milli or None,
        memory_limit_mib=limits.memory_mib or None,
    )


def as_json(item: Any) -> Json:
    """The object as the action catalogue reads it, with the fields that we know."""
    plain: Json = msgspec.to_builtins(item)
    return plain


def _remedy(action: Action, item: Any, related: dict[str, Json] | None = None) -> Remedy:
    return Remedy(action, action.changes(Live(as_json(item), related or {})))
