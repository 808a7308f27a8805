"""One look at a cluster: slim objects by kind, with the indexes that detectors walk. Built by `tools`, by `--from FILE`, and by tests.

Indexes are made on first use, because most scans need few of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, cast

from core.cluster.kinds import REPORTER
from core.cluster.objects import Autoscaler, Event, Meta, Node, OwnerReference, Pod
from core.cluster.observed import OBSERVED
from core.domain.target import Target


@dataclass(frozen=True, eq=False, repr=False)
class Snapshot:
    """`unread` maps a kind to the reason why it could not be read; `poisoned` names objects that could not be decoded, with the reason."""

    cluster: str
    taken_at: datetime
    objects: Mapping[str, tuple[Any, ...]]
    unread: Mapping[str, str] = field(default_factory=dict)
    poisoned: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        """Counts only: asyncio and loggers call this unasked, and ten thousand pods as text take seconds and hundreds of MiB."""
        held = ", ".join(f"{len(items)} {kind}" for kind, items in self.objects.items())
        return f"<Snapshot of {self.cluster} at {self.taken_at.isoformat()}: {held or 'nothing'}>"

    @property
    def pods(self) -> tuple[Pod, ...]:
        return self.of("Pod")

    @property
    def nodes(self) -> tuple[Node, ...]:
        return self.of("Node")

    def of(self, kind: str) -> tuple[Any, ...]:
        """All objects of a kind; empty where none were read (see `unread`)."""
        return self.objects.get(kind, ())

    def find(self, kind: str, namespace: str, name: str) -> Any | None:
        return self._by_name.get((kind, namespace, name))

    def target(self, kind: str, item: Any) -> Target:
        """The pinned reference of an object of this snapshot."""
        meta = cast("Meta", item.metadata)
        return Target(
            cluster=self.cluster,
            group=OBSERVED[kind].group,
            kind=kind,
            namespace=meta.namespace,
            name=meta.name,
            uid=meta.uid or f"no-uid-{kind}-{meta.namespace}-{meta.name}"[:64],
        )

    def workload_of(self, pod: Pod) -> tuple[str, Any] | None:
        """The object that people know the pod by: (kind, object) of the last owner on the way up that was read; None for a bare pod."""
        owner = controller(pod.metadata)
        above = self._way_up(owner.uid) if owner is not None else ()
        return next((item for uid in reversed(above) if (item := self._by_uid.get(uid)) is not None), None)

    def pods_of(self, uid: str) -> tuple[Pod, ...]:
        """The pods under a workload, through ReplicaSets and Jobs."""
        return tuple(self._pods_by_root.get(uid, ()))

    def owned(self, uid: str, kind: str) -> tuple[Any, ...]:
        """Objects of a kind whose controller is this uid: the ReplicaSets of a Deployment."""
        return tuple(item for item in self.of(kind) if (owner := controller(item.metadata)) is not None and owner.uid == uid)

    def events_of(self, uid: str) -> tuple[Event, ...]:
        """What others reported of this object. Our own notifier's reports are evidence of nothing."""
        return tuple(self._events_by_uid.get(uid, ()))

    def autoscaler_of(self, kind: str, namespace: str, name: str) -> Autoscaler | None:
        return self._autoscalers.get((kind, namespace, name))

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, str], Any]:
        return {(kind, item.metadata.namespace, item.metadata.name): item for kind, items in self.objects.items() for item in items}

    @cached_property
    def _by_uid(self) -> dict[str, tuple[str, Any]]:
        return {item.metadata.uid: (kind, item) for kind, items in self.objects.items() if kind not in ("Pod", "Event") for item in items}

    @cached_property
    def _pods_by_root(self) -> dict[str, list[Pod]]:
        found: dict[str, list[Pod]] = defaultdict(list)
        for pod in self.pods:
            owner = controller(pod.metadata)
            for uid in self._way_up(owner.uid) if owner is not None else ():
                found[uid].append(pod)
        return found

    def _way_up(self, uid: str) -> tuple[str, ...]:
        """This owner and its owners, nearest first; only the last may be unread. Found once for all that it owns."""
        known = self._ways_up
        if uid not in known:
            way: dict[str, None] = {}
            owner = uid
            while owner and owner not in way:  # owners in a circle: nobody stops an object from claiming that
                way[owner] = None
                item = self._by_uid.get(owner)
                above = controller(item[1].metadata) if item else None
                owner = above.uid if above else ""
            known[uid] = tuple(way)
        return known[uid]

    @cached_property
    def _ways_up(self) -> dict[str, tuple[str, ...]]:
        return {}

    @cached_property
    def _events_by_uid(self) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = defaultdict(list)
        for event in cast("Iterable[Event]", self.of("Event")):
            if event.reporting_component != REPORTER:
                found[event.involved_object.uid].append(event)
        return found

    @cached_property
    def _autoscalers(self) -> dict[tuple[str, str, str], Autoscaler]:
        return {
            (item.spec.scale_target_ref.kind, item.metadata.namespace, item.spec.scale_target_ref.name): item
            for item in cast("Iterable[Autoscaler]", self.of("HorizontalPodAutoscaler"))
        }


def controller(meta: Meta) -> OwnerReference | None:
    """The one owner that manages it."""
    for owner in meta.owner_references:  # a plain loop: asked of every pod, and a generator costs twice as much
        if owner.controller:
            return owner
    return None
