"""What pods use and how they answer, from the traffic and the timeline. The controllers' `Load` port and the source of every metric.

Latency follows saturation (demand over capacity, M/G/1-like above 70 %), capacity follows the CPU limit or request, and a cliff is what no
average foretells. Answers of one pod are log-logistically distributed; a service's p99 over a window is that of the mixture over its pods
and the window, weighted by traffic, as histogram_quantile would find it with fine buckets.
"""

from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from simulator.metrics.demand import requests_per_second
from simulator.metrics.noise import Floats, series_seed, smooth
from simulator.metrics.timeline import Condition, History, Segment, Timeline
from simulator.worlds.world import Workload, World

Json = dict[str, Any]
SHAPE = 3.6
"""Of the log-logistic distribution: p99 is 99 ** (1 / 3.6) = 3.6 times the median."""
SCRAPE_LAG_SECONDS = 30.0
"""How old a measurement is on average when an autoscaler reads it: metrics are gathered every minute."""
SLOWEST_MS = 10_000.0
"""Callers give up after ten seconds."""
_TAIL = 99.0 ** (1 / SHAPE)


class Answers(NamedTuple):
    """How one group of equal pods answered: share of the traffic, p99 in ms and errors 0..1 at each time."""

    share: Floats
    p99_ms: Floats
    errors: Floats


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

    # -- per workload -------------------------------------------------------------------------------------------------

    def demand(self, workload: Workload, times: Floats) -> Floats:
        """Requests per second that want an answer."""
        if workload.traffic is None:
            return np.zeros_like(times)
        return requests_per_second(workload.traffic, self.seed, f"{workload.namespace}/{workload.name}", times)

    def per_pod(self, history: History, times: Floats) -> Floats:
        """Requests per second that reach each serving pod; 0 when none serves."""
        serving = sum(history.serving(times).values(), np.zeros_like(times))
        return np.asarray(np.divide(self.demand(history.workload, times), serving, out=np.zeros_like(times), where=serving > 0))

    def answers(self, history: History, times: Floats) -> list[Answers]:
        """The groups of pods that answered, and one group of refusals for the times when none did."""
        groups = history.serving(times)
        total = sum(groups.values(), np.zeros_like(times))
        rps = np.divide(self.demand(history.workload, times), total, out=np.zeros_like(times), where=total > 0)
        found = [_answers(history.workload, condition, count, total, rps) for condition, count in groups.items()]
        nobody = (total <= 0).astype(np.float64)
        return [*found, Answers(nobody, np.full_like(times, SLOWEST_MS), nobody)]

    def p99_seconds(self, history: History, windows: Floats) -> Floats:
        """p99 over each window; `windows` is (windows, looks) of times."""
        shape = windows.shape
        flat = windows.reshape(-1)
        weight = self.demand(history.workload, flat)
        groups = self.answers(history, flat)
        weights = np.concatenate([(each.share * weight).reshape(shape) for each in groups], axis=1)
        medians = np.concatenate([(each.p99_ms / _TAIL).reshape(shape) for each in groups], axis=1)
        return _mixed_p99(weights, medians) / 1000.0

    def error_ratio(self, history: History, windows: Floats) -> Floats:
        """Errors over all, over each window."""
        flat = windows.reshape(-1)
        weight = self.demand(history.workload, flat)
        failed = sum((each.share * each.errors for each in self.answers(history, flat)), np.zeros_like(flat))
        failed = np.maximum(failed, self._stale(history, flat))
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
        found = self.timeline.current(pod["metadata"]["uid"])
        if found is None:
            return 0.0
        history, segment = found
        times = np.maximum(segment.start, at.timestamp() - SCRAPE_LAG_SECONDS - np.array([45.0, 30.0, 15.0, 0.0]))
        measure = self.memory if memory else self.cpu
        return float(measure(history, segment, times, self.per_pod(history, times)).mean())


STALE_SECONDS = 7200.0
UNBOUND_MILLI = 1000
"""What a pod that asks for nothing and is held to nothing finds on its node."""


def _answers(workload: Workload, condition: Condition, count: Floats, total: Floats, rps: Floats) -> Answers:
    model = workload.latency
    cores = (condition.cpu_limit_milli or condition.cpu_request_milli * model.burst or UNBOUND_MILLI) / 1000.0
    fallen = [cliff.p99_ms for cliff in model.cliffs if condition.cpu_request_milli < cliff.below_cpu_request_milli]
    base = max([model.p99_ms, *fallen])
    load = rps / max(cores * model.rps_per_core, 1e-9)
    busy = 1 + 0.6 * np.clip((load - 0.7) / 0.3, 0, 1) ** 2 + 12 * np.maximum(0, load - 1)
    refused = np.where(load > 1, 0.5 * (1 - 1 / np.maximum(load, 1)), 0)
    share = np.divide(count, total, out=np.zeros_like(rps), where=total > 0)
    return Answers(share, np.minimum(base * busy, SLOWEST_MS), np.minimum(1.0, model.error_ratio + condition.errors + refused))


def answered_within(bound_ms: float, p99_ms: Floats) -> Floats:
    """The share of answers that took at most `bound_ms`, by the distribution's p99."""
    return np.asarray(1 / (1 + (bound_ms / (p99_ms / _TAIL)) ** -SHAPE))


def _mixed_p99(weights: Floats, medians: Floats) -> Floats:
    """The 99th percentile of mixtures of log-logistic distributions, one per row, by bisection in the logarithm (to 0.1 %)."""
    totals = weights.sum(axis=1)
    known = totals > 0
    low = np.log(medians.min(axis=1))
    high = np.log(medians.max(axis=1) * _TAIL * 1.01)
    for _ in range(16):
        middle = (low + high) / 2
        below = 1 / (1 + np.exp(-SHAPE * (middle[:, None] - np.log(medians))))
        share = np.divide((weights * below).sum(axis=1), totals, out=np.zeros_like(totals), where=known)
        low, high = np.where(share < 0.99, middle, low), np.where(share < 0.99, high, middle)
    return np.where(known, np.exp(high), np.nan)
