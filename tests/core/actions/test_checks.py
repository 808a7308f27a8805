"""What each kind has verified, with what was promised beside it, and how many pods it touches."""

from typing import Any

import pytest

from core.actions import checks
from core.domain.action import Guards, Live
from core.domain.check import Expectation, Signal
from core.domain.target import Target

TARGET = Target(cluster="c-1", group="apps", kind="Deployment", namespace="shop", name="cart", uid="uid-cart")
NONE = Guards()


def signals(check: Any) -> list[tuple[str, int, bool]]:
    return [(item.signal.value, item.bound, item.required) for item in check.expectations]


@pytest.mark.parametrize(
    ("guards", "watched"),
    [
        (None, []),
        (Guards(), []),
        (Guards(latency_p99_ms=1), [("latency_p99", 1, False)]),
        (Guards(error_per_mille=5), [("error_ratio", 5, False)]),
        (Guards(latency_p99_ms=300, error_per_mille=5), [("latency_p99", 300, False), ("error_ratio", 5, False)]),
    ],
)
def test_what_was_promised_is_watched_but_is_no_miss_without_data(guards: Guards | None, watched: list[Any]) -> None:
    made = checks.check(TARGET, Signal.ROLLOUT_COMPLETE, checks.ready(2), guards=guards, settle=1, watch=2, every=3)
    assert signals(made) == [("rollout_complete", 0, True), ("pods_ready", 2, True), *watched]
    assert (made.settle_seconds, made.watch_seconds, made.look_every_seconds, made.early) == (1, 2, 3, True)


@pytest.mark.parametrize(
    ("workload", "count"),
    [
        ({"kind": "Deployment", "spec": {"replicas": 3}}, 3),
        ({"kind": "Deployment", "spec": {"replicas": 0}}, 0),
        ({"kind": "Deployment", "spec": {}}, 1),
        ({"kind": "DaemonSet", "spec": {"replicas": 9}, "status": {"desiredNumberScheduled": 5}}, 5),
        ({"kind": "DaemonSet", "spec": {}}, 0),
    ],
)
def test_a_workload_has_the_replicas_that_the_api_server_would_give_it(workload: dict[str, Any], count: int) -> None:
    assert checks.replicas(workload) == count


def test_pods_that_shall_go_are_gone_and_others_are_ready(cases: Any) -> None:
    action, live = cases["scale_workload"]
    assert ("pods_ready", 2, True) in signals(action.check(live, NONE))
    none = action.model_copy(update={"to_replicas": 0})
    assert signals(none.check(live, Guards(latency_p99_ms=300))) == [("pods_gone", 0, True)]


def test_a_bare_pods_promises_go_with_it(cases: Any) -> None:
    action, live = cases["delete_pod"]
    promised = Guards(latency_p99_ms=300)
    assert ("latency_p99", 300, False) in signals(action.check(live, promised))
    bare = action.model_copy(update={"from_owner": ""})
    assert signals(bare.check(live, promised)) == [("pod_replaced", 0, True)]
    assert "nothing makes it again" in bare.sentence()
    assert "makes a new one" in action.sentence()


@pytest.mark.parametrize(("old", "new", "touched"), [(4, 2, 2), (4, 4, 0), (2, 4, 0), (1, 0, 1)])
def test_scaling_touches_the_pods_that_go(old: int, new: int, touched: int, cases: Any) -> None:
    action, live = cases["scale_workload"]
    live.object["spec"]["replicas"] = old
    assert action.model_copy(update={"to_replicas": new}).pods_touched(live) == touched


@pytest.mark.parametrize(
    ("status", "lower", "touched"),
    [
        ({"currentReplicas": 3}, 1, 2),
        ({"currentReplicas": 4}, 1, 0),
        ({"currentReplicas": 3}, 5, 0),
        ({"currentReplicas": 3}, 3, 0),
        ({}, 1, 0),
    ],
    ids=["held by the floor", "held by load", "a higher floor", "the same floor", "nobody counted"],
)
def test_a_lower_floor_lets_those_go_that_only_the_floor_held(status: Any, lower: int, touched: int, cases: Any) -> None:
    action, live = cases["set_hpa_bounds"]
    moved = action.model_copy(update={"from_min": 3, "to_min": lower})
    assert moved.pods_touched(Live(live.object | {"status": status}, {})) == touched


@pytest.mark.parametrize(("status", "touched"), [({"active": 5}, 5), ({}, 0), ({"active": None}, 0)])
def test_suspending_a_job_touches_its_active_pods(status: Any, touched: int, cases: Any) -> None:
    action, live = cases["suspend_job"]
    assert action.pods_touched(Live(live.object | {"status": status}, {})) == touched


def test_a_bound_of_a_signal_is_kept() -> None:
    made = checks.check(TARGET, Expectation(signal=Signal.PODS_READY, bound=7, required=False), settle=0, watch=1)
    assert signals(made) == [("pods_ready", 7, False)]
