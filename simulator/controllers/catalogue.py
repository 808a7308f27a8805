"""The controllers in the order they run, and the tick that runs them. `install` is called once per cluster by `worlds.assembling`.

A pass runs every controller once. Passes repeat until nothing loud was written, so that one tick takes a change as far as it goes without
time passing. Between changes nothing runs but what is due.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from simulator.clock import VirtualClock
from simulator.controllers import (
    apiservices,
    attachments,
    cronjobs,
    daemonsets,
    deployments,
    disruption,
    endpoints,
    events,
    hpa,
    interruptions,
    jobs,
    kubelets,
    limits,
    namespaces,
    nodes,
    pod_gc,
    replicasets,
    scheduling,
    statefulsets,
    volumes,
)
from simulator.controllers.cluster import Cluster, Reconcile, earliest

CONTROLLERS: tuple[tuple[str, Reconcile], ...] = (
    ("namespaces", namespaces.reconcile),
    ("interruptions", interruptions.reconcile),
    ("nodes", nodes.reconcile),
    ("autoscaling", hpa.reconcile),
    ("cronjobs", cronjobs.reconcile),
    ("jobs", jobs.reconcile),
    ("deployments", deployments.reconcile),
    ("replicasets", replicasets.reconcile),
    ("statefulsets", statefulsets.reconcile),
    ("daemonsets", daemonsets.reconcile),
    ("volumes", volumes.reconcile),
    ("scheduling", scheduling.reconcile),
    ("kubelets", kubelets.reconcile),
    ("pod garbage", pod_gc.reconcile),
    ("attachments", attachments.reconcile),
    ("endpoints", endpoints.reconcile),
    ("disruption", disruption.reconcile),
    ("quotas", limits.reconcile),
    ("API services", apiservices.reconcile),
)
PASSES = 8
"""At most so many passes in one tick: two controllers that fight must not stop time."""
TICK_SECONDS = 1.0
EVENT_PRUNING = timedelta(minutes=5)


class Manager:
    """Runs the controllers of one cluster. `run(now)` is the clock's tick."""

    def __init__(self, cluster: Cluster, on_change: Callable[[datetime], None]) -> None:
        self.cluster = cluster
        self._on_change = on_change
        self._seen = -1
        self._due: dict[str, datetime | None] = {}
        self._next: datetime | None = None
        self._beat = cluster.now
        self._pruning = cluster.now + EVENT_PRUNING

    def run(self, now: datetime) -> None:
        """One tick: bring the cluster to rest at `now`, then what only the passing of time asks for."""
        self.rest(now)
        if now >= self._beat:
            nodes.heartbeat(self.cluster)
            self._beat = now + timedelta(seconds=nodes.LEASE_SECONDS)
        if now >= self._pruning:
            events.prune(self.cluster)
            self._pruning = now + EVENT_PRUNING

    def rest(self, now: datetime) -> None:
        """Bring the cluster to rest at `now`; `on_change` is told when anything loud was written since the last time."""
        self.cluster.now = now
        if self._settle():
            self._on_change(now)

    def next_due(self) -> datetime | None:
        """When a controller next wants to act by itself (heartbeats apart)."""
        return earliest(*self._due.values())

    def _settle(self) -> bool:
        changed = False
        if self.cluster.loud() == self._seen and (self._next is None or self._next > self.cluster.now):
            return False
        for _ in range(PASSES):
            dirty = self.cluster.loud() != self._seen
            waiting = [name for name, due in self._due.items() if due is not None and due <= self.cluster.now]
            if not dirty and not waiting:
                return changed
            changed = changed or dirty
            self._seen = self.cluster.loud()
            self._pass(dirty, set(waiting))
        return True

    def _pass(self, dirty: bool, waiting: set[str]) -> None:
        for name, reconcile in CONTROLLERS:
            if dirty or name in waiting or self.cluster.loud() != self._seen:
                self._due[name] = reconcile(self.cluster)
        self._next = self.next_due()


def install(clock: VirtualClock, manager: Manager) -> None:
    """Register the one tick that runs everything."""
    clock.on_tick(manager.run, TICK_SECONDS)
