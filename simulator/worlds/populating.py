"""Replays a world's past: objects appear at their ages, rollouts happen when they happened, controllers run in between.

So every timestamp, revision, managed field and restart count at the start is what the controllers made of it, not something written down.
The clock begins at the world's epoch and stands at its start afterwards. No tick may be registered yet.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from simulator.clock import VirtualClock, micro_stamp, stamp
from simulator.controllers import cronjobs
from simulator.controllers.catalogue import Manager
from simulator.controllers.cluster import CONFIG_MAPS, LEASES, NAMESPACES, PODS, PREFIX
from simulator.controllers.nodes import NODE_LEASES
from simulator.metrics.model import STALE_SECONDS, Fleet
from simulator.resources import by_kind
from simulator.store import Store
from simulator.worlds import machines, past, templates
from simulator.worlds.world import SYSTEM_NAMESPACES, Namespace, Workload, World

Json = dict[str, Any]
APPLIER = "kubectl-client-side-apply"
SETTLING = timedelta(minutes=5)
"""Each step of the past is followed so long; what has not come to rest by then goes on at the next step."""
LATE = timedelta(minutes=40)
"""Autoscalers join so long before the start: earlier their whole history would have to be replayed second by second."""


class Step(NamedTuple):
    """One thing that happened."""

    at: datetime
    act: Callable[[Store], None]


def populate(world: World, store: Store, clock: VirtualClock, manager: Manager, fleet: Fleet) -> None:
    """Bring an empty store to the world's start."""
    steps = sorted([*_steps(world), Step(world.start - LATE, _nothing)], key=lambda step: step.at)
    for index, step in enumerate(steps):
        _advance(clock, step.at)
        step.act(store)
        following = steps[index + 1].at if index + 1 < len(steps) else world.start
        if following > step.at:
            _settle(clock, manager, following if step.at >= world.start - LATE else min(following, step.at + SETTLING))
    _advance(clock, world.start)
    manager.run(world.start)
    past.imagine(world, fleet, store)


def _advance(clock: VirtualClock, to: datetime) -> None:
    clock.advance(max(0.0, (to - clock.now()).total_seconds()))


def _settle(clock: VirtualClock, manager: Manager, until: datetime) -> None:
    """Run the controllers now and whenever one of them is due, up to (and without) `until`."""
    while True:
        manager.rest(clock.now())
        due = manager.next_due()
        if due is None or due >= until:
            return
        _advance(clock, max(due, clock.now() + timedelta(seconds=1)))


# -- what happened ----------------------------------------------------------------------------------------------------


def _steps(world: World) -> Iterator[Step]:
    for name in SYSTEM_NAMESPACES:
        known = next((each for each in world.namespaces if each.name == name), None)
        if known is None:
            yield Step(world.epoch, _creation(_namespace(_system(name)), "kube-apiserver"))
    for namespace in world.namespaces:
        body = _namespace(namespace)
        born = world.start - timedelta(hours=namespace.age_hours)
        if _has_violators(world, namespace):
            plain = {**body, "metadata": {**body["metadata"], "labels": _without_pod_security(body["metadata"]["labels"])}}
            yield Step(born, _creation(plain, APPLIER))
            yield Step(world.start - LATE, _relabelling(namespace.name, body["metadata"]["labels"]))
        else:
            yield Step(born, _creation(body, APPLIER))
        if namespace.network_policy:
            for policy in templates.network_policies(namespace.name):
                yield Step(world.start - timedelta(hours=namespace.age_hours), _creation(policy, APPLIER))
    slots = machines.slots(world.nodes)
    for pool in world.nodes:
        for index, name in enumerate(pool.names):
            joined = world.start - timedelta(hours=pool.age_hours)
            yield Step(joined, _creation(machines.node(pool, name, index, slots[name]), "kubelet"))
            yield Step(joined, _creation(_lease(name, joined), "kubelet"))
    for place, data in world.config_maps.items():
        namespace_name, _, name = place.partition("/")
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace_name}, "data": data}
        yield Step(world.start - timedelta(hours=24 * 30), _creation(body, APPLIER))
    for workload in world.workloads:
        yield from _workload_steps(world, workload)
    for extra in world.objects:
        yield Step(world.start - timedelta(hours=extra.age_hours), _creation(extra.object, extra.by))


def _has_violators(world: World, namespace: Namespace) -> bool:
    """Whether pods run here that the namespace's level would refuse: then its label came after them."""
    refused = {"baseline": ("privileged", "privileged-hostpid"), "restricted": ("privileged", "privileged-hostpid", "baseline")}
    here = (workload for workload in world.workloads if workload.namespace == namespace.name)
    return any(workload.security in refused.get(namespace.pod_security, ()) for workload in here)


def _without_pod_security(labels: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if not key.startswith("pod-security.kubernetes.io/")}


def _workload_steps(world: World, workload: Workload) -> Iterator[Step]:
    history = templates.revisions(workload)
    born = min(world.start - timedelta(hours=workload.age_hours), world.start - timedelta(minutes=history[0].age_minutes))
    for companion in _companions(workload):
        yield Step(born, _creation(companion, APPLIER))
    if workload.config_map and f"{workload.namespace}/{workload.config_map}" not in world.config_maps:
        meta = {"name": workload.config_map, "namespace": workload.namespace, "labels": templates.labels(workload)}
        yield Step(born, _creation({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"revision": "1"}}, APPLIER))
    yield Step(born, _creation(templates.workload_object(workload, history[0]), history[0].by))
    for revision in history[1:]:
        yield Step(
            world.start - timedelta(minutes=revision.age_minutes), _rollout(templates.workload_object(workload, revision), revision.by)
        )
    if workload.kind == "CronJob":
        yield from _runs(world, workload)
    yield from _misfortunes(world, workload)
    if workload.hpa:
        body = templates.autoscaler(workload)
        body["metadata"]["creationTimestamp"] = stamp(born)
        yield Step(max(born, world.start - LATE), _creation(body, APPLIER))


def _companions(workload: Workload) -> Iterator[Json]:
    if templates.account_name(workload) != "default":
        yield templates.service_account(workload)
    if workload.service:
        yield templates.service(workload)
    if workload.pdb_min_available is not None:
        yield templates.disruption_budget(workload)
    if "cluster-admin-sa" in workload.faults:
        yield templates.cluster_admin_binding(workload)


def _runs(world: World, workload: Workload) -> Iterator[Step]:
    """The last three days' runs of a CronJob need the controllers to be awake at those times."""
    at = cronjobs.next_time(workload.schedule, world.start - timedelta(days=3))
    for _ in range(12):
        if at is None or at >= world.start:
            return
        yield Step(at, _nothing)
        at = cronjobs.next_time(workload.schedule, at)


def _misfortunes(world: World, workload: Workload) -> Iterator[Step]:
    if "unready-forever" in workload.faults:
        yield Step(world.start - timedelta(hours=5), _wedge(workload))
    if "stale-config" in workload.faults and workload.config_map:
        yield Step(world.start - timedelta(seconds=STALE_SECONDS), _edit(workload.namespace, workload.config_map))


# -- acts -------------------------------------------------------------------------------------------------------------


def _nothing(_: Store) -> None:
    """Time passes."""


def _creation(body: Json, manager: str) -> Callable[[Store], None]:
    row = by_kind(body["apiVersion"], body["kind"])
    return lambda store: _create(store, row, body, manager)


def _create(store: Store, row: Any, body: Json, manager: str) -> None:
    meta = body["metadata"]
    if store.peek(row, meta.get("namespace"), meta["name"]) is None:
        store.create(row, body, manager=manager)


def _rollout(body: Json, manager: str) -> Callable[[Store], None]:
    row = by_kind(body["apiVersion"], body["kind"])

    def act(store: Store) -> None:
        meta = body["metadata"]
        live = store.get(row, meta["namespace"], meta["name"])
        if live is None:
            return
        live["spec"] = {**live["spec"], **body["spec"], "replicas": live["spec"].get("replicas")}
        live["metadata"]["annotations"] = {**live["metadata"].get("annotations", {}), **meta.get("annotations", {})}
        store.update(row, live, manager=manager)

    return act


def _relabelling(name: str, labels: dict[str, str]) -> Callable[[Store], None]:
    def act(store: Store) -> None:
        live = store.get(NAMESPACES, None, name)
        if live is not None:
            live["metadata"]["labels"] = labels
            store.update(NAMESPACES, live, manager=APPLIER)

    return act


def _wedge(workload: Workload) -> Callable[[Store], None]:
    """One pod stops answering its probe, and only that one."""

    def act(store: Store) -> None:
        pods = [
            pod for pod in store.list(PODS, workload.namespace) if pod["metadata"].get("labels", {}).get(templates.NAME) == workload.name
        ]
        if pods:
            pod = pods[0]
            meta = pod["metadata"]
            notes = {**meta.get("annotations", {}), f"{PREFIX}state": "not-ready"}
            store.update(PODS, {**pod, "metadata": {**meta, "annotations": notes}}, manager="simulator")

    return act


def _edit(namespace: str, name: str) -> Callable[[Store], None]:
    def act(store: Store) -> None:
        live = store.get(CONFIG_MAPS, namespace, name)
        if live is not None:
            live["data"] = {**live.get("data", {}), "revision": "2"}
            store.update(CONFIG_MAPS, live, manager=APPLIER)

    return act


# -- cluster-scoped objects -------------------------------------------------------------------------------------------


def _system(name: str) -> Namespace:
    return Namespace(name=name, pod_security="baseline" if name == "default" else "none")


def _namespace(namespace: Namespace) -> Json:
    labels = {"kubernetes.io/metadata.name": namespace.name, **namespace.labels}
    if namespace.pod_security != "none" and "no-psa-labels" not in namespace.faults:
        wanted = {"enforce": namespace.pod_security, "audit": "restricted", "warn": "restricted"}
        if namespace.pod_security == "privileged":
            wanted = {"enforce": "privileged"}
        labels |= {f"pod-security.kubernetes.io/{mode}": level for mode, level in wanted.items()}
    meta: Json = {"name": namespace.name, "labels": labels}
    if namespace.annotations:
        meta["annotations"] = dict(namespace.annotations)
    return {
        "apiVersion": "v1",
        "kind": NAMESPACES.kind,
        "metadata": meta,
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _lease(node: str, at: datetime) -> Json:
    """What the node's kubelet renews; a lost node never did."""
    spec = {"holderIdentity": node, "leaseDurationSeconds": 40, "renewTime": micro_stamp(at)}
    return {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": {"name": node, "namespace": NODE_LEASES}, "spec": spec}
