"""Who is hit, and every reason against an experiment."""

from typing import Any

import pytest

from agents.reliability.experiments.choosing import choose


def names(choice: Any) -> list[str]:
    return [pod["metadata"]["name"] for pod in choice.pods]


def budget(shop: Any, allowed: int, app: str = "web") -> Any:
    spec = {"selector": {"matchLabels": {"app": app}}}
    return shop.item("PodDisruptionBudget", "keep", spec=spec, status={"disruptionsAllowed": allowed})


def test_as_many_pods_are_hit_as_are_asked_for_within_the_limits(shop: Any) -> None:
    assert names(choose(shop.experiment(), shop.scene())) == ["web-1", "web-2", "web-3"]
    assert names(choose(shop.experiment(blast={"pods": 2, "spread": False}), shop.scene())) == ["web-1", "web-2"]
    assert names(choose(shop.experiment(blast={"pods": 9, "percent": 50, "spread": False}), shop.scene())) == ["web-1"]


def test_a_disruption_budget_is_a_limit_and_one_of_others_is_none(shop: Any) -> None:
    assert names(choose(shop.experiment(), shop.scene(budgets=(budget(shop, 1),)))) == ["web-1"]
    assert len(names(choose(shop.experiment(), shop.scene(budgets=(budget(shop, 0, "pay"),))))) == 3
    nobody = choose(shop.experiment(), shop.scene(budgets=(budget(shop, 0),)))
    assert "no pod may be hit: 0 may be" in nobody.refused[0]


def test_spread_pods_are_of_different_zones(shop: Any) -> None:
    assert names(choose(shop.experiment(blast={"pods": 9}), shop.scene())) == ["web-1", "web-2"]


def test_pods_that_are_not_ready_are_left_alone(shop: Any) -> None:
    pods = (shop.pod(1, ready=False), shop.pod(2))
    assert names(choose(shop.experiment(), shop.scene(pods=pods))) == ["web-2"]


PLACES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "not-opened": ({"namespace": {"metadata": {"name": "shop", "labels": {"day2.dev/chaos": "denied"}}}}, {}, "not open to experiments"),
    "no-namespace": ({"namespace": None}, {}, "there is no namespace shop"),
    "another-runs": ({"running": "exp-other"}, {}, "experiment exp-other has not ended"),
    "budget-short": ({"budget": 9}, {}, "9 % of the error budget"),
    "budget-shorter-than-asked": ({"budget": 20}, {"abort": {"budget": 30}}, "20 % of the error budget"),
    "budget-unknown": ({"budget": None}, {}, "not known"),
    "no-workload": ({"workloads": ()}, {}, "there is no Deployment web"),
}


@pytest.mark.parametrize(("scene", "experiment", "reason"), PLACES.values(), ids=PLACES)
def test_a_place_that_is_not_open_is_refused_with_the_reason(shop: Any, scene: Any, experiment: Any, reason: str) -> None:
    choice = choose(shop.experiment(**experiment), shop.scene(**scene))
    assert choice.pods == ()
    assert any(reason in said for said in choice.refused), choice.refused


@pytest.mark.parametrize("namespace", ["kube-system", "kube-public", "day2-system", "day2-agents"])
def test_the_clusters_own_namespaces_are_refused_with_the_label_too(shop: Any, namespace: str) -> None:
    choice = choose(shop.experiment(target={"namespace": namespace, "name": "web"}), shop.scene())
    assert "no experiment ever runs there" in choice.refused[0]


def test_labels_that_mean_two_workloads_are_refused(shop: Any) -> None:
    scene = shop.scene(workloads=(shop.deployment("web"), shop.deployment("pay")))
    choice = choose(shop.experiment(target={"namespace": "shop", "labels": {"tier": "front"}}), scene)
    assert "tier=front means 2 of shop (pay, web)" in choice.refused[0]


FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no-node": ({"kind": "node_cordon", "node": "node-9"}, {}, "there is no node node-9"),
    "no-dependency": ({"kind": "dependency_down", "workload": "db"}, {"other": None}, "there is no Deployment db"),
    "no-map": ({"kind": "config_corruption", "map": "x", "key": "mode"}, {"config": None}, "there is no key mode"),
    "no-key": ({"kind": "config_corruption", "map": "settings", "key": "other"}, {}, "there is no key other"),
    "no-container": ({"kind": "cpu_pressure", "cpu": "200m", "container": "log"}, {}, "there is no container log; there are app"),
}


@pytest.mark.parametrize(("fault", "scene", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_fault_whose_object_is_missing_is_refused(shop: Any, fault: Any, scene: Any, reason: str) -> None:
    choice = choose(shop.experiment(fault=fault), shop.scene(**scene))
    assert any(reason in said for said in choice.refused), choice.refused


def test_a_node_must_be_open_too_and_not_closed_already(shop: Any) -> None:
    shut = shop.item("Node", "node-1", metadata={"labels": {}}, spec={})
    closed = shop.item("Node", "node-1", metadata={"labels": {"day2.dev/chaos": "allowed"}}, spec={"unschedulable": True})
    asked = shop.experiment(fault={"kind": "node_cordon", "node": "node-1"})
    assert "not open to experiments" in choose(asked, shop.scene(nodes=(shut,))).refused[0]
    assert "is closed already" in choose(asked, shop.scene(nodes=(closed,))).refused[0]
    assert "no open node" in choose(shop.experiment(fault={"kind": "node_cordon"}), shop.scene(nodes=(shut,))).refused[0]


def test_a_drain_hits_the_pods_of_its_node_only(shop: Any) -> None:
    choice = choose(shop.experiment(fault={"kind": "node_drain", "node": "node-2"}), shop.scene())
    assert (names(choice), choice.node["metadata"]["name"] if choice.node else "") == (["web-2"], "node-2")


@pytest.mark.parametrize("fault", [{"kind": "network_cut"}, {"kind": "config_corruption", "map": "settings", "key": "mode"}])
def test_what_hits_all_pods_at_once_needs_room_for_all(shop: Any, fault: Any) -> None:
    assert "3 pods of web would be hit at once" in choose(shop.experiment(fault=fault, blast={"pods": 2}), shop.scene()).refused[0]
    assert choose(shop.experiment(fault=fault), shop.scene()).refused == ()


def test_what_rolls_out_hits_as_many_as_the_update_strategy_takes_away(shop: Any) -> None:
    fault = {"kind": "image_pull_failure"}
    assert choose(shop.experiment(fault=fault, blast={"pods": 1}), shop.scene()).refused == ()
    all_at_once = shop.deployment("web", strategy={"type": "Recreate"})
    assert "3 pods" in choose(shop.experiment(fault=fault, blast={"pods": 1}), shop.scene(workloads=(all_at_once,))).refused[0]


def test_a_cut_that_another_policy_lets_traffic_through_is_refused(shop: Any) -> None:
    let = shop.item("NetworkPolicy", "allow", spec={"podSelector": {}, "ingress": [{}]})
    deny = shop.item("NetworkPolicy", "deny", spec={"podSelector": {}, "policyTypes": ["Ingress"]})
    elsewhere = shop.item("NetworkPolicy", "pay", spec={"podSelector": {"matchLabels": {"app": "pay"}}, "ingress": [{}]})
    asked = shop.experiment(fault={"kind": "network_cut", "directions": ["Ingress"]})
    assert "NetworkPolicy allow lets traffic of its pods through" in choose(asked, shop.scene(policies=(let,))).refused[0]
    assert choose(asked, shop.scene(policies=(deny, elsewhere))).refused == ()
    assert choose(shop.experiment(fault={"kind": "network_cut", "directions": ["Egress"]}), shop.scene(policies=(let,))).refused == ()
