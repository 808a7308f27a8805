"""A world brought to life: the store, its clock, the controllers, the metrics and the logs, wired together once.

Called by `simulator.serving` and by tests. The cluster stands at the world's start; it moves when the clock is advanced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from simulator.clock import VirtualClock
from simulator.controllers import catalogue
from simulator.controllers.catalogue import Manager
from simulator.controllers.cluster import PODS, REPLICA_SETS, Cluster
from simulator.controllers.impairments import impaired
from simulator.metrics import prometheus
from simulator.metrics.logs import ContainerLogs
from simulator.metrics.model import Fleet
from simulator.metrics.usage import UsageNow
from simulator.store import Store
from simulator.worlds.loading import load
from simulator.worlds.populating import populate
from simulator.worlds.world import World


@dataclass(frozen=True, slots=True)
class Running:
    """One cluster in a box. `metrics_app` is to be mounted at /prometheus."""

    world: World
    store: Store
    clock: VirtualClock
    fleet: Fleet
    cluster: Cluster
    manager: Manager
    usage: UsageNow
    logs: ContainerLogs
    metrics_app: ASGIApp

    @property
    def name(self) -> str:
        return self.world.name


def start(source: str | Path | Mapping[str, Any] | World, seed: int | None = None, rate: float = 0.0) -> Running:
    """The cluster of a world at its start. The seed names uids, pods and noise; without one the world's own holds."""
    world = source if isinstance(source, World) else load(source)
    chosen = world.seed if seed is None else seed
    clock = VirtualClock(world.epoch, rate)
    store = Store(clock, chosen)
    fleet = Fleet(world, chosen)
    cluster = Cluster(store, world, fleet)

    def observe(now: datetime) -> None:
        fleet.timeline.observe(now.timestamp(), cluster.all(PODS), impaired(cluster))
        fleet.timeline.count(now.timestamp(), cluster.all(REPLICA_SETS))

    manager = Manager(cluster, observe)
    populate(world, store, clock, manager, fleet)
    catalogue.install(clock, manager)
    return Running(
        world=world,
        store=store,
        clock=clock,
        fleet=fleet,
        cluster=cluster,
        manager=manager,
        usage=UsageNow(fleet, store, clock),
        logs=ContainerLogs(world, store, clock),
        metrics_app=prometheus.build(fleet, store, clock),
    )
