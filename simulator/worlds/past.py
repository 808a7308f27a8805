"""The part of the past that no replay makes: the sizes that an autoscaled workload had on each of the days before.

Replaying two weeks of autoscaling second by second would cost minutes, so the sizes follow from the demand as the autoscaler would have set
them: late by its lag, quick up, slow down. The extra pods get names of their own, as real ones had.
"""

from collections.abc import Iterator
from hashlib import sha256

import numpy as np

from simulator.controllers.cluster import DEPLOYMENTS, REPLICA_SETS
from simulator.metrics.model import Fleet
from simulator.metrics.noise import Floats
from simulator.metrics.timeline import Segment
from simulator.store import Store
from simulator.worlds.world import Workload, World

STEP_SECONDS = 60.0
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def imagine(world: World, fleet: Fleet, store: Store) -> None:
    """Add the pods that autoscaled workloads had had and lost again."""
    for workload in world.workloads:
        if workload.hpa is None or not fleet.is_asked(workload) or not workload.cpu.per_rps_milli:
            continue
        history = fleet.timeline.histories.get(workload.key)
        steady = [each for each in history.segments if each.condition.serving] if history else []
        if not steady:
            continue
        prefix = _replica_set(store, workload)
        for number, (start, end) in enumerate(_extra_spans(world, fleet, workload)):
            fleet.timeline.add(workload, _segment(steady[0], f"{prefix}-{_suffix(fleet.seed, workload, number)}", start, end, workload))


def _extra_spans(world: World, fleet: Fleet, workload: Workload) -> Iterator[tuple[float, float]]:
    """When each pod beyond the floor was there."""
    times = np.arange(world.history_start.timestamp(), world.start.timestamp() - 3600.0, STEP_SECONDS)
    sizes = _sizes(fleet, workload, times)
    assert workload.hpa is not None  # noqa: S101  the caller looked
    for size in range(workload.hpa.min_replicas + 1, workload.hpa.max_replicas + 1):
        there = np.concatenate([[0], (sizes >= size).astype(np.int8), [0]])
        edges = np.flatnonzero(np.diff(there))
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            yield float(times[first]), float(times[min(last, len(times) - 1)])


def _sizes(fleet: Fleet, workload: Workload, times: Floats) -> Floats:
    """Replicas as the autoscaler would have had them: by the demand of a little earlier, held for five minutes before going down."""
    assert workload.hpa is not None  # noqa: S101  the caller looked
    per_pod_milli = workload.cpu_request_milli * workload.hpa.target_cpu_percent / 100
    used = fleet.demand(workload, times - 90.0) * workload.cpu.per_rps_milli
    wanted = np.clip(np.ceil(used / per_pod_milli - 0.05), workload.hpa.min_replicas, workload.hpa.max_replicas)
    held = np.lib.stride_tricks.sliding_window_view(np.concatenate([np.full(5, wanted[0]), wanted]), 6).max(axis=1)
    return np.asarray(held, dtype=np.float64)


def _segment(like: Segment, pod: str, start: float, end: float, workload: Workload) -> Segment:
    """A pod serves only after its start-up, so its stretch begins when it is ready."""
    ready = start + workload.ready_seconds
    return Segment(
        pod=pod,
        node=like.node,
        container=like.container,
        born=start,
        start=ready,
        end=max(end, ready + STEP_SECONDS),
        condition=like.condition,
    )


def _replica_set(store: Store, workload: Workload) -> str:
    deployment = store.peek(DEPLOYMENTS, workload.namespace, workload.name)
    owned = [
        each
        for each in store.list(REPLICA_SETS, workload.namespace)
        if deployment and any(owner["uid"] == deployment["metadata"]["uid"] for owner in each["metadata"].get("ownerReferences", ()))
    ]
    return str(owned[-1]["metadata"]["name"]) if owned else workload.name


def _suffix(seed: int, workload: Workload, number: int) -> str:
    value = int(sha256(f"{seed}/{workload.namespace}/{workload.name}/{number}".encode()).hexdigest()[:10], 16)
    letters = []
    for _ in range(5):
        value, index = divmod(value, len(_LETTERS))
        letters.append(_LETTERS[index])
    return "".join(letters)
