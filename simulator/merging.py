"""Which parts of an object a write may touch, and when a marked object is done. Pure; called by the store."""

from typing import Any

import msgspec

from simulator.resources import Resource

Json = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_SERVER_OWNED = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "resourceVersion",
    "namespace",
)
_BOOKKEEPING = ("managedFields", "resourceVersion", "generation")


def copy(value: Any) -> Any:
    """A deep copy of a JSON value. Writing and reading it as JSON is ten times faster than walking it."""
    return _decode(_encode(value))


def merged(resource: Resource, old: Json, new: Json, subresource: str) -> Json:
    """`new` with the parts of `old` that this kind of write may not touch."""
    meta: Json = new.setdefault("metadata", {})
    if subresource == "status":
        old_meta = dict(old["metadata"])
        if resource.plural in ("pods", "nodes"):
            old_meta |= {key: meta[key] for key in ("labels", "annotations") if key in meta}
        return {**old, "metadata": old_meta, "status": new.get("status", {})}
    for field in _SERVER_OWNED:
        if field in old["metadata"]:
            meta[field] = old["metadata"][field]
        else:
            meta.pop(field, None)
    if "status" in resource.subresources and subresource != "binding":
        new.pop("status", None)
        if "status" in old:
            new["status"] = old["status"]
    if resource.plural == "namespaces" and subresource != "finalize" and "spec" in old:
        new["spec"] = old["spec"]
    return {"apiVersion": old["apiVersion"], "kind": old["kind"], **new}


def moves_generation(resource: Resource, old: Json, new: Json) -> bool:
    """True when this write counts as a new generation: the spec changed, for deployments also the annotations."""
    if not resource.generations:
        return False
    annotated = resource.plural == "deployments" and old["metadata"].get("annotations") != new["metadata"].get("annotations")
    return bool(annotated or _counted(resource, old) != _counted(resource, new))


def _counted(resource: Resource, obj: Json) -> Any:
    """What a generation counts: the spec, or everything but metadata where there is none."""
    if resource.plural in ("endpointslices", "priorityclasses", "podtemplates"):
        return {field: value for field, value in obj.items() if field != "metadata"}
    return obj.get("spec")


def same(old: Json, new: Json) -> bool:
    """True when nothing but the bookkeeping differs."""
    if old.keys() != new.keys():
        return False
    if any(value != old[field] for field, value in new.items() if field != "metadata"):
        return False
    return _plain(old["metadata"]) == _plain(new["metadata"])


def _plain(meta: Json) -> Json:
    return {key: value for key, value in meta.items() if key not in _BOOKKEEPING}


def finished(resource: Resource, obj: Json) -> bool:
    """True when a marked object has nothing left to wait for."""
    meta = obj["metadata"]
    if "deletionTimestamp" not in meta or meta.get("finalizers"):
        return False
    if resource.plural == "namespaces" and obj.get("spec", {}).get("finalizers"):
        return False
    return not meta.get("deletionGracePeriodSeconds")


def grace_of(resource: Resource, obj: Json) -> int:
    """Seconds a deletion waits for: a pod's own grace once it is bound to a node, else none."""
    if resource.plural != "pods" or not obj.get("spec", {}).get("nodeName"):
        return 0
    if obj.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    return int(obj["spec"].get("terminationGracePeriodSeconds", 30))
