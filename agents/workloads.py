"""Workloads with their pods and their rollouts, in a fixed order. Called by detectors, which all walk the cluster in this way."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from core.cluster.objects import Job, Meta, Pod, PodTemplate, Workload
from core.cluster.snapshot import Snapshot, controller

SYSTEM_NAMESPACES = frozenset(("kube-system", "kube-public", "kube-node-lease", "day2-system", "day2-agents"))
"""Nobody's workloads: the cluster's own and the platform's. Agents look away."""

CONTROLLED = ("Deployment", "StatefulSet", "DaemonSet")
SCALABLE = ("Deployment", "StatefulSet")
REVISION = "deployment.kubernetes.io/revision"
TEMPLATE_HASH = "pod-template-hash"


class Controlled(NamedTuple):
    """A workload of `kind` with its pods, those on their way out left aside."""

    kind: str
    item: Workload
    pods: tuple[Pod, ...]

    @property
    def name(self) -> str:
        return f"{self.item.metadata.namespace}/{self.kind.lower()}/{self.item.metadata.name}"

    @property
    def replicas(self) -> int:
        """Absent means one, as the API server defaults it."""
        return 1 if self.item.spec.replicas is None else self.item.spec.replicas


class Rollout(NamedTuple):
    """The current revision of a Deployment and, where there is one, the one before that proved itself."""

    workload: Controlled
    current: Workload
    previous: Workload | None
    started_at: datetime
    proven_seconds: int

    @property
    def current_pods(self) -> tuple[Pod, ...]:
        uid = self.current.metadata.uid
        return tuple(pod for pod in self.workload.pods if (owner := controller(pod.metadata)) is not None and owner.uid == uid)


PROVEN = timedelta(hours=1)
"""An older revision counts as healthy when it was the current one for this long, or when it serves now."""


SUSPECT = timedelta(hours=24)
"""A rollout that is older than this is not blamed for what breaks now, and nobody is sent back that far without a person."""


def home(snapshot: Snapshot, pod: Pod) -> tuple[str, Any]:
    """The object that people know a pod by, with its kind: the pod itself where nobody owns it."""
    return snapshot.workload_of(pod) or ("Pod", pod)


def changed_at(meta: Meta) -> datetime | None:
    """When somebody last wrote its spec; a status is no change. None where nobody knows."""
    return max((field.time for field in meta.managed_fields if field.time and field.subresource != "status"), default=None)


def controlled(snapshot: Snapshot, kinds: tuple[str, ...] = CONTROLLED) -> Iterator[Controlled]:
    """Workloads outside system namespaces, by kind, namespace and name."""
    found = _index(snapshot)
    return (workload for kind in kinds for workload in found.by_kind.get(kind, ()))


def workload_at(snapshot: Snapshot, uid: str) -> Controlled | None:
    """The workload with this uid."""
    return _index(snapshot).by_uid.get(uid)


class _Index(NamedTuple):
    by_kind: dict[str, tuple[Controlled, ...]]
    by_uid: dict[str, Controlled]
    pods: dict[str, tuple[Pod, ...]]


_INDEX: WeakKeyDictionary[Snapshot, _Index] = WeakKeyDictionary()
"""Every check walks the workloads; they are put in order once for each look at the cluster."""


def _index(snapshot: Snapshot) -> _Index:
    if snapshot not in _INDEX:
        by_kind = {kind: tuple(_workloads(snapshot, kind)) for kind in CONTROLLED}
        pods: dict[str, list[Pod]] = defaultdict(list)
        for pod in snapshot.pods:
            if not leaving(pod):
                pods[pod.metadata.namespace].append(pod)
        by_uid = {workload.item.metadata.uid: workload for found in by_kind.values() for workload in found}
        _INDEX[snapshot] = _Index(by_kind, by_uid, {name: tuple(group) for name, group in pods.items()})
    return _INDEX[snapshot]


def _workloads(snapshot: Snapshot, kind: str) -> Iterator[Controlled]:
    for item in sorted(snapshot.of(kind), key=_place):
        if item.metadata.namespace not in SYSTEM_NAMESPACES and item.metadata.deletion_timestamp is None:
            pods = tuple(sorted((pod for pod in snapshot.pods_of(item.metadata.uid) if not leaving(pod)), key=_place))
            yield Controlled(kind, item, pods)


def pods_in(snapshot: Snapshot, namespace: str) -> tuple[Pod, ...]:
    """The pods of a namespace that have not ended and are not on their way out."""
    return _index(snapshot).pods.get(namespace, ())


def jobs(snapshot: Snapshot) -> Iterator[tuple[Job, tuple[Pod, ...]]]:
    """Jobs that are neither finished nor suspended, with their pods."""
    for job in sorted(snapshot.of("Job"), key=_place):
        if job.metadata.namespace in SYSTEM_NAMESPACES or job.spec.suspend or job.status.completion_time is not None:
            continue
        yield job, tuple(sorted((pod for pod in snapshot.pods_of(job.metadata.uid) if not leaving(pod)), key=_place))


def rollouts(snapshot: Snapshot) -> tuple[Rollout, ...]:
    """Deployments with at least one ReplicaSet."""
    if snapshot not in _ROLLOUTS:
        _ROLLOUTS[snapshot] = {rollout.workload.item.metadata.uid: rollout for rollout in _rollouts(snapshot)}
    return tuple(_ROLLOUTS[snapshot].values())


def _rollouts(snapshot: Snapshot) -> Iterator[Rollout]:
    owned: dict[str, list[Workload]] = defaultdict(list)
    for item in snapshot.of("ReplicaSet"):
        owner = controller(item.metadata)
        if owner is not None and owner.kind == "Deployment":
            owned[owner.uid].append(item)
    for workload in controlled(snapshot, ("Deployment",)):
        revisions = sorted(owned.get(workload.item.metadata.uid, ()), key=_newest_first)
        if revisions:
            yield _rollout(workload, revisions)


def rollout_of(snapshot: Snapshot, uid: str) -> Rollout | None:
    """The rollout of the Deployment with this uid."""
    rollouts(snapshot)
    return _ROLLOUTS[snapshot].get(uid)


_ROLLOUTS: WeakKeyDictionary[Snapshot, dict[str, Rollout]] = WeakKeyDictionary()
"""Every check of rollouts walks them, and planners ask once for each finding; they are put together once for each look at the cluster."""


def _rollout(workload: Controlled, revisions: list[Workload]) -> Rollout:
    current = revisions[0]
    started = current.metadata.creation_timestamp or workload.item.metadata.creation_timestamp
    previous, proven = _proven(revisions)
    return Rollout(workload, current, previous, started or _LONG_AGO, proven)


def _proven(revisions: list[Workload]) -> tuple[Workload | None, int]:
    """The latest older revision that was current for an hour, or that has ready pods now; and for how many seconds it was current."""
    for newer, older in pairwise(revisions):
        began, ended = older.metadata.creation_timestamp, newer.metadata.creation_timestamp
        served = max(ended - began, timedelta()) if began and ended else timedelta()
        if served >= PROVEN or older.status.ready_replicas > 0:
            return older, int(served.total_seconds())
    return None, 0


_LONG_AGO = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def revision(item: Workload) -> int:
    """0 where the annotation is missing or no number."""
    text = item.metadata.annotations.get(REVISION, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def settled(workload: Controlled) -> bool:
    """No rollout is on its way: the controller saw the last change, and every replica is updated and available."""
    status, meta = workload.item.status, workload.item.metadata
    if status.observed_generation < meta.generation:
        return False
    if workload.kind == "DaemonSet":
        return status.number_ready >= status.desired_number_scheduled
    if workload.kind == "StatefulSet":  # updatedReplicas may be absent there once a rollout is complete
        return status.ready_replicas >= workload.replicas
    return status.updated_replicas >= workload.replicas and status.available_replicas >= workload.replicas


def ready(pod: Pod) -> bool:
    return any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions)


def leaving(pod: Pod) -> bool:
    return pod.metadata.deletion_timestamp is not None or pod.status.phase in ("Succeeded", "Failed")


def templates(snapshot: Snapshot, namespace: str) -> Iterator[PodTemplate]:
    """The pod templates of a namespace: what would run after the next restart. Finished Jobs count too: a CronJob makes the same again."""
    for kind in (*CONTROLLED, "Job"):
        for item in snapshot.of(kind):
            if item.metadata.namespace == namespace:
                yield item.spec.template


def age(meta: Meta, now: datetime) -> timedelta:
    """Zero where the object does not say when it was made."""
    return now - meta.creation_timestamp if meta.creation_timestamp else timedelta()


def _place(item: "Pod | Workload | Job") -> tuple[str, str]:
    return item.metadata.namespace, item.metadata.name


def _newest_first(item: Workload) -> tuple[int, float, str]:
    made = item.metadata.creation_timestamp
    return -revision(item), -(made.timestamp() if made else 0.0), item.metadata.name
