"""Whose minutes are lost: of a service that fails though nobody at fault is behind it, and of one whose callee a write made worse."""

import copy
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import yaml

from evals.cases.case import Case
from evals.running import meters
from evals.running.lives import lived
from simulator.controllers.cluster import DEPLOYMENTS
from simulator.worlds import loading
from simulator.worlds.running import Running, start

Json = dict[str, Any]
ORDERS, HINTS = frozenset({("apps", "orders")}), frozenset({("apps", "hints")})
NOBODY: frozenset[tuple[str, str]] = frozenset()


@pytest.fixture
def chain() -> Callable[..., Running]:
    """edge calls orders, which calls store."""
    document = yaml.safe_load((loading._HERE / "chain.yaml").read_text(encoding="utf-8"))

    def make(**changes: Json) -> Running:
        made = copy.deepcopy(document)
        for workload in made["workloads"]:
            workload |= changes.get(workload["name"], {})
        return start(made, seed=1)

    return make


def lost(running: Running, begun: datetime, spared: frozenset[tuple[str, str]], wrote: tuple[float, ...] = ()) -> int:
    return meters.lost_minutes(running, begun, spared, wrote, per_mille=20, p99_ms=400)


def scaled(running: Running, name: str, replicas: int) -> float:
    """Somebody writes; when, in Unix seconds."""
    live = running.store.get(DEPLOYMENTS, "apps", name)
    assert live is not None
    live["spec"]["replicas"] = replicas
    running.store.update(DEPLOYMENTS, live, manager="test")
    return running.clock.now().timestamp()


def test_who_fails_because_of_one_at_fault_is_no_bystander(chain: Callable[..., Running]) -> None:
    running = chain(orders={"image": "registry.apps.example/orders:errors"})
    begun = running.clock.now()
    running.clock.advance(600)
    assert lost(running, begun, NOBODY) == 20, "ten minutes of orders, and ten of edge"
    assert lost(running, begun, ORDERS) == 0


def test_who_is_slow_because_of_one_at_fault_is_no_bystander(chain: Callable[..., Running]) -> None:
    running = chain(orders={"latency": {"p99_ms": 900, "rps_per_core": 150}})
    begun = running.clock.now()
    running.clock.advance(600)
    assert lost(running, begun, NOBODY) == 20
    assert lost(running, begun, ORDERS) == 0


def test_who_fails_by_himself_is_one_though_he_calls_one_at_fault(chain: Callable[..., Running]) -> None:
    bad = {name: {"image": f"registry.apps.example/{name}:errors"} for name in ("orders", "edge")}
    running = chain(**bad)
    begun = running.clock.now()
    running.clock.advance(600)
    assert lost(running, begun, ORDERS) == 10


def test_what_a_write_makes_worse_is_lost_by_those_who_call(chain: Callable[..., Running]) -> None:
    running = chain(orders={"image": "registry.apps.example/orders:errors"})
    begun = running.clock.now()
    running.clock.advance(300)
    at = scaled(running, "orders", 0)
    running.clock.advance(300)
    counted = lost(running, begun, ORDERS, (at,))
    assert 4 <= counted <= 5, "edge, in the minutes in which nobody of orders is there"
    assert lost(running, begun, ORDERS) == 0, "without a write it is the fault's"


def test_a_write_long_before_is_not_why(chain: Callable[..., Running]) -> None:
    running = chain()
    begun = running.clock.now()
    early = running.clock.now().timestamp()
    running.clock.advance(1800)
    scaled(running, "orders", 0)
    running.clock.advance(300)
    assert lost(running, begun, ORDERS, (early,)) == 0


def test_a_write_that_mends_costs_its_callers_nothing(chain: Callable[..., Running]) -> None:
    running = chain()
    scaled(running, "orders", 0)
    running.clock.advance(120)
    begun = running.clock.now()
    at = scaled(running, "orders", 3)
    running.clock.advance(300)
    assert lost(running, begun, NOBODY, (at,)) > 0
    assert lost(running, begun, ORDERS, (at,)) == 0


def test_harm_to_a_callee_that_nobody_spares_counts_for_it_and_for_its_callers(chain: Callable[..., Running]) -> None:
    running = chain()
    begun = running.clock.now()
    at = scaled(running, "orders", 0)
    running.clock.advance(300)
    both = lost(running, begun, HINTS, (at,))
    assert both >= 8
    assert both % 2 == 0


def test_what_the_market_takes_nobody_harmed() -> None:
    machine = {"cpu_milli": 16000, "memory_mib": 65536, "instance_type": "m6.4xlarge"}
    pools = [
        {"names": ["node-1"], **machine},
        {"names": ["spot-1", "spot-2"], **machine, "market": {"interruptions_per_hour": 1.5}},
    ]
    world = {"name": "small", "with": {"nodes": pools}, "change": {"worker": {"faults": ["overprovisioned"]}}}
    touched = {"touches": ["Deployment/apps/worker"]}
    case = Case.model_validate({"id": "one", "world": world, "lasts": "3h", "every": "1h", "acts": "always", "expect": touched})
    trial = lived(case, 1, "day2ops")
    assert trial.writes > 0, "who wrote nothing harms nobody anyway"
    assert trial.harmed == ()
    assert trial.budgets == ()
    assert trial.misses == ()
