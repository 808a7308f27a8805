"""Kubernetes Events, aggregated by object, reason and message as the API clients do it. Written quietly: no controller reads them."""

from datetime import timedelta
from functools import partial
from hashlib import sha256

from simulator.clock import stamp
from simulator.controllers.cluster import EVENTS, Cluster, Json, moment

KEPT = timedelta(hours=1)
"""What --event-ttl is by default."""


def record(cluster: Cluster, about: Json, reason: str, message: str, *, source: str, warning: bool = False, host: str = "") -> None:
    """Write or count up one event about `about`."""
    if cluster.now < cluster.events_from:
        return
    meta = about["metadata"]
    namespace = meta.get("namespace") or "default"
    name = _name(meta, reason, message)
    old = cluster.store.peek(EVENTS, namespace, name)
    if old is not None:
        cluster.quietly(lambda: cluster.store.update(EVENTS, _counted(cluster, old), manager=source))
        return
    event = _event(cluster, about, reason, message, source=source, warning=warning, host=host)
    event["metadata"] = {"name": name, "namespace": namespace}
    cluster.quietly(lambda: cluster.store.create(EVENTS, event, manager=source))


def prune(cluster: Cluster) -> None:
    """Drop what is older than the API server would keep."""
    for event in cluster.store.list(EVENTS):
        last = event.get("lastTimestamp") or event["metadata"]["creationTimestamp"]
        if moment(last) < cluster.now - KEPT:
            place = (event["metadata"]["namespace"], event["metadata"]["name"])
            cluster.quietly(partial(cluster.store.delete, EVENTS, *place))


def _name(meta: Json, reason: str, message: str) -> str:
    digest = sha256(f"{meta.get('uid')}/{reason}/{message}".encode()).hexdigest()[:16]
    return f"{meta['name']}.{digest}"


def _counted(cluster: Cluster, old: Json) -> Json:
    return {**old, "metadata": {**old["metadata"]}, "count": old.get("count", 1) + 1, "lastTimestamp": stamp(cluster.now)}


def _event(cluster: Cluster, about: Json, reason: str, message: str, *, source: str, warning: bool, host: str) -> Json:
    meta = about["metadata"]
    subject = {
        "apiVersion": about["apiVersion"],
        "kind": about["kind"],
        "name": meta["name"],
        "namespace": meta.get("namespace", ""),
        "uid": meta.get("uid", ""),
        "resourceVersion": meta.get("resourceVersion", ""),
    }
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": {key: value for key, value in subject.items() if value},
        "reason": reason,
        "message": message[:1024],
        "type": "Warning" if warning else "Normal",
        "source": {"component": source, **({"host": host} if host else {})},
        "reportingComponent": source,
        "reportingInstance": host,
        "firstTimestamp": stamp(cluster.now),
        "lastTimestamp": stamp(cluster.now),
        "eventTime": None,
        "count": 1,
    }
