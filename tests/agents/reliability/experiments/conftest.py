"""A shop with three pods on three nodes in two zones, as full objects, and experiments on it."""

import json
from typing import Any

import pytest

from agents.reliability.experiments.scenes import Scene
from core.domain.values import Json
from core.policy import experiments

OPEN = {"day2.dev/chaos": "allowed"}
GOOD: dict[str, Any] = {
    "why": "the shop must go on",
    "target": {"namespace": "shop", "name": "web"},
    "hypothesis": [{"name": "ready", "ready": 2}],
    "fault": {"kind": "pod_kill", "pods": 3},
    "duration": "30s",
    "blast": {"pods": 10, "spread": False},
}


def _experiment(**changes: Any) -> experiments.Experiment:
    document = {"apiVersion": "day2.dev/v1alpha1", "kind": "Experiment", "metadata": {"name": "shop"}, "spec": GOOD | changes}
    return experiments.read(json.dumps(document), "experiment.yaml").experiment


def item(kind: str, name: str, version: str = "v1", **parts: Any) -> Json:
    meta = {"name": name, "uid": f"uid-{name}", **parts.pop("metadata", {})}
    if kind not in ("Node", "Namespace"):
        meta["namespace"] = "shop"
    return {"apiVersion": version, "kind": kind, "metadata": meta, **parts}


def _deployment(name: str, replicas: int = 3, **spec: Any) -> Json:
    resources = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "320Mi"}}
    container = {"name": "app", "image": "registry.example/app:1", "resources": resources}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    whole = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return item("Deployment", name, "apps/v1", spec=whole)


def _pod(number: int, *, ready: bool = True) -> Json:
    owner = {"kind": "ReplicaSet", "name": "web-1", "uid": "uid-rs", "controller": True}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    meta = {"ownerReferences": [owner], "labels": {"app": "web"}}
    return item("Pod", f"web-{number}", metadata=meta, spec={"nodeName": f"node-{number}"}, status={"conditions": conditions})


def _scene(**changes: Any) -> Scene:
    zones = {1: "a", 2: "b", 3: "b"}
    known: dict[str, Any] = {
        "cluster": "c-1",
        "namespace": item("Namespace", "shop", metadata={"labels": OPEN}),
        "workloads": (_deployment("web"),),
        "pods": tuple(_pod(number) for number in (1, 2, 3)),
        "nodes": tuple(
            item("Node", f"node-{number}", metadata={"labels": {**OPEN, "topology.kubernetes.io/zone": zone}}, spec={})
            for number, zone in zones.items()
        ),
        "other": _deployment("store", 2),
        "config": item("ConfigMap", "settings", data={"mode": "on"}),
    }
    return Scene(**known | changes)


class Shop:
    """Makers of scenes and experiments."""

    experiment = staticmethod(_experiment)
    scene = staticmethod(_scene)
    deployment = staticmethod(_deployment)
    pod = staticmethod(_pod)
    item = staticmethod(item)


@pytest.fixture(scope="session")
def shop() -> type[Shop]:
    return Shop
