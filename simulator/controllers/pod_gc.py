"""Pod garbage: terminating pods that no kubelet will end, because they were never bound or their node is gone or fenced."""

from datetime import datetime

from simulator.controllers.cluster import NODES, PODS, Cluster, Json

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


def reconcile(cluster: Cluster) -> datetime | None:
    nodes = {node["metadata"]["name"]: node for node in cluster.all(NODES)}
    for pod in cluster.all(PODS):
        if _is_garbage(pod, nodes):
            meta = pod["metadata"]
            cluster.store.delete(PODS, meta["namespace"], meta["name"], uid=meta["uid"], grace_seconds=0)
    return None


def _is_garbage(pod: Json, nodes: dict[str, Json]) -> bool:
    name = pod["spec"].get("nodeName")
    if not name:
        return "deletionTimestamp" in pod["metadata"]
    node = nodes.get(name)
    if node is None:
        return True
    fenced = any(taint["key"] == OUT_OF_SERVICE for taint in node["spec"].get("taints", ()))
    return fenced and "deletionTimestamp" in pod["metadata"]
