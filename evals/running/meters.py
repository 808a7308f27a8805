"""What the oracle measures of a world: what it costs, what the oracle's best would save, whose objective was missed, whose budget broken.

It reads the simulator's own truth (use without a scrape, the whole timeline), and nothing of the product but prices and objectives.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.cluster import quantities
from core.domain.money import HOURS_PER_MONTH, PriceList
from simulator.controllers.cluster import NODES, PDBS, PODS
from simulator.controllers.pods import is_active
from simulator.faults.ground import Home
from simulator.metrics.model import Fleet
from simulator.metrics.noise import Floats
from simulator.metrics.timeline import History
from simulator.worlds.matching import Roster
from simulator.worlds.running import Running

Json = dict[str, Any]
Bools = NDArray[np.bool_]
WEEK_SECONDS = 7 * 86_400
STEP_SECONDS = 900
IDLE_SHARE = 0.02
"""What never used more of its CPU does nothing: the oracle's best gives it back whole."""
IDLE_GPU_PERCENT = 3.0
ERRORS_PER_MILLE, P99_MS = 50, 1000.0
"""Bounds for who declared none."""
MINUTE_SECONDS = 60.0
WORSE_MINUTES, WORSE_ERRORS, WORSE_TIMES = 15, 0.01, 1.5
"""What a write made worse: so soon after it, by so many failures of all, or so many times as slow."""


class Asked(NamedTuple):
    """What a pod reserves."""

    cpu_milli: float
    memory_mib: float
    gpus: float

    def weight(self, prices: PriceList) -> float:
        return self.cpu_milli + self.memory_mib / 1024 * prices.memory_weight + self.gpus * prices.gpu_weight


def monthly(running: Running, prices: PriceList) -> int | None:
    """Micro-USD per month that pods on nodes with a price reserve, each node's price split by OpenCost's weights. None without prices."""
    units = _units(running, prices)
    if not units:
        return None
    pods = [pod for pod in running.cluster.all(PODS) if is_active(pod) and pod["spec"].get("nodeName") in units]
    return round(sum(asked(pod).weight(prices) * units[pod["spec"]["nodeName"]] for pod in pods) * HOURS_PER_MONTH)


def best(running: Running, prices: PriceList, gives_back: Collection[str]) -> int | None:
    """Micro-USD per month that these workloads (namespace/name) would give back if each of their pods reserved just the highest that one
    used within the last week, and those that do nothing were not there. None without prices."""
    units = _units(running, prices)
    if not units:
        return None
    roster, saved = Roster(running.world), 0.0
    for pod in running.cluster.all(PODS):
        workload = roster.of_pod(pod)
        node = pod["spec"].get("nodeName")
        if not is_active(pod) or workload is None or "/".join(workload.key) not in gives_back or node not in units:
            continue
        now = asked(pod)
        saved += (now.weight(prices) - _least(running, pod, now).weight(prices)) * units[node]
    return round(saved * HOURS_PER_MONTH)


def _least(running: Running, pod: Json, now: Asked) -> Asked:
    found = running.fleet.timeline.current(pod["metadata"]["uid"])
    if found is None:
        return now
    history, segment = found
    end = running.clock.now().timestamp()
    times = np.arange(max(segment.start, end - WEEK_SECONDS), end + 1, STEP_SECONDS)
    cpu = float(running.fleet.cpu(history, segment, times, running.fleet.per_pod(history, times)).max())
    memory = float(running.fleet.memory(history, segment, times, running.fleet.per_pod(history, times)).max())
    gpus = now.gpus if float(running.fleet.gpu(history, segment, times).max()) > IDLE_GPU_PERCENT else 0.0
    if cpu <= now.cpu_milli * IDLE_SHARE or (now.gpus and not gpus):
        return Asked(0, 0, 0)
    return Asked(min(cpu, now.cpu_milli), min(memory, now.memory_mib), gpus)


def asked(pod: Json) -> Asked:
    requests = [each.get("resources", {}).get("requests", {}) for each in pod["spec"]["containers"]]
    return Asked(
        sum(quantities.cpu_milli(each.get("cpu", 0)) for each in requests),
        sum(quantities.memory_mib(each.get("memory", 0)) for each in requests),
        sum(int(each.get("nvidia.com/gpu", 0)) for each in requests),
    )


def _units(running: Running, prices: PriceList) -> Mapping[str, float]:
    """Micro-USD per hour of one unit of weight, by node."""
    found = {}
    for node in running.cluster.all(NODES):
        price = prices.of(node["metadata"].get("labels", {}).get("node.kubernetes.io/instance-type", ""))
        if price is not None:
            weight = Asked(price.cpu_milli, price.memory_mib, price.gpus).weight(prices)
            found[node["metadata"]["name"]] = price.hourly_micro_usd / weight
    return found


def lost_minutes(
    running: Running, begun: datetime, spared: Collection[tuple[str, str]], wrote: Sequence[float] = (), *, per_mille: int, p99_ms: float
) -> int:
    """Minutes since `begun` in which a service that is not spared failed more than its bound, or was slower.

    Who suffers because somebody spared whom he calls does not answer well is no bystander of a cure, but of the fault: such minutes do not
    count. They do where a write, at one of the Unix seconds of `wrote`, made the spared one answer worse than it did the minute before.
    """
    begin, end = begun.timestamp(), running.clock.now().timestamp()
    if end - begin < MINUTE_SECONDS:
        return 0
    windows = np.arange(begin, end - MINUTE_SECONDS + 1, MINUTE_SECONDS)[:, None] + np.array([0.0, 15.0, 30.0, 45.0])
    fleet, lost = running.fleet, 0
    for key, history in fleet.timeline.histories.items():
        if not fleet.is_asked(history.workload) or key in spared:
            continue
        bounds = per_mille or ERRORS_PER_MILLE, p99_ms or _usual_ms(history)
        missed = _missed(fleet, history, windows, bounds)
        through = fleet.callees(key) & frozenset(spared)
        if missed.any() and through:
            made_worse = np.zeros_like(missed)
            for each in through:
                made_worse |= _made_worse(fleet, each, windows, wrote)
            missed &= made_worse | _missed(fleet, history, windows, bounds, through)
        lost += int(missed.sum())
    return lost


def minutes(running: Running, begun: datetime, *, per_mille: int, p99_ms: float) -> tuple[int, int]:
    """Of all services together: the minutes since `begun`, and those that missed their objective, whoever did it."""
    begin, end = begun.timestamp(), running.clock.now().timestamp()
    windows = np.arange(begin, end - MINUTE_SECONDS + 1, MINUTE_SECONDS)[:, None] + np.array([0.0, 15.0, 30.0, 45.0])
    services = [history for history in running.fleet.timeline.histories.values() if running.fleet.is_asked(history.workload)]
    missed = sum(
        int(_missed(running.fleet, history, windows, (per_mille or ERRORS_PER_MILLE, p99_ms or _usual_ms(history))).sum())
        for history in services
    )
    return len(windows) * len(services), missed


def _usual_ms(history: History) -> float:
    return max(P99_MS, 3 * history.workload.latency.p99_ms)


def _missed(fleet: Fleet, history: History, windows: Floats, bounds: tuple[float, float], well: Collection[tuple[str, str]] = ()) -> Bools:
    """In which windows a service failed more than so many in a thousand, or was slower than so many ms, if those in `well` were."""
    failing = fleet.error_ratio(history, windows, well) * 1000 > bounds[0]
    return np.asarray(failing | (fleet.p99_seconds(history, windows, well) * 1000 > bounds[1]))


def _made_worse(fleet: Fleet, key: tuple[str, str], windows: Floats, wrote: Sequence[float]) -> Bools:
    """In which windows, within a quarter of an hour after a write, a workload answers worse than in the one before that write."""
    found, history = np.zeros(len(windows), dtype=bool), fleet.timeline.histories.get(key)
    if history is None:
        return found
    looked = np.concatenate([windows[:1] - MINUTE_SECONDS, windows])  # what is written at once is held against the minute before
    failed, slow = fleet.error_ratio(history, looked), fleet.p99_seconds(history, looked)
    for at in wrote:
        before = max(0, int(np.searchsorted(windows[:, 0], at, side="right")) - 1)
        since = slice(before + 1, before + 1 + WORSE_MINUTES)
        worse = (failed[since] > failed[before] + WORSE_ERRORS) | (slow[since] > slow[before] * WORSE_TIMES)
        found[before : before + WORSE_MINUTES] |= worse
    return found


def kept_budgets(running: Running) -> frozenset[str]:
    """Disruption budgets that hold now. What a fault adds is its own."""
    every = frozenset(f"{budget['metadata']['namespace']}/{budget['metadata']['name']}" for budget in running.cluster.all(PDBS))
    return every - frozenset(broken_budgets(running, ()))


def broken_budgets(running: Running, spared: Collection[tuple[str, str]]) -> Iterator[str]:
    """Disruption budgets of others with fewer healthy pods than they keep, right now."""
    for budget in running.cluster.all(PDBS):
        meta, status = budget["metadata"], budget.get("status", {})
        if (meta["namespace"], meta["name"]) not in spared and status.get("currentHealthy", 0) < status.get("desiredHealthy", 0):
            yield f"{meta['namespace']}/{meta['name']}"


def keys(homes: Collection[Home]) -> frozenset[tuple[str, str]]:
    return frozenset((home.namespace, home.name) for home in homes)
