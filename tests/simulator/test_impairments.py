"""Ready pods that answer nobody show in what is measured of their service."""

from typing import Any

import numpy as np
import pytest

from core.cluster.queries import Query, Shape
from simulator.controllers.impairments import POLICIES
from simulator.metrics import answers
from simulator.resources import resource
from simulator.worlds.running import start
from tests.runtime.test_experiments import WORLD

CONFIG_MAPS, DEPLOYMENTS = resource("", "configmaps"), resource("apps", "deployments")


@pytest.fixture(scope="module")
def world() -> dict[str, Any]:
    return dict(WORLD)


def cut(namespace: str, *, ingress: list[Any] | None = None) -> dict[str, Any]:
    spec = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "web"}}, "policyTypes": ["Ingress"]}
    spec |= {"ingress": ingress} if ingress is not None else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "let" if ingress else "cut", "namespace": namespace},
        "spec": spec,
    }


def errors(running: Any, namespace: str) -> float:
    at = np.array([running.clock.now().timestamp()])
    rows = answers.answer(running.fleet, Query(Shape.ERROR_RATIO, namespace, rate_seconds=60), at)
    return float(next(row.values[0] for row in rows if row.labels["service"] == "web"))


def test_a_cut_is_felt_until_it_is_gone_and_not_where_another_policy_lets_traffic_in(world: dict[str, Any]) -> None:
    running = start(world, 7)
    assert errors(running, "network") < 0.1
    running.store.create(POLICIES, cut("network"), manager="test")
    running.clock.advance(61)
    assert errors(running, "network") > 0.9
    running.store.create(POLICIES, cut("network", ingress=[{}]), manager="test")
    running.clock.advance(61)
    assert errors(running, "network") < 0.1


def test_a_configuration_that_cannot_be_used_is_felt(world: dict[str, Any]) -> None:
    running = start(world, 7)
    (item,) = [each for each in running.store.list(CONFIG_MAPS, "config") if each["metadata"]["name"] == "settings"]
    running.store.update(CONFIG_MAPS, {**item, "data": {**item["data"], "app.mode": "off"}}, manager="test")
    running.clock.advance(61)
    assert errors(running, "config") > 0.9


def test_a_dependency_without_a_ready_pod_is_felt(world: dict[str, Any]) -> None:
    running = start(world, 7)
    (item,) = [each for each in running.store.list(DEPLOYMENTS, "dependency") if each["metadata"]["name"] == "store"]
    running.store.update(DEPLOYMENTS, {**item, "spec": {**item["spec"], "replicas": 0}}, manager="test")
    running.clock.advance(120)
    assert errors(running, "dependency") > 0.9
