"""Answers of the closed table: each shape as vectorised arithmetic over the fleet. Called by the Prometheus API.

A rate over a window is the mean of the window's looks; a subquery is looked at on its own step, aligned to Unix time as Prometheus does.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from core.cluster.queries import Query, Shape
from simulator.metrics.model import Fleet
from simulator.metrics.noise import Floats
from simulator.metrics.timeline import History, Segment
from simulator.worlds import machines

LOOKS = 5
"""Looks per rate window."""
MOST_POINTS = 11_000
_HIGHEST_GRID = 4_096

Labels = dict[str, str]
Measure = Callable[[History, Segment, Floats, Floats], Floats]


class Row(NamedTuple):
    """One series: labels, and a value per asked time (NaN where there is none)."""

    labels: Labels
    values: Floats


def answer(fleet: Fleet, query: Query, times: Floats) -> list[Row]:
    """The series of `query` evaluated at each of `times`."""
    rows = _SHAPES[query.shape](fleet, query, times)
    if query.shape in _OF_NOW:
        late = times > fleet.world.scraped_until + (query.rate_seconds if query.shape is not Shape.TARGETS_UP else 0)
        rows = [row._replace(values=np.where(late, np.nan, row.values)) for row in rows]
    return [row for row in rows if not np.isnan(row.values).all()]


# -- per pod ----------------------------------------------------------------------------------------------------------


def _pods(history: History, start: float, end: float) -> Iterator[tuple[str, list[Segment]]]:
    """The pods that ran in a span, with their segments in time order."""
    groups: dict[str, list[Segment]] = {}
    for segment in history.segments:
        if segment.end > start and segment.start <= end:
            groups.setdefault(segment.pod, []).append(segment)
    for pod in sorted(groups):
        yield pod, groups[pod]


def _measured(fleet: Fleet, history: History, segments: list[Segment], times: Floats, per_pod: Floats, measure: Measure) -> Floats:
    """What the source has at increasing `times`, NaN while the pod did not run or nobody scraped it."""
    shown = fleet.world.monitoring.shows_percent / 100 if measure in (fleet.cpu, fleet.memory) else 1.0
    values = np.full_like(times, np.nan)
    for segment in segments:
        low, high = np.searchsorted(times, (segment.start, segment.end))
        if low < high:
            values[low:high] = measure(history, segment, times[low:high], per_pod[low:high]) * shown
    values[times > fleet.world.scraped_until] = np.nan
    return values


def _labels(history: History, pod: str, container: str = "") -> Labels:
    labels = {"namespace": history.workload.namespace, "pod": pod}
    return {**labels, "container": container} if container else labels


def _windows(times: Floats, span_seconds: float, looks: int = LOOKS) -> Floats:
    """(times, looks): the middles of equal parts of the window that ends at each time."""
    offsets = span_seconds * (np.arange(looks, 0, -1) - 0.5) / looks
    return np.asarray(times[:, None] - offsets[None, :])


def _mean(values: Floats) -> Floats:
    """Mean over the last axis of what is there."""
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def _rates(fleet: Fleet, query: Query, times: Floats, measure: Measure) -> Iterator[tuple[History, str, str, Floats]]:
    """Every pod's mean of `measure` over the rate window before each time. Times increase by at least the window."""
    order = np.argsort(flat := _windows(times, query.rate_seconds).reshape(-1), kind="stable")
    back = np.argsort(order, kind="stable")
    looked = flat[order]
    for history in fleet.timeline.of(query.namespace):
        per_pod = fleet.per_pod(history, looked)
        for pod, segments in _pods(history, looked[0], looked[-1]):
            values = _measured(fleet, history, segments, looked, per_pod, measure)[back]
            yield history, pod, segments[0].container, _mean(values.reshape(len(times), LOOKS))


def _grid(end: float, window: float, step: float) -> Floats:
    """The steps of a subquery: multiples of `step` in (end - window, end]."""
    first = np.floor((end - window) / step) + 1
    return np.asarray(np.arange(first, np.floor(end / step) + 1) * step)


def _over_rates(fleet: Fleet, query: Query, times: Floats, reduce: Callable[[Floats], float]) -> list[Row]:
    """A reduction over the rates of a window, at each time."""
    found: dict[tuple[str, str], Row] = {}
    for index, at in enumerate(times):
        grid = _grid(float(at), query.window_seconds, query.step_seconds)
        if not len(grid):
            continue
        for history, pod, container, rates in _lately(fleet, query, grid):
            known = rates[~np.isnan(rates)]
            if len(known):
                row = found.setdefault((history.workload.name, pod), Row(_labels(history, pod, container), np.full_like(times, np.nan)))
                row.values[index] = reduce(known) / 1000.0
    return list(found.values())


_Rates = list[tuple[History, str, str, Floats]]
_LATELY: WeakKeyDictionary[Fleet, tuple[object, _Rates]] = WeakKeyDictionary()


def _lately(fleet: Fleet, query: Query, grid: Floats) -> _Rates:
    """The rates of a window, kept until another is asked for: quantiles and the highest of one window are asked one after the other."""
    place = (fleet.timeline.version, fleet.steady, query.namespace, query.rate_seconds, float(grid[0]), float(grid[-1]), len(grid))
    known = _LATELY.get(fleet)
    if known is None or known[0] != place:
        known = place, list(_rates(fleet, query, grid, fleet.cpu))
        _LATELY[fleet] = known
    return known[1]


def _cpu_quantile(fleet: Fleet, query: Query, times: Floats) -> list[Row]:
    level = min(1.0, max(0.0, query.quantile))
    return _over_rates(fleet, query, times, lambda rates: float(np.quantile(rates, level)))


def _cpu_max(fleet: Fleet, query: Query, times: Floats) -> list[Row]:
    return _over_rates(fleet, query, times, lambda rates: float(rates.max()))


def _cpu_rate(fleet: Fleet, query: Query, times: Floats) -> list[Row]:
    return [Row(_labels(history, pod), rates / 1000.0) for history, pod, _, rates in _rates(fleet, query, times, fleet.cpu)]


def _throttled(fleet: Fleet, query: Query, times: Floats) -> list[Row]:
    """Only containers with a CPU limit have CFS periods."""
    rows = []
    for history, pod, container, values in _rates(fleet, query, times, fleet.throttled):
        if history.segments and any(each.pod == pod and each.condition.cpu_limit_milli for each in history.segments):
            rows.append(Row(_labels(history, pod, container), values))
    return rows


def _memory_now(fleet: Fleet, query: Query, times: Floats) -> list[Row]:
    rows = []
    for history in fleet.timeline.of(query.namespace):
        per_pod = fleet.per_pod(history, times)
        for pod, segments in _pods(history, times[0], times[-1]):
            values = _measured(fleet, history, segments, times, per_pod, fleet.memory)
            rows.append(Row(_labels(history, pod, segments[0].container), np.round(values * 2**20)))
    return rows


def _over_looks(
    fleet: Fleet, query: Query, times: Floats, measure: Measure, reduce: Callable[[Floats], float]
) -> list[tuple[History, str, str, Floats]]:
    """A reduction over the scrapes of a window at each time; a long window is thinned to a grid, short-lived pods keep two looks."""
    found: dict[tuple[str, str], tuple[History, str, str, Floats]] = {}
    step = max(fleet.world.scrape_seconds, query.window_seconds / _HIGHEST_GRID)
    for index, at in enumerate(times):
        grid = _grid(float(at), query.window_seconds, step)
        for history in fleet.timeline.of(query.namespace):
            per_pod = fleet.per_pod(history, grid)
            for pod, segments in _pods(history, grid[0], grid[-1]):
                values = _measured(fleet, history, segments, grid, per_pod, measure)
                known = values[~np.isnan(values)]
                if len(known):
                    place = (history.workload.name, pod)
                    found.setdefault(place, (history, pod, segments[0].container, np.full_like(times, np.nan)))[3][index] = reduce(known)
    return list(found.values())


def _memory_max(fleet: Fleet, query: Query, times: Floats) -> list[Row]:
    found = _over_looks(fleet, query, times, fleet.memory, lambda known: float(known.max()))
    return [Row(_labels(history, pod, container), np.round(values * 2**20)) for history, pod, container, values in found]


def _gpu(fleet: Fleet, query: Query, times: Floats) -> list[Row]:
    def measure(history: History, segment: Segment, looked: Floats, _: Floats) -> Floats:
        return fleet.gpu(history, segment, looked) if segment.gpus else np.full_like(looked, np.nan)

    found = _over_looks(fleet, query, times, measure, lambda known: float(known.mean()))
    return [Row(_labels(history, pod), values) for history, pod, _, values in found]


def _samples(fleet: Fleet, query: Query, times: Floats) -> list[Row]:
    """How many scrapes fell into the window while the pod ran. Nothing is older than the world's history."""
    rows = []
    oldest = fleet.world.history_start.timestamp()
    for history in fleet.timeline.of(query.namespace):
        for pod, segments in _pods(history, times[0] - query.window_seconds, times[-1]):
            spans = [
                np.minimum(min(each.end, fleet.world.scraped_until), times)
                - np.maximum(max(each.start, oldest), times - query.window_seconds)
                for each in segments
            ]
            counts = sum((np.maximum(0.0, span) // fleet.world.scrape_seconds for span in spans), np.zeros_like(times))
            rows.append(Row(_labels(history, pod, segments[0].container), np.where(counts > 0, counts, np.nan)))
    return rows


# -- per service ------------------------------------------------------------------------------------------------------


def _services(fleet: Fleet, query: Query) -> list[History]:
    return [history for history in fleet.timeline.of(query.namespace) if fleet.is_asked(history.workload)]


def _service(history: History) -> Labels:
    return {"namespace": history.workload.namespace, "service": history.workload.name}


def _request_rate(fleet: Fleet, query: Query, times: Floats) -> list[Row]:
    windows = _windows(times, query.rate_seconds)
    flat, shape = windows.reshape(-1), windows.shape
    return [Row(_service(each), fleet.demand(each.workload, flat).reshape(shape).mean(axis=1)) for each in _services(fleet, query)]


def _sorted_windows(times: Floats, query: Query) -> Floats:
    return _windows(times, query.rate_seconds, looks=max(LOOKS, min(20, query.rate_seconds // 15)))


def _error_ratio(fleet: Fleet, query: Query, times: Floats) -> list[Row]:
    windows = _sorted_windows(times, query)
    return [Row(_service(each), fleet.error_ratio(each, windows)) for each in _services(fleet, query)]


def _latency(fleet: Fleet, query: Query, times: Floats) -> list[Row]:
    windows = _sorted_windows(times, query)
    return [Row(_service(each), fleet.p99_seconds(each, windows)) for each in _services(fleet, query)]


def _complete(fleet: Fleet, query: Query, times: Floats) -> list[Row]:
    """At how many steps of the window each ReplicaSet that wanted pods had them all."""
    rows = []
    for name, stretches in fleet.timeline.replica_sets(query.namespace):
        counts = np.full_like(times, np.nan)
        for index, at in enumerate(times):
            grid = _grid(float(at), query.window_seconds, query.step_seconds)
            grid = grid[grid <= fleet.world.scraped_until]
            place = np.searchsorted([each.start for each in stretches], grid, side="right") - 1
            wanted = [stretches[each] for each in place if each >= 0 and stretches[each].wanted]
            counts[index] = sum(each.ready >= each.wanted for each in wanted) if wanted else np.nan
        rows.append(Row({"namespace": query.namespace, "replicaset": name}, counts))
    return rows


def _per_gpu(fault: str, bad: float) -> Callable[[Fleet, Query, Floats], list[Row]]:
    """The first GPU of a node with the fault; all others are well."""

    def rows(fleet: Fleet, _: Query, times: Floats) -> list[Row]:
        return [
            Row({"Hostname": name, "gpu": str(gpu)}, np.full_like(times, bad if pool.faults.get(name) == fault and not gpu else 0.0))
            for pool in fleet.world.nodes
            for name in pool.names
            for gpu in range(pool.gpus)
        ]

    return rows


def _per_node(fault: str, bad: float) -> Callable[[Fleet, Query, Floats], list[Row]]:
    """By the node exporter, whose instance is the node's name and its port."""

    def rows(fleet: Fleet, _: Query, times: Floats) -> list[Row]:
        return [
            Row({"instance": f"{name}:9100"}, np.full_like(times, bad if pool.faults.get(name) == fault else 0.0))
            for pool in fleet.world.nodes
            for name in pool.names
        ]

    return rows


def _targets(fleet: Fleet, _: Query, times: Floats) -> list[Row]:
    """Every node's kubelet and one target per service with traffic."""
    services = sum(map(fleet.is_asked, fleet.world.workloads))
    nodes = sum(len(pool.names) for pool in fleet.world.nodes)
    return [Row({}, np.full_like(times, float(services + nodes)))]


def _between(fleet: Fleet, _: Query, times: Floats) -> list[Row]:
    """By Goldpinger: each node pings the next three of all. In one zone a fifth of the time that it takes to another."""
    slots = machines.slots(fleet.world.nodes)
    placed = [(name, pool.zones[index % len(pool.zones)]) for pool in fleet.world.nodes for index, name in enumerate(pool.names)]
    return [
        Row(
            {"goldpinger_instance": name, "host_ip": machines.address(slots[other])},
            np.full_like(times, SAME_ZONE if zone == there else OTHER_ZONE),
        )
        for place, (name, zone) in enumerate(placed)
        for other, there in dict.fromkeys(placed[(place + step) % len(placed)] for step in (1, 2, 3))
        if other != name
    ]


SAME_ZONE, OTHER_ZONE = 0.0003, 0.0015
"""Seconds."""
_HARDWARE = (Shape.NODE_LATENCY, Shape.GPU_XID, Shape.GPU_ECC, Shape.NIC_ERRORS, Shape.FABRIC_DOWNS)
_OF_NOW = (Shape.REQUEST_RATE, Shape.ERROR_RATIO, Shape.LATENCY_P99, Shape.TARGETS_UP, *_HARDWARE)
"""Computed without a look at single samples, so what came after the last scrape is taken out of the answer."""
_SHAPES: dict[Shape, Callable[[Fleet, Query, Floats], list[Row]]] = {
    Shape.CPU_QUANTILE: _cpu_quantile,
    Shape.CPU_MAX: _cpu_max,
    Shape.MEMORY_MAX: _memory_max,
    Shape.SAMPLES: _samples,
    Shape.CPU_RATE: _cpu_rate,
    Shape.MEMORY_NOW: _memory_now,
    Shape.THROTTLED_RATIO: _throttled,
    Shape.REQUEST_RATE: _request_rate,
    Shape.ERROR_RATIO: _error_ratio,
    Shape.LATENCY_P99: _latency,
    Shape.GPU_UTILISATION: _gpu,
    Shape.REVISION_COMPLETE: _complete,
    Shape.GPU_XID: _per_gpu("gpu-xid", 79.0),
    Shape.GPU_ECC: _per_gpu("gpu-ecc", 3.0),
    Shape.NIC_ERRORS: _per_node("nic-errors", 0.02),
    Shape.FABRIC_DOWNS: _per_node("fabric-down", 4.0),
    Shape.NODE_LATENCY: _between,
    Shape.TARGETS_UP: _targets,
}
