"""What pods use and how they answer, from the traffic and the timeline. The controllers' `Load` port and the source of every metric.

Latency follows saturation (`queueing`: demand over capacity), capacity follows the CPU limit or request, and a cliff is what no average
foretells. What a workload calls on the way is in its answers (`calls`), and its calls are in the demand of those whom it calls. Answers of
one pod are log-logistically distributed; a service's p99 over a window is that of the mixture over its pods and the window, weighted by
traffic, as histogram_quantile would find it with fine buckets.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from simulator.metrics import queueing
from simulator.metrics.calls import SHAPE, TAIL, Answers, asked, joined
from simulator.metrics.demand import requests_per_second
from simulator.metrics.noise import Floats, series_seed, smooth
from simulator.metrics.timeline import Condition, History, Segment, Timeline
from simulator.worlds.world import Call, Workload, World

Json = dict[str, Any]
Key = tuple[str, str]
SCRAPE_LAG_SECONDS = 30.0
"""How old a measurement is on average when an autoscaler reads it: metrics are gathered every minute."""
LOOK_SECONDS, AHEAD = 15.0, 60
"""A minute's mean is of four looks. Who asks for one mean gets those of the next quarter of an hour worked out too: an autoscaler asks for
them one by one, and they are what they are until a pod changes."""
SLOWEST_MS = 10_000.0
"""Callers give up after ten seconds."""


class Fleet:
    """The load of one cluster. Times are Unix seconds in increasing order.

    A pod's noise is drawn by its name. Who compares two courses of one world sets `steady`: then single pods have none, and the demand
    keeps its own.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.seed = seed
        self.steady = False
        self.timeline = Timeline(world)
        self._ahead: tuple[dict[str, _Ahead], dict[str, _Ahead]] = ({}, {})
        self._reaches: dict[Key, tuple[object, Floats]] = {}
        self._callers: dict[Key, list[tuple[Workload, Call]]] = {}
        for workload in world.workloads:
            for key, call in workload.callees:
                self._callers.setdefault(key, []).append((workload, call))

    # -- per workload -------------------------------------------------------------------------------------------------

    def is_asked(self, workload: Workload) -> bool:
        """Whether requests reach it, from outside or by calls: then it has series of its own."""
        return workload.traffic is not None or workload.key in self._callers

    def callees(self, key: Key) -> frozenset[Key]:
        """All that a workload calls, by itself or through others."""
        known = next((workload for workload in self.world.workloads if workload.key == key), None)
        direct = [callee for callee, _ in known.callees] if known else []
        return frozenset(direct).union(*map(self.callees, direct))

    def demand(self, workload: Workload, times: Floats) -> Floats:
        """Requests per second that want an answer: those from outside, and the calls of whoever has a pod to call from."""
        wanted = np.zeros_like(times)
        if workload.traffic is not None:
            wanted = requests_per_second(workload.traffic, self.seed, f"{workload.namespace}/{workload.name}", times)
        for caller, call in self._callers.get(workload.key, ()):
            wanted = wanted + call.per_request * self.demand(caller, times) * self._is_there(caller, times)
        return wanted

    def _is_there(self, workload: Workload, times: Floats) -> Floats:
        """1 where a pod of it serves, 0 elsewhere."""
        history = self.timeline.histories.get(workload.key)
        serving = sum(history.serving(times).values(), np.zeros_like(times)) if history else np.zeros_like(times)
        return np.asarray((serving > 0).astype(np.float64))

    def per_pod(self, history: History, times: Floats) -> Floats:
        """Requests per second that reach each serving pod; 0 when none serves."""
        serving = sum(history.serving(times).values(), np.zeros_like(times))
        return np.asarray(np.divide(self.demand(history.workload, times), serving, out=np.zeros_like(times), where=serving > 0))

    def answers(self, history: History, times: Floats, well: Collection[Key] = ()) -> list[Answers]:
        """The groups of pods that answered, and one group of refusals for the times when none did. Callees that are in `well` are taken
        as if they answered at once and never failed."""
        groups = history.serving(times)
        total = sum(groups.values(), np.zeros_like(times))
        rps = np.divide(self.demand(history.workload, times), total, out=np.zeros_like(times), where=total > 0)
        found = [_answers(history.workload, condition, count, total, rps) for condition, count in groups.items()]
        calls = [asked(call, *self._called(key, times, well)) for key, call in history.workload.callees if key not in well] if found else []
        nobody = (total <= 0).astype(np.float64)
        seen = [joined(each, calls) if calls else each for each in found]
        seen = [each._replace(p99_ms=np.minimum(each.p99_ms, SLOWEST_MS)) for each in seen]
        return [*seen, Answers(nobody, np.full_like(times, SLOWEST_MS), nobody)]

    def _called(self, key: Key, times: Floats, well: Collection[Key]) -> tuple[list[Answers], Floats]:
        """What callers meet: the groups that answer, and the share of calls that fail."""
        history = self.timeline.histories.get(key)
        if history is None:
            return [], np.ones_like(times)
        *groups, nobody = self.answers(history, times, well)
        return groups, self._failed(history, times, [*groups, nobody])

    def _failed(self, history: History, times: Floats, groups: Collection[Answers]) -> Floats:
        failed = sum((each.share * each.errors for each in groups), np.zeros_like(times))
        return np.asarray(np.maximum(failed, self._stale(history, times)))

    def p99_seconds(self, history: History, windows: Floats, well: Collection[Key] = ()) -> Floats:
        """p99 over each window; `windows` is (windows, looks) of times. For `well` see `answers`."""
        shape = windows.shape
        flat = windows.reshape(-1)
        weight = self.demand(history.workload, flat)
        groups = self.answers(history, flat, well)
        weights = np.concatenate([(each.share * weight).reshape(shape) for each in groups], axis=1)
        medians = np.concatenate([(each.p99_ms / TAIL).reshape(shape) for each in groups], axis=1)
        return _mixed_p99(weights, medians) / 1000.0

    def error_ratio(self, history: History, windows: Floats, well: Collection[Key] = ()) -> Floats:
        """Errors over all, over each window. For `well` see `answers`."""
        flat = windows.reshape(-1)
        weight = self.demand(history.workload, flat)
        failed = self._failed(history, flat, self.answers(history, flat, well))
        sums = (weight * failed).reshape(windows.shape).sum(axis=1), weight.reshape(windows.shape).sum(axis=1)
        return np.asarray(np.divide(sums[0], sums[1], out=np.zeros_like(sums[0]), where=sums[1] > 0))

    def _stale(self, history: History, times: Floats) -> Floats:
        """Pods that still run with a configuration that was changed under them fail one request in twelve."""
        if "stale-config" not in history.workload.faults:
            return np.zeros_like(times)
        changed = self.world.start.timestamp() - STALE_SECONDS
        old = [each for each in history.segments if each.condition.serving and each.born < changed]
        count = sum(((each.start <= times) & (times < each.end)).astype(np.float64) for each in old)
        total = sum(history.serving(times).values(), np.zeros_like(times))
        share = np.divide(count, total, out=np.zeros_like(times), where=total > 0)
        return np.asarray(np.where(times >= changed, share * 0.08, 0.0))

    # -- per pod ------------------------------------------------------------------------------------------------------

    def cpu(self, history: History, segment: Segment, times: Floats, per_pod: Floats) -> Floats:
        """Milli-cores of a pod at times within its segment."""
        model, condition = history.workload.cpu, segment.condition
        used = np.full_like(times, model.idle_milli)
        if condition.working:
            used = used + model.busy_milli
        if condition.serving:
            used = used + model.per_rps_milli * per_pod
        wobble = self._wobble(history, segment, "cpu", times, 60.0)
        used = used * (1 + model.noise * wobble)
        return np.minimum(used, condition.cpu_limit_milli) if condition.cpu_limit_milli else used

    def memory(self, history: History, segment: Segment, times: Floats, per_pod: Floats) -> Floats:
        """MiB of working set at times within the segment; a container is killed before it passes its limit."""
        model, limit = history.workload.memory, segment.condition.memory_limit_mib
        used = model.base_mib + model.wave_mib * 0.5 * (1 - np.cos(2 * np.pi * (times / 86_400.0 - 0.125)))
        used = used + model.per_rps_mib * per_pod * segment.condition.serving
        used = used + model.grows_mib_per_hour * (times - segment.born) / 3600.0
        if model.needs_mib:
            used = np.maximum(used, model.needs_mib * np.clip((times - segment.born) / 25.0, 0, 1))
        wobble = self._wobble(history, segment, "memory", times, 600.0)
        used = used * (1 + model.noise * wobble)
        return np.minimum(used, limit * 0.995) if limit else np.asarray(used)

    def gpu(self, history: History, segment: Segment, times: Floats) -> Floats:
        """Percent of the pod's GPUs that is busy."""
        model = history.workload.gpu
        if model is None or not segment.condition.working:
            return np.zeros_like(times)
        busy = np.full_like(times, model.utilisation_percent)
        if history.workload.kind in ("Deployment", "StatefulSet"):
            serving = sum(history.serving(times).values(), np.zeros_like(times))
            demand = model.utilisation_percent if model.demand_percent is None else model.demand_percent
            busy = np.minimum(busy, demand * history.workload.replicas / np.maximum(serving, 1))
        wobble = self._wobble(history, segment, "gpu", times, 120.0)
        return np.asarray(np.clip(busy * (1 + 0.015 * wobble), 0, 100))

    def throttled(self, history: History, segment: Segment, times: Floats, per_pod: Floats) -> Floats:
        """Share of CFS periods in which the container was held back: rises from 80 % of a CPU limit; 0 without a limit."""
        limit = segment.condition.cpu_limit_milli
        if not limit:
            return np.zeros_like(times)
        return np.asarray(np.clip((self.cpu(history, segment, times, per_pod) / limit - 0.8) / 0.2, 0, 1) * 0.9)

    def _wobble(self, history: History, segment: Segment, what: str, times: Floats, period_seconds: float) -> Floats:
        if self.steady:
            return np.zeros_like(times)
        return smooth(series_seed(self.seed, history.workload.namespace, segment.pod, what), times, period_seconds)

    # -- the controllers' port ----------------------------------------------------------------------------------------

    def cpu_milli(self, pod: Json, at: datetime) -> float:
        """Mean over a minute of a pod that runs now, as old as a scraped and served measurement is."""
        return self._now(pod, at, memory=False)

    def memory_mib(self, pod: Json, at: datetime) -> float:
        return self._now(pod, at, memory=True)

    def _now(self, pod: Json, at: datetime, *, memory: bool) -> float:
        uid, stamp = pod["metadata"]["uid"], at.timestamp()
        known = self._ahead[memory].get(uid)
        if known is not None and known.state == self._state(known.history) and (value := known.values.get(stamp)) is not None:
            return value
        found = self.timeline.current(uid)
        return 0.0 if found is None else self._looked_ahead(uid, *found, stamp, memory=memory)

    def _looked_ahead(self, uid: str, history: History, segment: Segment, stamp: float, *, memory: bool) -> float:
        measure = self.memory if memory else self.cpu
        first = stamp - SCRAPE_LAG_SECONDS - 3 * LOOK_SECONDS
        if segment.start > first:
            times = np.maximum(segment.start, first + LOOK_SECONDS * np.arange(4))
            return float(measure(history, segment, times, self.per_pod(history, times)).mean())
        times = np.asarray(first + LOOK_SECONDS * np.arange(AHEAD + 3), dtype=np.float64)
        values = measure(history, segment, times, self._shared(history, times))
        means = np.lib.stride_tricks.sliding_window_view(values, 4).mean(axis=1)
        stamps = stamp + LOOK_SECONDS * np.arange(AHEAD)
        known = _Ahead(history, self._state(history), dict(zip(stamps.tolist(), means.tolist(), strict=True)))
        self._ahead[memory][uid] = known
        return known.values[stamp]

    def _state(self, history: History) -> int:
        """What the load of a workload's pods follows from, besides time: it moves when that does."""
        moves = self.timeline.version if history.is_called else history.changes
        return -1 - moves if self.steady else moves

    def _shared(self, history: History, times: Floats) -> Floats:
        """What reaches each pod: the same for all pods of a workload that are asked for together."""
        place = (self._state(history), float(times[0]))
        known = self._reaches.get(history.workload.key)
        if known is None or known[0] != place:
            known = self._reaches[history.workload.key] = (place, self.per_pod(history, times))
        return known[1]


class _Ahead(NamedTuple):
    """A pod's means to come, by Unix seconds, as long as the state that they follow from stays."""

    history: History
    state: int
    values: dict[float, float]


STALE_SECONDS = 7200.0
UNBOUND_MILLI = 1000
"""What a pod that asks for nothing and is held to nothing finds on its node."""


def _answers(workload: Workload, condition: Condition, count: Floats, total: Floats, rps: Floats) -> Answers:
    model = workload.latency
    cores = (condition.cpu_limit_milli or condition.cpu_request_milli * model.burst or UNBOUND_MILLI) / 1000.0
    fallen = [cliff.p99_ms for cliff in model.cliffs if condition.cpu_request_milli < cliff.below_cpu_request_milli]
    base = max([model.p99_ms, *fallen])
    load = rps / max(cores * model.rps_per_core, 1e-9)
    waited = queueing.knee(load) if model.servers is None else queueing.queue(load, model.servers)
    share = np.divide(count, total, out=np.zeros_like(rps), where=total > 0)
    errors = np.minimum(1.0, model.error_ratio + condition.errors + waited.refused)
    return Answers(share, np.minimum(base * waited.times, SLOWEST_MS), errors)


def _mixed_p99(weights: Floats, medians: Floats) -> Floats:
    """The 99th percentile of mixtures of log-logistic distributions, one per row, by bisection in the logarithm (to 0.1 %)."""
    totals = weights.sum(axis=1)
    known = totals > 0
    low = np.log(medians.min(axis=1))
    high = np.log(medians.max(axis=1) * TAIL * 1.01)
    for _ in range(16):
        middle = (low + high) / 2
        below = 1 / (1 + np.exp(-SHAPE * (middle[:, None] - np.log(medians))))
        share = np.divide((weights * below).sum(axis=1), totals, out=np.zeros_like(totals), where=known)
        low, high = np.where(share < 0.99, middle, low), np.where(share < 0.99, high, middle)
    return np.where(known, np.exp(high), np.nan)
