"""Endpoints and EndpointSlices: the ready and not ready addresses behind each Service with a selector."""

from datetime import datetime

from simulator.controllers import pods
from simulator.controllers.cluster import ENDPOINTS, SERVICES, SLICES, Cluster, Json, owner_reference
from simulator.resources import Resource


def reconcile(cluster: Cluster) -> datetime | None:
    return cluster.each(cluster.all(SERVICES), _one)


def _one(cluster: Cluster, service: Json) -> None:
    selector = service["spec"].get("selector")
    if selector and "deletionTimestamp" not in service["metadata"]:
        group = cluster.pods_with(service["metadata"]["namespace"], selector)
        if cluster.is_known("endpoints", service, *group, *_made(cluster, service)):
            return
        behind = [pod for pod in group if _has_address(pod)]
        _endpoints(cluster, service, behind)
        _slice(cluster, service, behind)


def _made(cluster: Cluster, service: Json) -> tuple[Json | None, Json | None]:
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    return cluster.store.peek(ENDPOINTS, namespace, name), cluster.store.peek(SLICES, namespace, _slice_name(service))


def _slice_name(service: Json) -> str:
    return f"{service['metadata']['name']}-{service['metadata']['uid'][:5]}"


def _has_address(pod: Json) -> bool:
    return bool(pod.get("status", {}).get("podIP")) and pods.is_active(pod)


def _reference(pod: Json) -> Json:
    return {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"], "uid": pod["metadata"]["uid"]}


def _ports(service: Json) -> list[Json]:
    ports = service["spec"].get("ports", ())
    return [{"name": each.get("name", ""), "port": _number(each), "protocol": each.get("protocol", "TCP")} for each in ports]


def _number(port: Json) -> int:
    target = port.get("targetPort", port["port"])
    return target if isinstance(target, int) else int(port["port"])


def _endpoints(cluster: Cluster, service: Json, behind: list[Json]) -> None:
    subset: Json = {}
    for field, wanted in (("addresses", True), ("notReadyAddresses", False)):
        chosen = [pod for pod in behind if pods.is_ready(pod) is wanted]
        if chosen:
            subset[field] = [
                {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": _reference(pod)} for pod in chosen
            ]
    body: Json = {"metadata": _meta(service), "subsets": [{**subset, "ports": _ports(service)}] if subset else []}
    if not subset:
        del body["subsets"]
    _put(cluster, ENDPOINTS, body, ("subsets",))


def _slice(cluster: Cluster, service: Json, behind: list[Json]) -> None:
    meta = _meta(service)
    meta["name"] = _slice_name(service)
    meta["labels"] = {
        **meta["labels"],
        "kubernetes.io/service-name": service["metadata"]["name"],
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    meta["ownerReferences"] = [owner_reference(service)]
    members = [
        {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {"ready": pods.is_ready(pod), "serving": pods.is_ready(pod), "terminating": False},
            "nodeName": pod["spec"]["nodeName"],
            "targetRef": _reference(pod),
        }
        for pod in behind
    ]
    _put(cluster, SLICES, {"metadata": meta, "addressType": "IPv4", "endpoints": members, "ports": _ports(service)}, ("endpoints", "ports"))


def _meta(service: Json) -> Json:
    meta = service["metadata"]
    return {"name": meta["name"], "namespace": meta["namespace"], "labels": dict(meta.get("labels", {}))}


def _put(cluster: Cluster, row: Resource, body: Json, fields: tuple[str, ...]) -> None:
    meta = body["metadata"]
    old = cluster.store.peek(row, meta["namespace"], meta["name"])
    if old is None:
        cluster.create(row, body)
    elif any(old.get(field) != body.get(field) for field in fields):
        kept = {key: value for key, value in old.items() if key not in fields}
        cluster.update(row, {**kept, **{field: body[field] for field in fields if field in body}})
