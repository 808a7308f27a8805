"""Namespaces: what each new one gets (default service account, root CA), and the emptying of one that was deleted."""

from datetime import datetime

from simulator.controllers.cluster import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS, Cluster, Json, earliest
from simulator.resources import RESOURCES
from simulator.store import grace_of

ROOT_CA = "kube-root-ca.crt"
_NAMESPACED = [
    row for row in RESOURCES if row.namespaced and not row.storage[1] and not (row.group == "autoscaling" and row.version == "v1")
]


def reconcile(cluster: Cluster) -> datetime | None:
    due = None
    for namespace in cluster.all(NAMESPACES):
        if "deletionTimestamp" in namespace["metadata"]:
            due = earliest(due, _empty(cluster, namespace))
        else:
            _furnish(cluster, namespace)
    return due


def _furnish(cluster: Cluster, namespace: Json) -> None:
    name = namespace["metadata"]["name"]
    if namespace.get("status", {}).get("phase") != "Active":
        cluster.set_status(NAMESPACES, namespace, {"phase": "Active"})
    if cluster.store.peek(SERVICE_ACCOUNTS, name, "default") is None:
        cluster.create(SERVICE_ACCOUNTS, {"metadata": {"name": "default", "namespace": name}})
    if cluster.store.peek(CONFIG_MAPS, name, ROOT_CA) is None:
        data = {"ca.crt": "-----BEGIN CERTIFICATE-----\nsimulated\n-----END CERTIFICATE-----\n"}
        cluster.create(CONFIG_MAPS, {"metadata": {"name": ROOT_CA, "namespace": name}, "data": data})


def _empty(cluster: Cluster, namespace: Json) -> datetime | None:
    """Delete what is inside; let the namespace go once nothing is left."""
    name = namespace["metadata"]["name"]
    left = 0
    for row in _NAMESPACED:
        for obj in cluster.store.list(row, name):
            left += 1
            if "deletionTimestamp" not in obj["metadata"]:
                cluster.store.delete(row, name, obj["metadata"]["name"], grace_seconds=grace_of(row, obj))
    if left:
        return cluster.after(1)
    finalizers = [each for each in namespace.get("spec", {}).get("finalizers", []) if each != "kubernetes"]
    cluster.store.update(NAMESPACES, {**namespace, "spec": {"finalizers": finalizers}}, subresource="finalize")
    return None
