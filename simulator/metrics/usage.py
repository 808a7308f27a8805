"""The metrics.k8s.io numbers: what each running pod and node uses now. Handed to the API server."""

from datetime import timedelta
from typing import Any

from simulator.clock import VirtualClock, stamp
from simulator.controllers.cluster import NODES, PODS
from simulator.metrics.model import Fleet
from simulator.store import Store

Json = dict[str, Any]
WINDOW_SECONDS = 60
_SYSTEM_CPU_MILLI, _SYSTEM_MEMORY_MIB = 180.0, 900.0
"""What a node uses for itself."""


class UsageNow:
    """Items of PodMetricsList and NodeMetricsList."""

    def __init__(self, fleet: Fleet, store: Store, clock: VirtualClock) -> None:
        self._fleet = fleet
        self._store = store
        self._clock = clock

    def pods(self, namespace: str | None) -> list[Json]:
        return [self._pod(pod) for pod in self._store.list(PODS, namespace) if self._fleet.timeline.current(pod["metadata"]["uid"])]

    def nodes(self) -> list[Json]:
        used: dict[str, tuple[float, float]] = {}
        for pod in self._store.list(PODS):
            name = pod["spec"].get("nodeName", "")
            cpu, memory = used.get(name, (_SYSTEM_CPU_MILLI, _SYSTEM_MEMORY_MIB))
            now = self._clock.now()
            used[name] = (cpu + self._fleet.cpu_milli(pod, now), memory + self._fleet.memory_mib(pod, now))
        return [
            self._node(node, *used.get(node["metadata"]["name"], (_SYSTEM_CPU_MILLI, _SYSTEM_MEMORY_MIB)))
            for node in self._store.list(NODES)
        ]

    def _pod(self, pod: Json) -> Json:
        meta, now = pod["metadata"], self._clock.now()
        segment = self._fleet.timeline.current(meta["uid"])
        container = segment[1].container if segment else pod["spec"]["containers"][0]["name"]
        usage = _usage(self._fleet.cpu_milli(pod, now), self._fleet.memory_mib(pod, now))
        head = {"name": meta["name"], "namespace": meta["namespace"], "labels": meta.get("labels", {})}
        return {**self._form("PodMetrics", head), "containers": [{"name": container, "usage": usage}]}

    def _node(self, node: Json, cpu: float, memory: float) -> Json:
        meta = node["metadata"]
        return {**self._form("NodeMetrics", {"name": meta["name"], "labels": meta.get("labels", {})}), "usage": _usage(cpu, memory)}

    def _form(self, kind: str, head: Json) -> Json:
        now = self._clock.now()
        measured = stamp(now - timedelta(seconds=now.timestamp() % 15))
        meta = {**head, "creationTimestamp": stamp(now)}
        return {
            "apiVersion": "metrics.k8s.io/v1beta1",
            "kind": kind,
            "metadata": meta,
            "timestamp": measured,
            "window": f"{WINDOW_SECONDS}s",
        }


def _usage(cpu_milli: float, memory_mib: float) -> Json:
    return {"cpu": f"{round(cpu_milli * 1e6)}n", "memory": f"{round(memory_mib * 1024)}Ki"}
