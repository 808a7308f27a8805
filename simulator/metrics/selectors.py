"""Plain selectors, `metric{label="value"}`, at one instant: what somebody who looks by hand or a readiness check asks."""

from collections.abc import Callable, Iterator

import numpy as np

from simulator.controllers.cluster import NODES, PODS, REPLICA_SETS
from simulator.metrics.calls import answered_within
from simulator.metrics.model import Fleet
from simulator.metrics.numbers import number
from simulator.metrics.shapes import Selector, UnservedError
from simulator.store import Store

Labels = dict[str, str]
Sample = tuple[Labels, float]


def select(fleet: Fleet, store: Store, selector: Selector, at: float) -> list[Sample]:
    """The matching series with their values. Raises UnservedError for a metric that is not there."""
    source = METRICS.get(selector.metric)
    if source is None:
        raise UnservedError(f"there is no metric {selector.metric[:80]}")
    if at > fleet.world.scraped_until:
        return []
    found = ((labels, value) for labels, value in source(fleet, store, at) if all(each.holds(labels) for each in selector.matchers))
    return [({"__name__": selector.metric, **labels}, value) for labels, value in found]


def _running(fleet: Fleet, at: float, *, gpu: bool = False, memory: bool = False) -> Iterator[Sample]:
    times = np.array([at])
    for history in (history for _, history in sorted(fleet.timeline.histories.items())):
        per_pod = fleet.per_pod(history, times)
        for segment in history.segments:
            if not segment.start <= at < segment.end or (gpu and not segment.gpus):
                continue
            labels = {"namespace": history.workload.namespace, "pod": segment.pod, "node": segment.node}
            if gpu:
                yield labels, float(fleet.gpu(history, segment, times)[0])
            elif memory:
                yield {**labels, "container": segment.container}, round(float(fleet.memory(history, segment, times, per_pod)[0]) * 2**20)
            else:
                yield {**labels, "container": segment.container}, _cpu_seconds(fleet, segment.pod, at)


def _cpu_seconds(fleet: Fleet, pod: str, at: float) -> float:
    """The counter: use since the start of the world's history, summed over a coarse grid."""
    total = 0.0
    for history in fleet.timeline.histories.values():
        for segment in history.segments:
            start = max(segment.start, fleet.world.history_start.timestamp())
            if segment.pod != pod or start >= min(segment.end, at):
                continue
            times = np.linspace(start, min(segment.end, at), 200)
            total += float(np.trapezoid(fleet.cpu(history, segment, times, fleet.per_pod(history, times)), times)) / 1000.0
    return total


def _gpu(fleet: Fleet, _: Store, at: float) -> Iterator[Sample]:
    return _running(fleet, at, gpu=True)


def _memory(fleet: Fleet, _: Store, at: float) -> Iterator[Sample]:
    return _running(fleet, at, memory=True)


def _cpu(fleet: Fleet, _: Store, at: float) -> Iterator[Sample]:
    return _running(fleet, at)


def _pod_owner(_: Fleet, store: Store, __: float) -> Iterator[Sample]:
    for pod in store.list(PODS):
        meta = pod["metadata"]
        owner = next(iter(meta.get("ownerReferences", ())), {"kind": "<none>", "name": "<none>", "controller": False})
        labels = {
            "namespace": meta["namespace"],
            "pod": meta["name"],
            "uid": meta["uid"],
            "owner_kind": owner["kind"],
            "owner_name": owner["name"],
        }
        yield {**labels, "owner_is_controller": str(bool(owner.get("controller"))).lower()}, 1.0


def _pod_phase(_: Fleet, store: Store, __: float) -> Iterator[Sample]:
    for pod in store.list(PODS):
        for phase in ("Pending", "Succeeded", "Failed", "Unknown", "Running"):
            labels = {
                "namespace": pod["metadata"]["namespace"],
                "pod": pod["metadata"]["name"],
                "uid": pod["metadata"]["uid"],
                "phase": phase,
            }
            yield labels, float(pod.get("status", {}).get("phase") == phase)


def _replica_set_owner(_: Fleet, store: Store, __: float) -> Iterator[Sample]:
    for replica_set in store.list(REPLICA_SETS):
        meta = replica_set["metadata"]
        for owner in meta.get("ownerReferences", ()):
            yield (
                {"namespace": meta["namespace"], "replicaset": meta["name"], "owner_kind": owner["kind"], "owner_name": owner["name"]},
                1.0,
            )


def _replica_counts(store: Store, section: str, field: str) -> Iterator[Sample]:
    for replica_set in store.list(REPLICA_SETS):
        meta = replica_set["metadata"]
        labels = {"namespace": meta["namespace"], "replicaset": meta["name"]}
        yield labels, float(replica_set.get(section, {}).get(field, 0))


def _replica_sets_wanted(_: Fleet, store: Store, __: float) -> Iterator[Sample]:
    return _replica_counts(store, "spec", "replicas")


def _replica_sets_ready(_: Fleet, store: Store, __: float) -> Iterator[Sample]:
    return _replica_counts(store, "status", "readyReplicas")


def _up(fleet: Fleet, store: Store, _: float) -> Iterator[Sample]:
    for node in store.list(NODES):
        yield {"job": "kubelet", "instance": node["metadata"]["name"]}, 1.0
    for workload in fleet.world.workloads:
        if fleet.is_asked(workload):
            yield {"job": "services", "instance": f"{workload.name}.{workload.namespace}"}, 1.0


def _requests(fleet: Fleet, _: Store, at: float) -> Iterator[Sample]:
    """The counter since the start of the world's history, good and failed answers apart."""
    times = np.arange(fleet.world.history_start.timestamp(), at, 300.0)
    for history in (history for _, history in sorted(fleet.timeline.histories.items())):
        if not fleet.is_asked(history.workload) or not len(times):
            continue
        per_step = fleet.demand(history.workload, times) * 300.0
        failed = fleet.error_ratio(history, times[:, None]) * per_step
        labels = {"namespace": history.workload.namespace, "service": history.workload.name}
        yield {**labels, "code": "200"}, float(np.floor((per_step - failed).sum()))
        yield {**labels, "code": "503"}, float(np.floor(failed.sum()))


BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def _buckets(fleet: Fleet, _: Store, at: float) -> Iterator[Sample]:
    """The histogram's counters since the start of the world's history."""
    times = np.arange(fleet.world.history_start.timestamp(), at, 300.0)
    for history in (history for _, history in sorted(fleet.timeline.histories.items())):
        if not fleet.is_asked(history.workload) or not len(times):
            continue
        per_step = fleet.demand(history.workload, times) * 300.0
        groups = fleet.answers(history, times)
        labels = {"namespace": history.workload.namespace, "service": history.workload.name}
        for bound in BUCKETS:
            below = sum((each.share * answered_within(bound * 1000, each.p99_ms) for each in groups), np.zeros_like(times))
            yield {**labels, "le": number(bound)}, float(np.floor((per_step * below).sum()))
        yield {**labels, "le": "+Inf"}, float(np.floor(per_step.sum()))


def _periods(fleet: Fleet, at: float, *, throttled: bool) -> Iterator[Sample]:
    """CFS periods (ten a second) of containers with a CPU limit, since they were given it."""
    for history in (history for _, history in sorted(fleet.timeline.histories.items())):
        for segment in history.segments:
            if not segment.start <= at < segment.end or not segment.condition.cpu_limit_milli:
                continue
            start = max(segment.start, fleet.world.history_start.timestamp())
            times = np.linspace(start, at, 200)
            share = fleet.throttled(history, segment, times, fleet.per_pod(history, times)) if throttled else np.ones_like(times)
            labels = {"namespace": history.workload.namespace, "pod": segment.pod, "node": segment.node, "container": segment.container}
            yield labels, float(np.floor(np.trapezoid(share, times) * 10))


def _all_periods(fleet: Fleet, _: Store, at: float) -> Iterator[Sample]:
    return _periods(fleet, at, throttled=False)


def _throttled_periods(fleet: Fleet, _: Store, at: float) -> Iterator[Sample]:
    return _periods(fleet, at, throttled=True)


METRICS: dict[str, Callable[[Fleet, Store, float], Iterator[Sample]]] = {
    "DCGM_FI_DEV_GPU_UTIL": _gpu,
    "container_cpu_cfs_periods_total": _all_periods,
    "container_cpu_cfs_throttled_periods_total": _throttled_periods,
    "container_cpu_usage_seconds_total": _cpu,
    "container_memory_working_set_bytes": _memory,
    "http_request_duration_seconds_bucket": _buckets,
    "http_requests_total": _requests,
    "kube_pod_owner": _pod_owner,
    "kube_pod_status_phase": _pod_phase,
    "kube_replicaset_owner": _replica_set_owner,
    "kube_replicaset_spec_replicas": _replica_sets_wanted,
    "kube_replicaset_status_ready_replicas": _replica_sets_ready,
    "up": _up,
}
