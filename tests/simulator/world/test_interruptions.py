"""A market takes machines back: when is drawn by the seed, signs come first, pods go as far as budgets let them, and capacity returns."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from simulator.controllers import interruptions
from simulator.controllers.cluster import EVENTS, NODES, PDBS, PODS
from simulator.worlds import loading

Json = dict[str, Any]
Small = Callable[..., Any]
MACHINE = {"cpu_milli": 16000, "memory_mib": 65536, "instance_type": "m6.4xlarge"}
STEADY = {"names": ["node-1", "node-2"], **MACHINE}


def spot(rate: float = 0.5, names: tuple[str, ...] = ("spot-1", "spot-2"), **more: Any) -> Json:
    market = {"interruptions_per_hour": rate, **more}
    return {"nodes": [STEADY, {"names": list(names), **MACHINE, "market": market}]}


def names(box: Any) -> set[str]:
    return {node["metadata"]["name"] for node in box.store.list(NODES)}


def first(box: Any) -> interruptions.Place:
    """The place that is interrupted first."""
    places: list[interruptions.Place] = box.running.cluster.memo["market"]
    return min(places, key=lambda place: place.notice)


def until(box: Any, moment: Any) -> None:
    box.wait((moment - box.now).total_seconds())


def test_a_notice_shows_as_condition_taint_event_and_a_closed_node(small: Small) -> None:
    box = small(world=spot())
    place = first(box)
    until(box, place.notice + timedelta(seconds=2))
    node = box.get(NODES, None, place.name)
    told = box.condition(node, "SpotInterruption")
    assert told["status"] == "True"
    assert (place.notice + timedelta(seconds=120)).strftime("%H:%M:%S") in told["message"]
    assert box.condition(node, "Ready")["status"] == "True"
    assert node["spec"]["unschedulable"]
    assert {taint["key"] for taint in node["spec"]["taints"]} >= {interruptions.TAINT["key"], "node.kubernetes.io/unschedulable"}
    events = [event for event in box.store.list(EVENTS) if event["reason"] == "SpotInterruption"]
    assert [(event["type"], event["involvedObject"]["name"]) for event in events] == [("Warning", place.name)]
    assert node["metadata"]["labels"]["node.kubernetes.io/lifecycle"] == "spot"
    assert "node.kubernetes.io/lifecycle" not in box.get(NODES, None, "node-1")["metadata"]["labels"]


def test_after_its_notice_a_machine_is_gone_and_its_pods_stand_elsewhere(small: Small) -> None:
    box = small(world=spot())
    place = first(box)
    there = {pod["metadata"]["uid"] for pod in box.store.list(PODS, "apps") if pod["spec"]["nodeName"] == place.name}
    assert there, "the case needs pods on the machine"
    until(box, place.notice + timedelta(seconds=118))
    assert place.name in names(box)
    until(box, place.notice + timedelta(seconds=180))
    assert place.name not in names(box)
    assert set(interruptions.taken(box.running.cluster)) == {place.name}
    assert interruptions.is_unsettled(box.running.cluster)
    left = box.store.list(PODS, "apps")
    assert len(left) == 7
    assert not there & {pod["metadata"]["uid"] for pod in left}
    assert all(pod["status"]["phase"] == "Running" for pod in left)


def test_pods_leave_as_far_as_their_budgets_let_them_and_the_rest_goes_with_the_machine(small: Small) -> None:
    box = small(world=spot(), web={"pdb_min_available": 3})
    place = first(box)
    held = {pod["metadata"]["uid"] for pod in box.pods("apps", "web") if pod["spec"]["nodeName"] == place.name}
    assert held, "the case needs such pods on the machine"
    until(box, place.notice + timedelta(seconds=110))
    budget = box.get(PDBS, "apps", "web")
    assert budget["status"]["currentHealthy"] == 3
    assert held <= {pod["metadata"]["uid"] for pod in box.pods("apps", "web")}
    until(box, place.notice + timedelta(seconds=200))
    assert not held & {pod["metadata"]["uid"] for pod in box.pods("apps", "web")}


def test_capacity_comes_back_as_another_machine_of_the_pool(small: Small) -> None:
    box = small(world=spot(returns_after_seconds=600))
    place = first(box)
    gone = place.notice + timedelta(seconds=120)
    until(box, gone + timedelta(seconds=590))
    assert f"{place.name}-1" not in names(box)
    until(box, gone + timedelta(seconds=615))
    node = box.get(NODES, None, f"{place.name}-1")
    assert box.condition(node, "Ready")["status"] == "True"
    assert not node["spec"].get("taints")
    assert node["metadata"]["labels"]["node.kubernetes.io/instance-type"] == "m6.4xlarge"


def test_capacity_may_never_come_back(small: Small) -> None:
    box = small(world=spot(rate=6, returns_after_seconds=None))
    box.wait(4 * 3600)
    assert names(box) == {"node-1", "node-2"}


def test_a_machine_that_somebody_else_took_away_comes_back_too(small: Small) -> None:
    box = small(world=spot())
    place = first(box)
    box.store.delete(NODES, None, place.name)
    until(box, place.notice + timedelta(seconds=330))
    assert f"{place.name}-1" in names(box)
    assert not interruptions.taken(box.running.cluster)


def test_the_seed_draws_when(small: Small) -> None:
    def drawn(seed: int) -> list[Any]:
        return [place.notice for place in small(world=spot(), seed=seed).running.cluster.memo["market"]]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_waits_are_as_long_as_the_rate_says(small: Small) -> None:
    box = small(world=spot(rate=0.25, names=tuple(f"spot-{number}" for number in range(400))))
    waits = [(place.notice - box.running.world.start).total_seconds() / 3600 for place in box.running.cluster.memo["market"]]
    assert sum(waits) / len(waits) == pytest.approx(4, rel=0.15)
    assert sum(wait > 4 for wait in waits) / len(waits) == pytest.approx(0.37, abs=0.08)


def test_without_a_market_nothing_is_taken(small: Small) -> None:
    box = small()
    box.wait(6 * 3600)
    assert names(box) == {"node-1", "node-2"}
    assert not interruptions.is_unsettled(box.running.cluster)


@pytest.mark.parametrize("market", [{"interruptions_per_hour": 0}, {"interruptions_per_hour": 1, "notice_seconds": -1}, {}])
def test_a_market_that_cannot_be_is_refused(small: Small, market: Json) -> None:
    with pytest.raises(loading.WorldError, match="market"):
        small(world={"nodes": [{**STEADY, "market": market}]})
