"""The autoscaler's arithmetic, and the peak that it meets too late."""

from typing import Any

import pytest

from simulator.controllers.cluster import HPAS
from simulator.controllers.hpa import PodUse, desired_replicas

SLO_MS = 300
MISSING = PodUse(1000, None, True)
"""A ready pod without metrics."""


def uses(*cpu_milli: float, request: int = 1000, unready: int = 0) -> list[PodUse]:
    return [PodUse(request, each, True) for each in cpu_milli] + [PodUse(request, None, False)] * unready


@pytest.mark.parametrize(
    ("pods", "current", "target", "wanted"),
    [
        pytest.param(uses(300, 500, 700), 3, 30, 5, id="scale up"),
        pytest.param(uses(500, 700, unready=1), 3, 30, 4, id="scale up less for an unready pod"),
        pytest.param(uses(400, unready=2), 3, 30, 3, id="no scale up when unready pods turn it"),
        pytest.param(uses(100, 300, 500, 250, 250), 5, 50, 3, id="scale down"),
        pytest.param(uses(1010, 1030, 1020), 3, 100, 3, id="within the tolerance"),
        pytest.param(uses(1100, 1100, 1100), 3, 100, 3, id="on the tolerance"),
        pytest.param(uses(1110, 1110, 1110), 3, 100, 4, id="beyond the tolerance"),
        pytest.param([*uses(1000), MISSING], 2, 100, 2, id="missing metrics, equal"),
        pytest.param([*uses(1900), MISSING], 2, 100, 2, id="missing metrics, above"),
        pytest.param([*uses(600), MISSING], 2, 100, 2, id="missing metrics, below"),
        pytest.param([*uses(2000, unready=1), MISSING], 3, 50, 4, id="missing and unready, up"),
        pytest.param([*uses(100, 100, unready=1), MISSING], 4, 50, 3, id="missing and unready, down"),
        pytest.param([], 3, 60, 3, id="no metrics at all"),
    ],
)
def test_the_calculator_recommends_what_the_real_one_does(pods: list[PodUse], current: int, target: int, wanted: int) -> None:
    assert desired_replicas(pods, current, target).replicas == wanted


def test_a_pod_without_metrics_counts_as_full_on_the_way_down() -> None:
    pods = [*uses(100, 100), PodUse(1000, None, True)]
    assert desired_replicas(pods, 3, 50).replicas == 3


def bad_minutes(box: Any, minutes: int) -> int:
    count = 0
    for _ in range(minutes):
        box.wait(60)
        count += box.p99_ms("shop", "storefront") > SLO_MS
    return count


def test_with_a_floor_of_three_the_peak_at_one_oclock_is_missed(shop: Any) -> None:
    assert bad_minutes(shop, 60) >= 4
    assert shop.deployment("shop", "storefront")["spec"]["replicas"] >= 10


def test_with_a_raised_floor_the_peak_is_met(shop: Any) -> None:
    shop.set_floor("shop", "storefront", 11)
    assert bad_minutes(shop, 60) == 0
    hpa = shop.get(HPAS, "shop", "storefront")
    assert hpa["status"]["currentReplicas"] >= 11


def test_after_the_peak_and_its_stabilisation_the_autoscaler_goes_down_again(shop: Any) -> None:
    shop.wait(3 * 3600)
    hpa = shop.get(HPAS, "shop", "storefront")
    assert hpa["status"]["currentReplicas"] <= 4
    assert hpa["status"]["lastScaleTime"] > "2026-11-23T13:30"
    assert shop.condition(hpa, "ScalingActive")["reason"] == "ValidMetricFound"


def test_an_autoscaler_at_its_ceiling_says_that_it_is_limited(small: Any) -> None:
    box = small(worker={"faults": ["hpa-maxed"]}).wait(300)
    hpa = box.get(HPAS, "apps", "worker")
    assert box.condition(hpa, "ScalingLimited")["reason"] == "TooManyReplicas"
    assert hpa["status"]["currentReplicas"] == hpa["spec"]["maxReplicas"]


def test_a_floor_that_is_too_high_says_so_too(small: Any) -> None:
    box = small(web={"faults": ["hpa-floor-too-high"]}).wait(900)
    hpa = box.get(HPAS, "apps", "web")
    assert box.condition(hpa, "ScalingLimited")["reason"] == "TooFewReplicas"
    assert hpa["status"]["currentReplicas"] == hpa["spec"]["minReplicas"]


def test_replicas_follow_a_lowered_ceiling(shop: Any) -> None:
    shop.set_floor("shop", "storefront", 8)
    shop.wait(200)
    shop.patch(HPAS, "shop", "storefront", lambda obj: obj["spec"].update(minReplicas=3, maxReplicas=4))
    shop.wait(60)
    assert shop.deployment("shop", "storefront")["spec"]["replicas"] == 4
