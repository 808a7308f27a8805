"""The world of a case at its start, with what its people declared. A worker lives through the start once; each trial is a fork of it."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from agents.catalogue import AGENTS
from core.domain.errors import InvalidInput
from core.domain.money import InstancePrice, PriceList, PriceSource
from core.domain.objective import FreezeWindow, Objective, Objectives, Scope, Slo
from core.domain.values import canonical
from core.policy.declarations import Grant
from evals.cases.case import Case, People
from evals.cases.case import World as Source
from evals.cases.reading import merged
from evals.judging.trials import WorldClock
from runtime.declared import Declared
from runtime.roles import judged
from runtime.roles.judged import Court
from simulator.app import build
from simulator.authn import MASTERS, User
from simulator.faults import ground as grounds
from simulator.faults.ground import Ground
from simulator.worlds import loading
from simulator.worlds.loading import WorldError
from simulator.worlds.running import Running, start
from simulator.worlds.world import World

_HERE = Path(loading.__file__).parent
_SERVES = ("reliability", "security", "performance", "cost")
Json = dict[str, Any]


class Scene(NamedTuple):
    """`ground` is there where a seed drew the world."""

    seed: int
    world: World
    running: Running
    ground: Ground | None

    @property
    def namespaces(self) -> tuple[str, ...]:
        if self.ground is not None:
            return self.ground.namespaces
        return tuple(namespace.name for namespace in self.world.namespaces)


def alive(case: Case, seed: int) -> Scene:
    """Raises InvalidInput for a world that cannot be used."""
    return _alive(canonical(case.world.model_dump(mode="json", by_alias=True)).decode(), seed)


@lru_cache(maxsize=3)
def _alive(source: str, seed: int) -> Scene:
    wanted = Source.model_validate_json(source)
    if wanted.is_drawn:
        ground = grounds.drawn(seed)
        return Scene(seed, ground.world, start(ground.world), ground)
    try:
        world = loading.load(document(wanted))
    except WorldError as error:
        raise InvalidInput(str(error), mend="simulator/worlds/world.py has the form of a world") from error
    return Scene(seed, world, start(world, seed), None)


def document(source: Source) -> Json:
    """The world as one mapping, its changes laid over. Raises InvalidInput."""
    found: Json = dict(source.inline) or _read(source)
    found = merged(found, source.with_)
    changes = dict(source.change)
    workloads = [merged(each, changes.pop(each["name"], {})) for each in found.get("workloads", ())]
    home = (found.get("namespaces") or [{"name": "default"}])[0]["name"]
    added = [{"name": name, "namespace": home, **change} for name, change in changes.items()]
    return {**found, "workloads": [*workloads, *added]}


def _read(source: Source) -> Json:
    file = source.file or _HERE / f"{source.name}.yaml"
    if not file.is_file():
        raise InvalidInput(f"there is no world {str(source.file or source.name)!r}", mend=f"shipped are {', '.join(loading.bundled())}")
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise InvalidInput(f"{file}: a world is a mapping", mend="simulator/worlds/small.yaml is a short one")
    return found


def opened(scene: Scene, people: People, held: Path) -> AbstractAsyncContextManager[Court]:
    """Agents, judge and executor over the scene's cluster, each with its own rights."""
    running = scene.running
    users = {token: User(account, ("system:serviceaccounts",)) for token, account in judged.ACCOUNTS.items()}
    users[judged.ADMIN] = User("admin", (MASTERS,))
    application = build(running.store, running.clock, users, running.usage, running.metrics_app, running.logs)
    return judged.opened(application, WorldClock(running), declared(scene.world, people), installs=True, held=held)


def declared(world: World, people: People) -> Declared:
    levels = {"*": people.autonomy}
    window = FreezeWindow(name="closed", start=world.start - timedelta(days=1), end=world.start + timedelta(days=30))

    def objective(name: str, serves: Any, priority: int) -> Objective:
        return Objective(
            name=name,
            scope=Scope(namespaces=("*",)),
            serves=serves,
            priority=priority,
            autonomy=levels,
            vouched=levels,
            slo=Slo(latency_p99_ms=people.latency_p99_ms, error_per_mille=people.error_per_mille),
            monthly_budget_micro_usd=people.budget_usd * 1_000_000,
            gpu_allowance=people.gpu_allowance,
            min_replicas=people.min_replicas,
            pod_security=people.pod_security,
            freeze=(window,) if people.frozen else (),
        )

    items = [objective(name, name, people.priorities[name]) for name in _SERVES if name in people.priorities]
    return Declared(
        objectives=Objectives(items=tuple(items) or (objective("everything", "reliability", 50),)),
        grants=tuple(Grant(name=agent.name, agent=agent.name, capabilities=agent.capabilities) for agent in AGENTS),
        prices=prices(world),
    )


def prices(world: World) -> PriceList:
    """Those of the world's machines that have one."""
    pools = {pool.instance_type: pool for pool in world.nodes}
    known: Mapping[str, int] = world.prices
    return PriceList(
        source=PriceSource(name="prices of the case", at=world.start - timedelta(days=20)),
        instances=tuple(
            InstancePrice(
                instance_type=name, cpu_milli=pool.cpu_milli, memory_mib=pool.memory_mib, gpus=pool.gpus, hourly_micro_usd=known[name]
            )
            for name, pool in pools.items()
            if name in known
        ),
    )
