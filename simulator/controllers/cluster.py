"""What a controller is handed: the store, the time, the world and the load, with cached read-only views and quiet writes.

The views follow the store's changes instead of being read anew, because a quiet cluster must cost nothing. Events, leases and HPA
measurements are written quietly: no controller reacts to them, so they start no pass.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from operator import is_
from typing import Any, Protocol

from simulator.errors import ApiError
from simulator.resources import Resource, resource
from simulator.store import Change, Store, grace_of
from simulator.worlds.world import World

Json = dict[str, Any]
Reconcile = Callable[["Cluster"], datetime | None]

PODS = resource("", "pods")
NODES = resource("", "nodes")
NAMESPACES = resource("", "namespaces")
EVENTS = resource("", "events")
SERVICES = resource("", "services")
ENDPOINTS = resource("", "endpoints")
CONFIG_MAPS = resource("", "configmaps")
SERVICE_ACCOUNTS = resource("", "serviceaccounts")
QUOTAS = resource("", "resourcequotas")
SLICES = resource("discovery.k8s.io", "endpointslices")
DEPLOYMENTS = resource("apps", "deployments")
REPLICA_SETS = resource("apps", "replicasets")
STATEFUL_SETS = resource("apps", "statefulsets")
DAEMON_SETS = resource("apps", "daemonsets")
REVISIONS = resource("apps", "controllerrevisions")
JOBS = resource("batch", "jobs")
CRON_JOBS = resource("batch", "cronjobs")
HPAS = resource("autoscaling", "horizontalpodautoscalers")
PDBS = resource("policy", "poddisruptionbudgets")
CLAIMS = resource("", "persistentvolumeclaims")
VOLUME_ATTACHMENTS = resource("storage.k8s.io", "volumeattachments")
LEASES = resource("coordination.k8s.io", "leases")

MANAGER = "kube-controller-manager"
PREFIX = "simulator.day2.dev/"
"""Prefix of the annotations by which a test or a world tells a pod or node how to behave."""


POISON = (ApiError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a malformed object makes a controller raise. The API server's validation is smaller than the real one's, so some get in."""


class Load(Protocol):
    """What the controllers need to know of the load model."""

    def cpu_milli(self, pod: Json, at: datetime) -> float:
        """CPU that a running pod uses, averaged over the last minute."""

    def memory_mib(self, pod: Json, at: datetime) -> float:
        """Working set of a running pod."""


class Cluster:
    """One simulated cluster as its controllers see it. `now` is set before each pass."""

    def __init__(self, store: Store, world: World, load: Load) -> None:
        self.store = store
        self.world = world
        self.load = load
        self.now = store.clock.now()
        self.memo: dict[str, Any] = {}
        self.events_from = world.start - timedelta(hours=1)
        self.poisoned: dict[str, str] = {}
        self._quiet = 0
        self._views: dict[tuple[str, str], tuple[int, list[Json]]] = {}
        self._owned: dict[tuple[str, str], _Owned] = {}
        self._labelled = _Labelled([])
        self._inputs: dict[str, dict[str, tuple[object, ...]]] = {}

    # -- reading ------------------------------------------------------------------------------------------------------

    def loud(self) -> int:
        """Moves with each write that a controller could react to."""
        return self.store.version() - self._quiet

    def all(self, row: Resource) -> list[Json]:
        """All objects of a resource by namespace and name: views, never to be written to."""
        kept = self._views.get(row.key)
        if kept is None or self._changes(row, kept[0]) != []:
            kept = self._views[row.key] = (self.store.version(), self.store.list(row))
        return kept[1]

    def owned(self, row: Resource, uid: str) -> list[Json]:
        """Objects of a resource whose controller is `uid`, by name."""
        index = self._owned.get(row.key)
        changes = None if index is None else self._changes(row, index.version)
        if index is None or changes is None:
            index = self._owned[row.key] = _Owned(self.store.version(), self.store.list(row))
        elif changes:
            index.follow(self.store.version(), changes)
        return index.of(uid)

    def pods_with(self, namespace: str, labels: Mapping[str, str]) -> list[Json]:
        """Pods of a namespace that have all of these labels, by name."""
        every = self.all(PODS)
        if self._labelled.every is not every:
            self._labelled = _Labelled(every)
        return self._labelled.of(namespace, labels)

    def is_known(self, what: str, obj: Json, *inputs: object) -> bool:
        """Whether `what` was worked out from just this object and these stored ones the last time. Stored objects are never changed in
        place, so that the same ones say the same."""
        kept, now = self._inputs.setdefault(obj["metadata"]["uid"], {}), (obj, *inputs)
        before = kept.get(what, ())
        if len(before) == len(now) and all(map(is_, before, now)):
            return True
        kept[what] = now
        return False

    def forget(self, obj: Json) -> None:
        """Whatever was worked out from it is worked out again, though nothing changed."""
        self._inputs.pop(obj["metadata"].get("uid", ""), None)

    def _changes(self, row: Resource, since: int) -> list[Change] | None:
        """What was written since a version; None when the store does not remember."""
        try:
            return self.store.watch(row, since)
        except ApiError:
            return None

    def after(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)

    def each(self, objects: Iterable[Json], one: Callable[["Cluster", Json], datetime | None]) -> datetime | None:
        """`one` for each object, and the earliest of their dues. An object that is malformed is left alone; the rest goes on."""
        due = None
        for obj in objects:
            try:
                due = earliest(due, one(self, obj))
            except POISON as error:
                self.forget(obj)
                self.poisoned[obj["metadata"].get("uid", "")] = f"{obj.get('kind')} {obj['metadata'].get('name')}: {error!r}"[:300]
        return due

    # -- writing ------------------------------------------------------------------------------------------------------

    def create(self, row: Resource, obj: Json, *, manager: str = MANAGER) -> Json:
        return self.store.create(row, obj, manager=manager)

    def update(self, row: Resource, obj: Json, *, manager: str = MANAGER, subresource: str = "") -> None:
        self.store.update(row, obj, manager=manager, subresource=subresource)

    def set_status(self, row: Resource, obj: Json, status: Json, *, manager: str = MANAGER) -> None:
        """Write a status when it differs from what is stored."""
        if obj.get("status") != status:
            self.store.update(row, {**obj, "status": status}, subresource="status", manager=manager)

    def quietly(self, write: Callable[[], object]) -> None:
        """Do a write to which no controller reacts."""
        before = self.store.version()
        write()
        self._quiet += self.store.version() - before

    def delete_pod(self, pod: Json, *, seconds: int | None = None) -> None:
        """Ask a pod to go; its kubelet ends it after the grace period."""
        meta = pod["metadata"]
        if "deletionTimestamp" in meta:
            return
        grace = grace_of(PODS, pod) if seconds is None else seconds
        self.store.delete(PODS, meta["namespace"], meta["name"], uid=meta["uid"], grace_seconds=grace)


class _Labelled:
    """Pods by namespace and label, of one state of all pods."""

    def __init__(self, every: list[Json]) -> None:
        self.every = every
        self._spaces: dict[str, list[Json]] = {}
        self._marked: dict[tuple[str, str, str], list[Json]] = {}
        for pod in every:
            meta = pod["metadata"]
            self._spaces.setdefault(meta["namespace"], []).append(pod)
            for key, value in meta.get("labels", {}).items():
                self._marked.setdefault((meta["namespace"], key, value), []).append(pod)

    def of(self, namespace: str, labels: Mapping[str, str]) -> list[Json]:
        groups = [self._marked.get((namespace, key, value), []) for key, value in labels.items()]
        fewest = min(groups, key=len, default=self._spaces.get(namespace, []))
        return [pod for pod in fewest if labels.items() <= pod["metadata"].get("labels", {}).items()]


class _Owned:
    """Objects of one resource by the uid of their controller, kept up by following the store's changes."""

    def __init__(self, version: int, objects: list[Json]) -> None:
        self.version = version
        self._groups: dict[str, dict[str, Json]] = {}
        self._sorted: dict[str, list[Json]] = {}
        for obj in objects:
            self._put(obj, there=True)

    def of(self, uid: str) -> list[Json]:
        if uid not in self._sorted:
            group = self._groups.get(uid, {})
            self._sorted[uid] = [group[name] for name in sorted(group)]
        return self._sorted[uid]

    def follow(self, version: int, changes: list[Change]) -> None:
        for change in changes:
            if change.previous is not None:
                self._put(change.previous.obj, there=False)
            self._put(change.stored.obj, there=change.type != "DELETED")
        self.version = version

    def _put(self, obj: Json, *, there: bool) -> None:
        for owner in obj["metadata"].get("ownerReferences", ()):
            if not owner.get("controller"):
                continue
            group = self._groups.setdefault(owner["uid"], {})
            if there:
                group[obj["metadata"]["name"]] = obj
            else:
                group.pop(obj["metadata"]["name"], None)
            self._sorted.pop(owner["uid"], None)


def owner_reference(obj: Json) -> Json:
    """The reference by which `obj` controls what it creates."""
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": obj["metadata"]["name"],
        "uid": obj["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def moment(text: str) -> datetime:
    """The time of a Kubernetes timestamp."""
    return datetime.fromisoformat(text).astimezone(UTC)


def earliest(*dues: datetime | None) -> datetime | None:
    known = [due for due in dues if due is not None]
    return min(known) if known else None
