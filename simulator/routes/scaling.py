"""The scale subresource: an autoscaling/v1 Scale over the replicas of a workload."""

from typing import Any

from simulator import errors, validation
from simulator.merging import copy
from simulator.routes import writing
from simulator.routes.calls import Answer, Call, answer

Json = dict[str, Any]


def get(call: Call) -> Answer:
    return answer(scale_of(call.required()))


def replace(call: Call) -> Answer:
    asked = call.json_body()
    if asked.get("kind", "Scale") != "Scale":
        raise errors.bad_request(f"wrong object passed to Scale update: {asked.get('kind')}")
    return _store(call, asked)


def patch(call: Call) -> Answer:
    kind = call.content_type.partition(";")[0].strip().lower()
    if kind == writing.APPLY_PATCH:
        raise errors.not_done("server-side apply on the scale subresource")
    shown = scale_of(call.required())
    asked = writing.patched(kind, call.body, copy(shown))
    version = asked["metadata"].get("resourceVersion")
    if version == shown["metadata"]["resourceVersion"]:
        asked["metadata"].pop("resourceVersion")
    return _store(call, asked, patched=True)


def scale_of(obj: Json) -> Json:
    """The Scale of a workload."""
    meta, spec, status = obj["metadata"], obj.get("spec", {}), obj.get("status", {})
    kept = {field: meta[field] for field in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp") if field in meta}
    shown: Json = {"replicas": status.get("replicas", 0)}
    if selector := selector_text(spec.get("selector")):
        shown["selector"] = selector
    wanted = {"replicas": spec["replicas"]} if spec.get("replicas") else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": kept, "spec": wanted, "status": shown}


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


def _store(call: Call, asked: Json, *, patched: bool = False) -> Answer:
    obj = call.required()
    replicas = (asked.get("spec") or {}).get("replicas", 0)
    validation.scale(obj, replicas, patched=patched)
    meta = asked.get("metadata") or {}
    obj["spec"]["replicas"] = replicas
    obj["metadata"] |= {"resourceVersion": meta.get("resourceVersion", ""), "uid": meta.get("uid") or obj["metadata"]["uid"]}
    check = validation.checker(call.store, call.resource, "scale")
    stored = call.store.update(call.resource, obj, subresource="scale", manager=call.manager, dry_run=call.dry_run, check=check)
    return answer(scale_of(stored))
