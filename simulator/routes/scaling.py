"""The scale subresource: an autoscaling/v1 Scale over the replicas of a workload."""

from typing import Any

from simulator import errors, validation
from simulator.merging import copy
from simulator.routes import applying, writing
from simulator.routes.calls import Answer, Call, answer

Json = dict[str, Any]
_SHOWN = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def get(call: Call) -> Answer:
    return answer(scale_of(call.required(), call.resource.replicas))


def replace(call: Call) -> Answer:
    asked = call.json_body()
    if asked.get("kind", "Scale") != "Scale":
        raise errors.bad_request(f"wrong object passed to Scale update: {asked.get('kind')}")
    return _store(call, asked)


def patch(call: Call) -> Answer:
    kind = call.content_type.partition(";")[0].strip().lower()
    shown = scale_of(call.required(), call.resource.replicas)
    if kind == writing.APPLY_PATCH:
        replicas, owners = applying.apply_scale(call, shown)
        return _store(call, {"spec": {"replicas": replicas}}, owners=owners)
    asked = writing.patched(kind, call.body, copy(shown))
    version = asked["metadata"].get("resourceVersion")
    if version == shown["metadata"]["resourceVersion"]:
        asked["metadata"].pop("resourceVersion")
    return _store(call, asked, patched=True)


def scale_of(obj: Json, paths: tuple[str, str, str] = ("", "", "")) -> Json:
    """The Scale of a workload. `paths` say where a custom resource keeps its numbers."""
    if paths[0]:
        return _custom_scale(obj, *paths)
    meta, spec, status = obj["metadata"], obj.get("spec", {}), obj.get("status", {})
    kept = {field: meta[field] for field in _SHOWN if field in meta}
    shown: Json = {"replicas": status.get("replicas", 0)}
    if selector := selector_text(spec.get("selector")):
        shown["selector"] = selector
    wanted = {"replicas": spec["replicas"]} if spec.get("replicas") else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": kept, "spec": wanted, "status": shown}


def _custom_scale(obj: Json, wanted: str, seen: str, selector: str) -> Json:
    meta = {field: obj["metadata"][field] for field in _SHOWN if field in obj["metadata"]}
    asked, shown = _at(obj, wanted), {"replicas": _at(obj, seen) or 0}
    if selector and (text := _at(obj, selector)):
        shown["selector"] = text
    spec = {"replicas": asked} if asked else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": shown}


def _at(obj: Json, path: str) -> Any:
    """What a path such as `.spec.replicas` leads to."""
    found: Any = obj
    for step in path.strip(".").split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _put(obj: Json, path: str, value: Any) -> None:
    *steps, last = path.strip(".").split(".")
    for step in steps:
        obj = obj.setdefault(step, {})
    obj[last] = value


def selector_text(selector: Json | None) -> str:
    """A selector as `kubectl` writes it: `app=web,tier in (a,b)`."""
    selector = selector or {}
    plain = selector and not {"matchLabels", "matchExpressions"} & selector.keys()
    exact = selector if plain else selector.get("matchLabels") or {}
    terms = [f"{key}={value}" for key, value in sorted(exact.items())]
    terms += [_expression(each["key"], each["operator"], each.get("values") or []) for each in selector.get("matchExpressions") or ()]
    return ",".join(terms)


def _expression(key: str, operator: str, values: list[str]) -> str:
    if operator == "Exists":
        return key
    if operator == "DoesNotExist":
        return f"!{key}"
    return f"{key} {operator.lower()} ({','.join(sorted(values))})"


def _store(call: Call, asked: Json, *, patched: bool = False, owners: list[Json] | None = None) -> Answer:
    obj = call.required()
    replicas = (asked.get("spec") or {}).get("replicas", 0)
    validation.scale(obj, replicas, patched=patched)
    meta = asked.get("metadata") or {}
    paths = call.resource.replicas
    _put(obj, paths[0] or ".spec.replicas", replicas)
    obj["metadata"] |= {"resourceVersion": meta.get("resourceVersion", ""), "uid": meta.get("uid") or obj["metadata"]["uid"]}
    check = validation.checker(call.store, call.resource, "scale")
    stored = call.store.update(
        call.resource, obj, subresource="scale", manager=call.manager, owners=owners, dry_run=call.dry_run, check=check
    )
    return answer(scale_of(stored, paths))
