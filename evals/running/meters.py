"""What the oracle measures of a world: what it costs, what the oracle's best would save, whose objective was missed, whose budget broken.

It reads the simulator's own truth (use without a scrape, the whole timeline), and nothing of the product but prices and objectives.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from core.cluster import quantities
from core.domain.money import HOURS_PER_MONTH, PriceList
from simulator.controllers.cluster import NODES, PDBS, PODS
from simulator.controllers.pods import is_active
from simulator.faults.ground import Home
from simulator.worlds.matching import Roster
from simulator.worlds.running import Running

Json = dict[str, Any]
WEEK_SECONDS = 7 * 86_400
STEP_SECONDS = 900
IDLE_SHARE = 0.02
"""What never used more of its CPU does nothing: the oracle's best gives it back whole."""
IDLE_GPU_PERCENT = 3.0
ERRORS_PER_MILLE, P99_MS = 50, 1000.0
"""Bounds for who declared none."""


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


def lost_minutes(running: Running, begun: datetime, spared: Collection[tuple[str, str]], *, per_mille: int, p99_ms: float) -> int:
    """Minutes since `begun` in which a service that is not spared failed more than its bound, or was slower."""
    begin, end = begun.timestamp(), running.clock.now().timestamp()
    if end - begin < 60:
        return 0
    windows = np.arange(begin, end - 59, 60.0)[:, None] + np.array([0.0, 15.0, 30.0, 45.0])
    lost = 0
    for key, history in running.fleet.timeline.histories.items():
        if history.workload.traffic is None or key in spared:
            continue
        failing = running.fleet.error_ratio(history, windows) * 1000 > (per_mille or ERRORS_PER_MILLE)
        slow = running.fleet.p99_seconds(history, windows) * 1000 > (p99_ms or max(P99_MS, 3 * history.workload.latency.p99_ms))
        lost += int((failing | slow).sum())
    return lost


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
