from typing import Any

import pytest

from core.domain.objective import Autonomy, Objective, Objectives, Scope, Slo


def objective(name: str, *namespaces: str, serves: Any = "reliability", priority: int = 50, **rest: Any) -> Objective:
    return Objective(name=name, scope=Scope(namespaces=namespaces or ("*",)), serves=serves, priority=priority, **rest)


EVERYWHERE = objective("everywhere", autonomy={"*": Autonomy.SUGGEST}, gpu_allowance=2, slo=Slo(latency_p99_ms=900))
SHOP = objective("shop", "shop", autonomy={"*": Autonomy.AUTO, "delete_pod": Autonomy.SUGGEST}, slo=Slo(latency_p99_ms=300))
SHOP_COST = objective("shop-cost", "shop", serves="cost", priority=20, autonomy={"*": Autonomy.GUARDED}, gpu_allowance=6)
ALL = Objectives(items=(EVERYWHERE, SHOP, SHOP_COST))


def test_the_star_covers_what_no_other_objective_names() -> None:
    assert ALL.of("ml") == (EVERYWHERE,)
    assert ALL.of("shop") == (SHOP, SHOP_COST)


@pytest.mark.parametrize(
    ("namespace", "capability", "level"),
    [
        ("shop", "scale_workload", Autonomy.GUARDED),
        ("shop", "delete_pod", Autonomy.SUGGEST),
        ("ml", "scale_workload", Autonomy.SUGGEST),
    ],
)
def test_the_least_level_that_is_granted_holds(namespace: str, capability: str, level: Autonomy) -> None:
    assert ALL.autonomy(namespace, capability) is level


def test_where_nobody_granted_anything_agents_only_look() -> None:
    assert Objectives().autonomy("shop", "scale_workload") is Autonomy.OBSERVE
    assert Objectives(items=(objective("bare"),)).autonomy("shop", "scale_workload") is Autonomy.OBSERVE


def test_the_strictest_bound_holds_and_zero_is_no_bound() -> None:
    both = Objectives(items=(objective("a", slo=Slo(latency_p99_ms=300)), objective("b", slo=Slo(latency_p99_ms=200, error_per_mille=10))))
    assert both.slo("x") == Slo(latency_p99_ms=200, error_per_mille=10)
    assert Objectives().slo("x") == Slo()


def test_the_smallest_gpu_allowance_holds_and_none_is_no_allowance() -> None:
    assert ALL.gpu_allowance("shop") == 6
    assert ALL.gpu_allowance("ml") == 2
    assert Objectives().gpu_allowance("ml") is None
    assert Objectives(items=(objective("zero", gpu_allowance=0),)).gpu_allowance("ml") == 0


def test_the_objective_served_is_the_one_of_highest_priority() -> None:
    assert ALL.serving("shop", "cost") is SHOP_COST
    assert ALL.serving("shop", "security") is None
