"""Volumes that are attached to a node where nobody uses them any more are detached; from a node that is silent, only after six minutes,
because its machine may still write to them. The out-of-service taint says that it does not. Nothing is attached here: no driver is played.
"""

from datetime import datetime, timedelta

from simulator.controllers.cluster import CLAIMS, NODES, PODS, VOLUME_ATTACHMENTS, Cluster, Json, moment
from simulator.controllers.conditions import find
from simulator.controllers.pod_gc import OUT_OF_SERVICE

FORCED_AFTER = timedelta(minutes=6)


def reconcile(cluster: Cluster) -> datetime | None:
    return cluster.each(cluster.all(VOLUME_ATTACHMENTS), _detach)


def _detach(cluster: Cluster, attachment: Json) -> datetime | None:
    spec = attachment["spec"]
    if spec["source"].get("persistentVolumeName", "") in _used(cluster, spec["nodeName"]):
        return None
    node = cluster.store.peek(NODES, None, spec["nodeName"])
    due = _silent_since(node) if node is not None else None
    if due is not None and due + FORCED_AFTER > cluster.now:
        return due + FORCED_AFTER
    cluster.store.delete(VOLUME_ATTACHMENTS, None, attachment["metadata"]["name"], uid=attachment["metadata"]["uid"])
    return None


def _used(cluster: Cluster, node: str) -> set[str]:
    """Persistent volumes of the pods there."""
    found = set()
    for pod in cluster.all(PODS):
        if pod["spec"].get("nodeName") == node:
            for volume in pod["spec"].get("volumes") or ():
                name = (volume.get("persistentVolumeClaim") or {}).get("claimName", "")
                claim = cluster.store.peek(CLAIMS, pod["metadata"]["namespace"], name) if name else None
                found.add((claim or {}).get("spec", {}).get("volumeName", ""))
    return found - {""}


def _silent_since(node: Json) -> datetime | None:
    if any(taint["key"] == OUT_OF_SERVICE for taint in node["spec"].get("taints", ())):
        return None
    ready = find(node.get("status", {}).get("conditions", []), "Ready")
    return moment(ready["lastTransitionTime"]) if ready is not None and ready["status"] == "Unknown" else None
