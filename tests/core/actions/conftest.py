"""One good action of every kind with the object it acts on, and an API server's patching to try them with."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from core.actions.aiming import CatalogueAction
from core.actions.catalogue import parse_action
from core.cluster.kinds import KINDS
from core.domain.action import Live
from core.domain.api_request import ApiRequest
from core.domain.values import Json, digest
from simulator.patching import json_patch, strategic


class Case(NamedTuple):
    """An action, and what stands in the cluster when it is written."""

    action: CatalogueAction
    live: Live


def target(kind: str, name: str, namespace: str = "shop") -> Json:
    row = KINDS[kind]
    return {
        "cluster": "c-1",
        "group": row.group,
        "kind": kind,
        "namespace": namespace if row.namespaced else "",
        "name": name,
        "uid": f"uid-{name}",
    }


def live(kind: str, name: str, **parts: Any) -> Json:
    row = KINDS[kind]
    meta = {"name": name, "uid": f"uid-{name}", "resourceVersion": "7", "generation": 3, "creationTimestamp": "2026-01-05T12:00:00Z"}
    if row.namespaced:
        meta["namespace"] = "shop"
    return {"apiVersion": row.api_version, "kind": kind, "metadata": meta | parts.pop("metadata", {}), **parts}


def template(image: str) -> Json:
    api = {
        "name": "api",
        "image": image,
        "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}],
        "resources": {"requests": {"cpu": "2", "memory": "2Gi", "ephemeral-storage": "1Gi"}, "limits": {"memory": "3Gi"}},
    }
    log = {"name": "log", "image": "log:1", "resources": {}}
    return {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": [api, log]}}


def deployment(**spec: Any) -> Json:
    annotations = {"deployment.kubernetes.io/revision": "7", "team": "shop"}
    selector = {"matchLabels": {"app": "cart"}}
    return live(
        "Deployment",
        "cart",
        metadata={"annotations": annotations},
        spec={"replicas": 4, "selector": selector, "template": template("cart:7"), **spec},
        status={"replicas": 4, "readyReplicas": 4},
    )


def replica_set() -> Json:
    older = template("cart:6")
    older["metadata"]["labels"]["pod-template-hash"] = "abc"
    owner = {"kind": "Deployment", "name": "cart", "uid": "uid-cart", "controller": True}
    meta = {"annotations": {"deployment.kubernetes.io/revision": "6"}, "ownerReferences": [owner]}
    return live("ReplicaSet", "cart-6", metadata=meta, spec={"replicas": 0, "template": older})


def pod() -> Json:
    owner = {"kind": "ReplicaSet", "name": "cart-7", "uid": "uid-cart-7", "controller": True}
    statuses = [{"name": name, "resources": {"requests": {"cpu": "2"}}, "restartCount": 0} for name in ("api", "log")]
    return live(
        "Pod",
        "cart-7-x",
        metadata={"ownerReferences": [owner]},
        spec={**template("cart:7")["spec"], "nodeName": "n1"},
        status={"phase": "Running", "containerStatuses": statuses},
    )


def service() -> Json:
    """One port with a name, and one that sends to its own number."""
    ports = [
        {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"},
        {"name": "https", "port": 443, "protocol": "TCP", "targetPort": "https"},
    ]
    return live("Service", "cart", spec={"type": "ClusterIP", "selector": {"app": "kart", "tier": "web"}, "ports": ports})


def node(name: str, *, ready: str = "True", **spec: Any) -> Json:
    return live("Node", name, spec={"podCIDR": "10.0.0.0/24", **spec}, status={"conditions": [{"type": "Ready", "status": ready}]})


def machine() -> Json:
    """Of the node n1; its provider says that the instance is stopped."""
    owner = {"kind": "MachineSet", "name": "pool-a", "uid": "uid-pool-a", "controller": True}
    off = {"type": "InfrastructureReady", "status": "False", "reason": "InstanceStopped"}
    return live(
        "Machine",
        "pool-a-1",
        metadata={"ownerReferences": [owner]},
        status={"nodeRef": {"kind": "Node", "name": "n1", "uid": "uid-n1"}, "conditions": [off]},
    )


def sizing(**to: Any) -> Json:
    seen = {"cpu_milli": 2000, "memory_mib": 2048, "memory_limit_mib": 3072}
    return {"container": "api", "from_sizes": {name: seen.get(name) for name in to}, "to_sizes": to}


def _objects() -> dict[str, tuple[Json, Json]]:
    """Kind to (arguments, live object)."""
    autoscaler = live(
        "HorizontalPodAutoscaler",
        "cart",
        spec={"maxReplicas": 10, "scaleTargetRef": {"kind": "Deployment", "name": "cart"}},
        status={"currentReplicas": 4},
    )
    job = live("Job", "train", spec={"parallelism": 8, "suspend": False}, status={"active": 5})
    return {
        "scale_workload": ({"target": target("Deployment", "cart"), "from_replicas": 4, "to_replicas": 2}, deployment()),
        "set_hpa_bounds": (
            {"target": target("HorizontalPodAutoscaler", "cart"), "from_min": 1, "from_max": 10, "to_min": 3, "to_max": 12},
            autoscaler,
        ),
        "set_requests": (
            {"target": target("Deployment", "cart"), "sizings": [sizing(cpu_milli=600, memory_mib=768, cpu_limit_milli=900)]},
            deployment(),
        ),
        "resize_pod": ({"target": target("Pod", "cart-7-x"), "sizings": [sizing(cpu_milli=600, memory_limit_mib=4096)]}, pod()),
        "rollback_rollout": (
            {
                "target": target("Deployment", "cart"),
                "from_revision": 7,
                "to_revision": 6,
                "replica_set": "cart-6",
                "replica_set_uid": "uid-cart-6",
            },
            deployment(),
        ),
        "restart_rollout": ({"target": target("Deployment", "cart")}, deployment()),
        "delete_pod": ({"target": target("Pod", "cart-7-x"), "from_owner": "ReplicaSet/cart-7"}, pod()),
        "cordon_node": ({"target": target("Node", "n1")}, live("Node", "n1", spec={"podCIDR": "10.0.0.0/24"})),
        "evict_pod": ({"target": target("Pod", "cart-7-x"), "from_owner": "ReplicaSet/cart-7"}, pod()),
        "fence_node": ({"target": target("Node", "n1")}, node("n1", ready="Unknown")),
        "fence_stopped_node": (
            {"target": target("Node", "n1"), "machine_namespace": "shop", "machine": "pool-a-1"},
            node("n1", ready="Unknown", taints=[{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]),
        ),
        "replace_machine": ({"target": target("Machine", "pool-a-1"), "node": "n1"}, machine()),
        "suspend_job": ({"target": target("Job", "train"), "from_parallelism": 8}, job),
        "cut_network": ({"target": target("Deployment", "cart"), "directions": ["Ingress", "Egress"]}, deployment()),
        "set_image": (
            {
                "target": target("Deployment", "cart"),
                "images": [{"container": "api", "from_image": "cart:7", "to_image": f"registry.example/cart@sha256:{'a' * 64}"}],
            },
            deployment(),
        ),
        "edit_config": (
            {
                "target": target("ConfigMap", "cart-config"),
                "key": "app.yaml",
                "from_digest": digest("retries: 3"),
                "value": "retries: many",
                "reader_kind": "Deployment",
                "reader": "cart",
            },
            live("ConfigMap", "cart-config", data={"app.yaml": "retries: 3", "other": "stays"}),
        ),
        "label_namespace": (
            {
                "target": target("Namespace", "shop"),
                "levels": [{"mode": "enforce", "from_level": None, "to_level": "baseline"}, {"mode": "warn", "to_level": "restricted"}],
            },
            live("Namespace", "shop", metadata={"labels": {"kubernetes.io/metadata.name": "shop"}}),
        ),
        "set_service": (
            {
                "target": target("Service", "cart"),
                "from_selector": {"app": "kart", "tier": "web"},
                "to_selector": {"app": "cart"},
                "ports": [{"port": 443, "from_target": "https", "to_target": 8443}],
            },
            service(),
        ),
        "raise_quota": (
            {
                "target": target("ResourceQuota", "team"),
                "amounts": [
                    {"resource": "requests.cpu", "from_hard": "10", "to_hard": "12500m"},
                    {"resource": "pods", "from_hard": "20", "to_hard": "30"},
                ],
            },
            live("ResourceQuota", "team", spec={"hard": {"requests.cpu": "10", "pods": "20", "requests.memory": "8Gi"}}),
        ),
        "uncordon_node": ({"target": target("Node", "n1")}, live("Node", "n1", spec={"unschedulable": True, "podCIDR": "10.0.0.0/24"})),
        "clear_finalizers": (
            {
                "target": target("PersistentVolumeClaim", "data"),
                "from_finalizers": ["kubernetes.io/pvc-protection", "backup.example/keep"],
                "finalizers": ["backup.example/keep"],
            },
            live(
                "PersistentVolumeClaim",
                "data",
                metadata={
                    "deletionTimestamp": "2026-01-05T13:00:00Z",
                    "finalizers": ["kubernetes.io/pvc-protection", "backup.example/keep"],
                },
                spec={},
            ),
        ),
    }


@pytest.fixture
def documents() -> dict[str, Json]:
    """A good action of each kind as JSON."""
    return {kind: {"id": "act-0001", "kind": kind, **arguments} for kind, (arguments, _) in _objects().items()}


@pytest.fixture
def cases(documents: dict[str, Json]) -> dict[str, Case]:
    related: dict[str, dict[str, Json]] = {
        "rollback_rollout": {"cart-6": replica_set()},
        "edit_config": {"cart": deployment()},
        "fence_stopped_node": {"pool-a-1": machine()},
        "replace_machine": {"n1": node("n1", ready="Unknown", unschedulable=True)},
    }
    return {kind: Case(parse_action(documents[kind]), Live(item, related.get(kind, {}))) for kind, (_, item) in _objects().items()}


@pytest.fixture(scope="session")
def applied() -> Callable[[ApiRequest, Json], Json]:
    """The object as an API server would store it. The simulator's patching is another hand's work than the catalogue's requests."""

    def apply(request: ApiRequest, item: Json) -> Json:
        before = copy.deepcopy(item)
        if request.content_type == "application/json-patch+json":
            return dict(json_patch.apply(before, request.body))
        assert isinstance(request.body, dict)
        return strategic.merge(before, request.body)

    return apply
