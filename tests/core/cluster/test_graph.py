from collections.abc import Callable
from typing import Any

import pytest

from core.cluster import selecting
from core.cluster.graph import Graph, references
from core.cluster.objects import LabelSelector
from core.cluster.snapshot import Snapshot

Make = Callable[..., Any]


def meta(name: str, uid: str = "", owner: str = "") -> dict[str, Any]:
    owners = [{"kind": "X", "name": owner, "uid": owner, "controller": True}] if owner else []
    return {"metadata": {"name": name, "namespace": "shop", "uid": uid or name, "ownerReferences": owners}}


SELECTED = [
    ({}, True),
    ({"match_labels": {"app": "cart"}}, True),
    ({"match_labels": {"app": "cart", "tier": "web"}}, False),
    ({"match_expressions": [{"key": "app", "operator": "In", "values": ["cart", "x"]}]}, True),
    ({"match_expressions": [{"key": "app", "operator": "In", "values": []}]}, False),
    ({"match_expressions": [{"key": "tier", "operator": "In", "values": ["web"]}]}, False),
    ({"match_expressions": [{"key": "app", "operator": "NotIn", "values": ["cart"]}]}, False),
    ({"match_expressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}, True),
    ({"match_expressions": [{"key": "app", "operator": "Exists"}]}, True),
    ({"match_expressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
    ({"match_expressions": [{"key": "tier", "operator": "DoesNotExist"}]}, True),
    ({"match_expressions": [{"key": "app", "operator": "Maybe"}]}, False),
    ({"match_expressions": [{}]}, False),
    ({"match_labels": {"app": "cart"}, "match_expressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
]


@pytest.mark.parametrize(("selector", "expected"), SELECTED, ids=str)
def test_selectors_match_as_the_api_server_does(selector: dict[str, Any], expected: bool) -> None:
    assert selecting.matches(LabelSelector(**selector), {"app": "cart"}) is expected


def test_no_selector_selects_nothing() -> None:
    assert selecting.matches(None, {"app": "cart"}) is False


def test_owners_are_followed_up_and_down(snapshot: Make, pod: Make) -> None:
    world = snapshot(Deployment=[meta("cart")], ReplicaSet=[meta("cart-1", owner="cart")], Pod=[pod("a", owner=("ReplicaSet", "cart-1"))])
    graph = Graph(world)
    assert [(kind, item.metadata.name) for kind, item in graph.owners(world.pods[0])] == [("ReplicaSet", "cart-1"), ("Deployment", "cart")]
    assert [kind for kind, _ in graph.owned("cart")] == ["ReplicaSet"]
    assert [item.metadata.name for _, item in graph.owned("cart-1")] == ["a"]
    assert graph.owners(world.of("Deployment")[0]) == ()


def test_owners_in_a_circle_end(snapshot: Make, pod: Make) -> None:
    world: Snapshot = snapshot(ReplicaSet=[meta("a", owner="b"), meta("b", owner="a")], Pod=[pod("p", owner=("ReplicaSet", "a"))])
    assert [item.metadata.name for _, item in Graph(world).owners(world.pods[0])] == ["a", "b"]
    assert world.workload_of(world.pods[0]) is not None
    assert [item.metadata.name for item in world.pods_of("b")] == ["p"]


def test_a_pod_names_its_node_account_configuration_secrets_and_claims(snapshot: Make, pod: Make) -> None:
    container = {
        "name": "main",
        "env": [
            {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "token", "key": "b", "optional": True}}},
            {"name": "C", "value": "plain"},
        ],
        "envFrom": [{"configMapRef": {"name": "all"}}, {"secretRef": {"name": 7}}],
    }
    volumes = [
        {"name": "v1", "configMap": {"name": "files"}},
        {"name": "v2", "secret": {"secretName": "tls"}},
        {"name": "v3", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "v4", "projected": {"sources": [{"secret": {"name": "p1"}}, {"configMap": {"name": "p2"}}, "odd"]}},
        {"name": "v5", "projected": {"sources": "odd"}},
        {"name": "v6", "emptyDir": {}},
    ]
    spec = {"containers": [container], "volumes": volumes, "serviceAccountName": "runner"}
    world = snapshot(Pod=[pod("a", node="n1", **spec)], ConfigMap=[meta("settings"), meta("files")])
    found = {(item.kind, item.name): item.optional for item in references(world.pods[0].spec, "shop")}
    assert found == {
        ("Node", "n1"): False,
        ("ServiceAccount", "runner"): False,
        ("ConfigMap", "settings"): False,
        ("Secret", "token"): True,
        ("ConfigMap", "all"): False,
        ("ConfigMap", "files"): False,
        ("Secret", "tls"): False,
        ("PersistentVolumeClaim", "data"): False,
        ("Secret", "p1"): False,
        ("ConfigMap", "p2"): False,
    }
    graph = Graph(world)
    assert [item.metadata.name for item in graph.users("ConfigMap", "shop", "files")] == ["a"]
    assert graph.users("ConfigMap", "other", "files") == ()
    assert {item.name for item in graph.missing(world.pods[0])} == {"all", "p2"}


def test_services_and_budgets_find_their_pods_and_the_reverse(snapshot: Make, pod: Make) -> None:
    world = snapshot(
        Pod=[pod("a", labels={"app": "cart"}), pod("b", labels={"app": "web"})],
        Service=[{**meta("cart"), "spec": {"selector": {"app": "cart"}}}, {**meta("manual"), "spec": {}}],
        PodDisruptionBudget=[
            {**meta("all"), "spec": {"selector": {}}},
            {**meta("none"), "spec": {}},
            {**meta("web"), "spec": {"selector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}}},
        ],
    )
    graph = Graph(world)
    cart, manual = world.of("Service")
    assert [item.metadata.name for item in graph.pods_of_service(cart)] == ["a"]
    assert graph.pods_of_service(manual) == ()
    assert [[item.metadata.name for item in graph.services_of(each)] for each in world.pods] == [["cart"], []]
    assert [[item.metadata.name for item in graph.budgets_of(each)] for each in world.pods] == [["all"], ["all", "web"]]
    assert [item.metadata.name for item in graph.selected("shop", LabelSelector())] == ["a", "b"]
    assert graph.selected("other", LabelSelector()) == ()


def test_an_autoscaler_leads_to_its_workload(snapshot: Make) -> None:
    reference = {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "cart"}, "maxReplicas": 3}}
    world = snapshot(Deployment=[meta("cart")], HorizontalPodAutoscaler=[{**meta("cart"), **reference}, {**meta("lost"), "spec": {}}])
    found = [Graph(world).scaled_by(item) for item in world.of("HorizontalPodAutoscaler")]
    assert [item.metadata.name if item else None for item in found] == ["cart", None]
