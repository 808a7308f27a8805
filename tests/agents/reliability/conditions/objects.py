"""Kubernetes objects as the API server gives them, healthy unless said otherwise; and a look at them by the reliability agent."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from agents.catalogue import AGENTS
from agents.consulting import Consultation, examine
from agents.desk import Agent, Desk
from core.cluster import decoding
from core.cluster.objects import STRUCTS
from core.cluster.observed import OBSERVED
from core.cluster.snapshot import Snapshot
from core.domain.values import Json

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RELIABILITY = next(agent for agent in AGENTS if agent.name == "reliability")
NAMESPACE = "apps"


def ago(**span: float) -> str:
    return f"{NOW - timedelta(**span):%Y-%m-%dT%H:%M:%SZ}"


def merged(base: Json, over: Json) -> Json:
    """`over` laid over `base`, maps into maps."""
    both = dict(base)
    for key, value in over.items():
        both[key] = merged(both[key], value) if isinstance(value, dict) and isinstance(both.get(key), dict) else value
    return both


def made(kind: str, name: str, *, namespace: str | None = NAMESPACE, days: float = 10, **more: Any) -> Json:
    row = OBSERVED[kind]
    place = {"namespace": namespace} if row.namespaced and namespace else {}
    meta = {"name": name, "uid": f"{kind.lower()}-{name}", "generation": 1, "creationTimestamp": ago(days=days), **place}
    return merged({"apiVersion": row.api_version, "kind": kind, "metadata": meta}, more)


def owned_by(item: Json) -> Json:
    owner = {"apiVersion": item["apiVersion"], "kind": item["kind"], "name": item["metadata"]["name"], "uid": item["metadata"]["uid"]}
    return {"ownerReferences": [{**owner, "controller": True}]}


def container(name: str = "app", **more: Any) -> Json:
    return merged({"name": name, "image": f"registry.example/{name}:1", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}, more)


def running(name: str = "app", *, restarts: int = 0, minutes: float = 600, **more: Any) -> Json:
    state = {"running": {"startedAt": ago(minutes=minutes)}}
    return merged({"name": name, "ready": True, "restartCount": restarts, "image": f"registry.example/{name}:1", "state": state}, more)


def waiting(reason: str, message: str = "", *, name: str = "app", restarts: int = 0, last: Json | None = None) -> Json:
    status = {"name": name, "ready": False, "restartCount": restarts, "image": f"registry.example/{name}:1"}
    return {**status, "state": {"waiting": {"reason": reason, "message": message}}, "lastState": {"terminated": last} if last else {}}


def condition(kind: str, status: str, reason: str = "", message: str = "", *, minutes: float = 60) -> Json:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": ago(minutes=minutes)}


def pod(owner: Json | None = None, name: str = "web-1", *, hours: float = 2, is_ready: bool = True, **more: Any) -> Json:
    conditions = [condition("Ready", str(is_ready)), condition("PodScheduled", "True")]
    base = made(
        "Pod",
        name,
        days=hours / 24,
        metadata={"labels": {"app": "web"}, **(owned_by(owner) if owner else {})},
        spec={"nodeName": "node-1", "dnsPolicy": "ClusterFirst", "serviceAccountName": "default", "containers": [container()]},
        status={"phase": "Running", "conditions": conditions, "containerStatuses": [running()], "startTime": ago(hours=hours)},
    )
    return merged(base, more)


def pending(owner: Json | None = None, name: str = "web-1", **more: Any) -> Json:
    """Bound to its node; nothing of it runs."""
    status = {"phase": "Pending", "conditions": [condition("PodScheduled", "True")], "containerStatuses": [waiting("ContainerCreating")]}
    return merged(pod(owner, name, is_ready=False, status=status), more)


def unscheduled(owner: Json | None, message: str, name: str = "web-1", **more: Any) -> Json:
    status = {"phase": "Pending", "conditions": [condition("PodScheduled", "False", "Unschedulable", message)], "containerStatuses": []}
    return merged(pod(owner, name, is_ready=False, spec={"nodeName": ""}, status=status), more)


def workload(kind: str = "Deployment", name: str = "web", *, replicas: int = 1, labels: Json | None = None, **more: Any) -> Json:
    labels = labels or {"app": "web"}
    status = {
        "observedGeneration": 1,
        "replicas": replicas,
        "updatedReplicas": replicas,
        "readyReplicas": replicas,
        "availableReplicas": replicas,
    }
    daemons = {"desiredNumberScheduled": replicas, "numberReady": replicas} if kind == "DaemonSet" else {}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": [container()]}}}
    sized = {} if kind == "DaemonSet" else {"replicas": replicas}
    return made(kind, name, **merged({"spec": spec | sized, "status": status | daemons}, more))


def replica_set(owner: Json, *, replicas: int = 1, **more: Any) -> Json:
    base = workload(
        "ReplicaSet", f"{owner['metadata']['name']}-5d4f8c7b9d", replicas=replicas, labels=owner["spec"]["selector"]["matchLabels"]
    )
    meta = {"annotations": {"deployment.kubernetes.io/revision": "1"}, **owned_by(owner)}
    return merged(merged(base, {"metadata": meta}), more)


def node(name: str = "node-1", **more: Any) -> Json:
    room = {"cpu": "8", "memory": "32Gi", "pods": "110"}
    info = {"kubeletVersion": "v1.37.2", "architecture": "amd64"}
    status = {"allocatable": room, "capacity": room, "nodeInfo": info, "conditions": [condition("Ready", "True", minutes=6000)]}
    return made("Node", name, **merged({"spec": {}, "status": status}, more))


def service(name: str = "web", **more: Any) -> Json:
    spec = {"type": "ClusterIP", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    return made("Service", name, **merged({"spec": spec}, more))


def event(of: Json, reason: str, message: str, *, minutes: float = 5, kind: str = "Warning") -> Json:
    meta = of["metadata"]
    involved = {"kind": of["kind"], "namespace": meta.get("namespace", ""), "name": meta["name"], "uid": meta["uid"]}
    body = {
        "involvedObject": involved,
        "reason": reason,
        "message": message,
        "type": kind,
        "count": 3,
        "lastTimestamp": ago(minutes=minutes),
    }
    return made("Event", f"{meta['name']}.{reason.lower()}", **body)


def cluster(*items: Json) -> Snapshot:
    """These objects in a healthy cluster of two nodes and its namespaces; every kind was read."""
    names = sorted({NAMESPACE, "kube-system"} - {item["metadata"]["name"] for item in items if item["kind"] == "Namespace"})
    nodes = [node(name) for name in ("node-1", "node-2") if not any(item["kind"] == "Node" for item in items)]
    around = [*(made("Namespace", name, status={"phase": "Active"}) for name in names), *nodes]
    found: dict[str, list[Any]] = {kind: [] for kind in OBSERVED if kind in STRUCTS}
    for item in (*around, *items):
        found[item["kind"]].append(decoding.convert_object(item["kind"], item))
    return Snapshot("c-1", NOW, {kind: tuple(objects) for kind, objects in found.items()})


def looked_at(items: Iterable[Json], *, unread: str = "", agent: Agent = RELIABILITY) -> Consultation:
    """What an agent says of them without metrics; `unread` is a kind that it was not allowed to read."""
    snapshot = cluster(*items)
    if unread:
        kept = {kind: objects for kind, objects in snapshot.objects.items() if kind != unread}
        snapshot = replace(snapshot, objects=kept, unread={unread: "forbidden"})
    return examine(agent, Desk(snapshot, NOW, "run-1"))
