"""Clusters for the tests of what happens in them: worlds made from dicts, and a few things people do to a cluster."""

import copy
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest
import yaml

from simulator.controllers.cluster import DEPLOYMENTS, HPAS, PODS
from simulator.resources import Resource
from simulator.worlds import loading
from simulator.worlds.running import Running, start

Json = dict[str, Any]


class Box:
    """One running cluster with short verbs for a test to read by."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.store = running.store
        self.fleet = running.fleet

    @property
    def now(self) -> datetime:
        return self.running.clock.now()

    def wait(self, seconds: float) -> "Box":
        self.running.clock.advance(seconds)
        return self

    def get(self, row: Resource, namespace: str | None, name: str) -> Json:
        found = self.store.get(row, namespace, name)
        assert found is not None, f"no {row.kind} {namespace}/{name}"
        return found

    def patch(self, row: Resource, namespace: str | None, name: str, change: Callable[[Json], object], manager: str = "test") -> None:
        obj = self.get(row, namespace, name)
        change(obj)
        self.store.update(row, obj, manager=manager)

    def pods(self, namespace: str, workload: str) -> list[Json]:
        return [
            pod for pod in self.store.list(PODS, namespace) if pod["metadata"].get("labels", {}).get("app.kubernetes.io/name") == workload
        ]

    def deployment(self, namespace: str, name: str) -> Json:
        return self.get(DEPLOYMENTS, namespace, name)

    def set_image(self, namespace: str, name: str, image: str) -> None:
        def change(obj: Json) -> None:
            obj["spec"]["template"]["spec"]["containers"][0]["image"] = image

        self.patch(DEPLOYMENTS, namespace, name, change)

    def set_request(self, namespace: str, name: str, cpu: str) -> None:
        def change(obj: Json) -> None:
            obj["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = cpu

        self.patch(DEPLOYMENTS, namespace, name, change)

    def set_floor(self, namespace: str, name: str, floor: int) -> None:
        self.patch(HPAS, namespace, name, lambda obj: obj["spec"].update(minReplicas=floor))

    def p99_ms(self, namespace: str, service: str, window: float = 60.0) -> float:
        history = self.fleet.timeline.histories[namespace, service]
        looks = self.now.timestamp() - np.linspace(window, 0, 6, endpoint=False)
        return float(self.fleet.p99_seconds(history, looks[None, :])[0]) * 1000

    def condition(self, obj: Json, kind: str) -> Json:
        return next((each for each in obj["status"].get("conditions", ()) if each["type"] == kind), {})


@pytest.fixture
def shop() -> Box:
    """The demo's cluster at 12:20 on a Monday, seed 7."""
    return Box(start("shop", seed=7))


@pytest.fixture(scope="session")
def still() -> Box:
    """The same cluster for tests that only read."""
    return Box(start("shop", seed=7))


@pytest.fixture
def small() -> Callable[..., Box]:
    """The healthy two-node world; keyword arguments change it: `web={...}` updates that workload, `world={...}` the document itself."""
    document = yaml.safe_load((loading._HERE / "small.yaml").read_text(encoding="utf-8"))

    def make(world: Json | None = None, seed: int = 7, **workloads: Json) -> Box:
        made = {**copy.deepcopy(document), **(world or {})}
        known = {each["name"]: each for each in made["workloads"]}
        for name, change in workloads.items():
            if name in known:
                known[name].update(change)
            else:
                made["workloads"].append({"name": name, "namespace": "apps", **change})
        return Box(start(made, seed=seed))

    return make
