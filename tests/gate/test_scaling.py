"""An autoscaler's bounds are judged by the pods that they bring or take."""

from typing import Any

import pytest

from core.actions.scale_workload import ScaleWorkload
from core.actions.set_hpa_bounds import SetHpaBounds
from core.cluster.placing import Amounts
from core.domain.target import Target
from gate.judging.scaling import coming, effect, kept, utilization

Json = dict[str, Any]
WORKLOAD: Json = {
    "kind": "Deployment",
    "metadata": {"name": "cart"},
    "spec": {"replicas": 4, "template": {"spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "500m"}}}]}}},
}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
MEMORY = {"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 50}}}


def autoscaler(low: int, high: int, *metrics: Json) -> Json:
    return {"kind": "HorizontalPodAutoscaler", "spec": {"minReplicas": low, "maxReplicas": high, "metrics": list(metrics or (CPU,))}}


def replicas(old: tuple[int, int], new: tuple[int, int], demand: int | None, *metrics: Json) -> int:
    _, after = effect(autoscaler(*old, *metrics), autoscaler(*new, *metrics), WORKLOAD, demand)
    assert after is not None
    return int(after["spec"]["replicas"])


@pytest.mark.parametrize(
    ("old", "new", "demand", "found"),
    [
        ((2, 8), (6, 8), 500, 6),
        ((2, 8), (44, 44), 500, 44),
        ((2, 4), (2, 12), 2000, 9),
        ((2, 4), (2, 6), 2000, 6),
        ((2, 8), (2, 12), 500, 4),
        ((2, 12), (2, 20), 2000, 4),
        ((2, 8), (2, 3), 500, 3),
        ((3, 8), (1, 8), 500, 4),
        ((2, 12), (6, 12), 2000, 6),
    ],
    ids=[
        "a floor over what runs",
        "a floor far over it",
        "a ceiling that the busiest hour reaches",
        "a ceiling that the busiest hour is held by",
        "a ceiling that nothing asks for",
        "a ceiling over one that held nothing",
        "a ceiling under what runs",
        "a lower floor takes nothing now",
        "a floor over what runs and under what the busiest hour brings anyhow",
    ],
)
def test_bounds_bring_or_take_pods(old: tuple[int, int], new: tuple[int, int], demand: int, found: int) -> None:
    assert replicas(old, new, demand) == found


@pytest.mark.parametrize(
    ("demand", "metrics"), [(None, (CPU,)), (500, (MEMORY,)), (500, (CPU, MEMORY))], ids=["unmeasured", "memory", "two"]
)
def test_where_nobody_knows_what_it_wants_it_counts_as_its_ceiling(demand: int | None, metrics: tuple[Json, ...]) -> None:
    assert replicas((2, 6), (2, 20), demand, *metrics) == 20


def test_anything_else_is_its_own_effect() -> None:
    after = {**WORKLOAD, "spec": {"replicas": 9}}
    assert effect(WORKLOAD, after, WORKLOAD, None) == (WORKLOAD, after)


def test_without_a_preview_nothing_is_foreseen() -> None:
    bounds = autoscaler(2, 8)
    assert effect(bounds, None, WORKLOAD, 500) == (bounds, None)


@pytest.mark.parametrize(
    ("high", "demand", "metrics", "found"),
    [
        (12, 2000, (CPU,), 4),
        (12, 1999, (CPU,), 4),
        (12, 2001, (CPU,), 5),
        (6, 2000, (CPU,), 2),
        (12, 500, (CPU,), 0),
        (3, 2000, (CPU,), 0),
        (12, None, (CPU,), 0),
        (12, 2000, (MEMORY,), 0),
    ],
    ids=["to its share", "begun", "and one more", "its ceiling", "fewer than run", "a ceiling under what runs", "unmeasured", "memory"],
)
def test_what_comes_at_the_busiest_hour_comes_on_top_of_what_runs(high: int, demand: int | None, metrics: Any, found: int) -> None:
    assert coming(autoscaler(2, high, *metrics), WORKLOAD, demand).pods == found


@pytest.mark.parametrize(
    ("old", "new", "grown_milli", "milli"),
    [
        ((3, 10), (4, 10), 0, 500),
        ((3, 10), (6, 6), -1000, 1500),
        ((3, 10), (4, 10), 2000, 2000),
        ((3, 10), (3, 5), -1000, -1000),
        ((3, 10), (2, 10), -500, -500),
    ],
    ids=["one more", "three more under a lower ceiling", "more come anyway", "a lower ceiling", "a lower floor"],
)
def test_a_raised_floor_is_paid_for_at_any_hour(old: tuple[int, int], new: tuple[int, int], grown_milli: int, milli: int) -> None:
    target = Target(cluster="c", group="autoscaling", kind="HorizontalPodAutoscaler", namespace="shop", name="cart", uid="u")
    bounds = SetHpaBounds(id="act-floor", target=target, from_min=old[0], from_max=old[1], to_min=new[0], to_max=new[1])
    assert kept(bounds, WORKLOAD, Amounts(grown_milli)).cpu_milli == milli


def test_nothing_else_raises_a_floor() -> None:
    target = Target(cluster="c", group="apps", kind="Deployment", namespace="shop", name="cart", uid="u")
    action = ScaleWorkload(id="act-scale", target=target, from_replicas=9, to_replicas=2)
    assert kept(action, WORKLOAD, Amounts(-3500)) == Amounts(-3500)


@pytest.mark.parametrize(("metrics", "share"), [((CPU,), 50), ((MEMORY,), None), ((CPU, MEMORY), None), (({"type": "Pods"},), None)])
def test_the_mean_of_cpu_is_what_it_follows_or_it_is_not(metrics: tuple[Json, ...], share: int | None) -> None:
    assert utilization(autoscaler(2, 8, *metrics)) == share
