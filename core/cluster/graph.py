"""Who owns, uses and selects whom: the edges between the objects of one snapshot. Pure, and indexed once.

Edges that leave the snapshot stay visible: a reference says what it names, whether or not that was read.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from core.cluster import objects, selecting
from core.cluster.snapshot import Snapshot, controller

Owned = tuple[str, Any]
"""An object with its kind."""


class Reference(NamedTuple):
    """What a pod names, and where it says so. An optional one may be absent without stopping the pod."""

    kind: str
    namespace: str
    name: str
    field: str
    optional: bool = False


class Graph:
    """The edges of one snapshot. Every answer is in the snapshot's order."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def owners(self, item: Any) -> tuple[Owned, ...]:
        """The controllers on the way up, nearest first: ReplicaSet, then Deployment. A circle ends where it closes."""
        found: list[Owned] = []
        passed = {item.metadata.uid}
        owner = controller(item.metadata)
        while owner is not None and owner.uid not in passed and (up := self._by_uid.get(owner.uid)) is not None:
            passed.add(owner.uid)
            found.append(up)
            owner = controller(up[1].metadata)
        return tuple(found)

    def owned(self, uid: str) -> tuple[Owned, ...]:
        """What a controller made, one level down."""
        return tuple(self._children.get(uid, ()))

    def users(self, kind: str, namespace: str, name: str) -> tuple[objects.Pod, ...]:
        """Pods that name a ConfigMap, Secret, claim, node, service account or priority class."""
        return tuple(self._users.get((kind, namespace, name), ()))

    def missing(self, pod: objects.Pod) -> tuple[Reference, ...]:
        """What a pod needs and the snapshot does not have, of kinds that were read."""
        read, find = self._snapshot.objects, self._snapshot.find
        needed = (item for item in references(pod.spec, pod.metadata.namespace) if not item.optional and item.kind in read)
        return tuple(item for item in needed if find(item.kind, item.namespace, item.name) is None)

    def selected(self, namespace: str, selector: objects.LabelSelector | None) -> tuple[objects.Pod, ...]:
        """Pods of a namespace under a selector."""
        if selector is None:
            return ()
        return tuple(pod for pod in self._candidates(namespace, selector) if selecting.matches(selector, pod.metadata.labels))

    def pods_of_service(self, service: objects.Service) -> tuple[objects.Pod, ...]:
        """A service without a selector has its endpoints written by somebody else: no pods."""
        wanted = service.spec.selector
        return self.selected(service.metadata.namespace, objects.LabelSelector(match_labels=wanted)) if wanted else ()

    def services_of(self, pod: objects.Pod) -> tuple[objects.Service, ...]:
        labels = pod.metadata.labels
        return tuple(
            service
            for service in self._services.get(pod.metadata.namespace, ())
            if service.spec.selector and all(labels.get(key) == value for key, value in service.spec.selector.items())
        )

    def budgets_of(self, pod: objects.Pod) -> tuple[objects.DisruptionBudget, ...]:
        return tuple(
            budget
            for budget in self._budgets.get(pod.metadata.namespace, ())
            if selecting.matches(budget.spec.selector, pod.metadata.labels)
        )

    def scaled_by(self, autoscaler: objects.Autoscaler) -> Any | None:
        """The workload that an autoscaler moves."""
        target = autoscaler.spec.scale_target_ref
        return self._snapshot.find(target.kind, autoscaler.metadata.namespace, target.name)

    def _candidates(self, namespace: str, selector: objects.LabelSelector) -> list[objects.Pod]:
        """The shortest list that one of the exact labels gives; all pods of the namespace where there is none."""
        lists = [self._by_label.get((namespace, key, value), []) for key, value in selector.match_labels.items()]
        return min(lists, key=len) if lists else self._by_namespace.get(namespace, [])

    @cached_property
    def _by_uid(self) -> dict[str, Owned]:
        owning = ((kind, item) for kind, items in self._snapshot.objects.items() if kind != "Event" for item in items)
        return {item.metadata.uid: (kind, item) for kind, item in owning if item.metadata.uid}

    @cached_property
    def _children(self) -> dict[str, list[Owned]]:
        found: dict[str, list[Owned]] = defaultdict(list)
        for kind, items in self._snapshot.objects.items():
            for item in items if kind != "Event" else ():
                if (owner := controller(item.metadata)) is not None:
                    found[owner.uid].append((kind, item))
        return found

    @cached_property
    def _users(self) -> dict[tuple[str, str, str], list[objects.Pod]]:
        found: dict[tuple[str, str, str], list[objects.Pod]] = defaultdict(list)
        for pod in self._snapshot.pods:
            for place in dict.fromkeys((item.kind, item.namespace, item.name) for item in references(pod.spec, pod.metadata.namespace)):
                found[place].append(pod)
        return found

    @cached_property
    def _by_namespace(self) -> dict[str, list[objects.Pod]]:
        return _grouped(self._snapshot.pods)

    @cached_property
    def _by_label(self) -> dict[tuple[str, str, str], list[objects.Pod]]:
        found: dict[tuple[str, str, str], list[objects.Pod]] = defaultdict(list)
        for pod in self._snapshot.pods:
            for key, value in pod.metadata.labels.items():
                found[pod.metadata.namespace, key, value].append(pod)
        return found

    @cached_property
    def _services(self) -> dict[str, list[objects.Service]]:
        return _grouped(self._snapshot.of("Service"))

    @cached_property
    def _budgets(self) -> dict[str, list[objects.DisruptionBudget]]:
        return _grouped(self._snapshot.of("PodDisruptionBudget"))


def references(spec: objects.PodSpec, namespace: str) -> tuple[Reference, ...]:
    """Everything that a pod names, by field. Odd entries name nothing."""
    return tuple(item for item in _references(spec, namespace) if item.name)


def _references(spec: objects.PodSpec, namespace: str) -> Iterator[Reference]:
    yield Reference("Node", "", spec.node_name, "spec.nodeName")
    yield Reference("ServiceAccount", namespace, spec.service_account_name, "spec.serviceAccountName")
    for container in (*spec.containers, *spec.init_containers):
        yield from _of_container(container, namespace)
    for volume in spec.volumes:
        yield from _of_volume(volume, namespace)


def _of_container(container: objects.Container, namespace: str) -> Iterator[Reference]:
    place = f"containers[{container.name}]"
    for variable in container.env:
        if variable.value_from is not None:
            yield _reference("ConfigMap", namespace, variable.value_from.config_map_key_ref, f"{place}.env[{variable.name}]")
            yield _reference("Secret", namespace, variable.value_from.secret_key_ref, f"{place}.env[{variable.name}]")
    for source in container.env_from:
        yield _reference("ConfigMap", namespace, source.config_map_ref, f"{place}.envFrom")
        yield _reference("Secret", namespace, source.secret_ref, f"{place}.envFrom")


def _of_volume(volume: objects.Volume, namespace: str) -> Iterator[Reference]:
    place = f"volumes[{volume.name}]"
    yield _reference("ConfigMap", namespace, volume.config_map, place)
    yield _reference("Secret", namespace, volume.secret, place, name="secretName")
    yield _reference("PersistentVolumeClaim", namespace, volume.persistent_volume_claim, place, name="claimName")
    sources = (volume.projected or {}).get("sources")
    for source in sources if isinstance(sources, list) else ():
        if isinstance(source, dict):
            yield _reference("ConfigMap", namespace, source.get("configMap"), place)
            yield _reference("Secret", namespace, source.get("secret"), place)


def _reference(kind: str, namespace: str, source: object, field: str, *, name: str = "name") -> Reference:
    named = source.get(name) if isinstance(source, dict) else None
    optional = isinstance(source, dict) and source.get("optional") is True
    return Reference(kind, namespace, named if isinstance(named, str) else "", field, optional)


def _grouped(items: tuple[Any, ...]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for item in items:
        found[item.metadata.namespace].append(item)
    return found
