"""PATCH with application/apply-patch+yaml: server-side apply of objects and of their scale."""

from functools import partial
from typing import Any

import yaml

from simulator import errors, validation
from simulator.clock import stamp
from simulator.errors import ApiError, Cause
from simulator.merging import copy
from simulator.patching import applying, field_sets
from simulator.patching.managed_fields import in_order
from simulator.routes import admission, versions
from simulator.routes.calls import Answer, Call, answer
from simulator.schemas.nodes import of_kind

Json = dict[str, Any]


def apply(call: Call) -> Answer:
    """200 with the object, 201 where it is new; 409 with one cause per field that another manager owns."""
    config = _config(call)
    live = call.store.get(call.resource, call.namespace, call.name)
    _require_identity(call, config, live)
    if live is None and call.subresource:
        raise errors.not_found(call.resource.group, call.resource.plural, call.name)
    shown = None if live is None else versions.out(call.resource, live)
    node = call.store.kinds.node(call.resource)
    for misfit in field_sets.misfits(node, config):
        raise _untyped(call, config, misfit)
    applied = _applied(call, shown, _of_subresource(call, config), node, call.subresource)
    check = validation.checker(call.store, call.resource, call.subresource)
    obj = versions.into(call.resource, applied.obj)
    if live is None:
        validation.open_namespace_of(call.store, call.resource, call.namespace, call.name)
        for field in ("uid", "resourceVersion"):
            obj["metadata"].pop(field, None)
        stored = call.store.create(
            call.resource, obj, dry_run=call.dry_run, check=check, admit=partial(admission.admit, call.store, call.resource)
        )
        return answer(versions.out(call.resource, stored), 201)
    asked = config["metadata"].get("resourceVersion")
    obj["metadata"]["resourceVersion"] = asked or live["metadata"]["resourceVersion"]
    owners = obj["metadata"].get("managedFields", [])
    stored = call.store.update(
        call.resource, obj, subresource=call.subresource, owners=owners, manager=call.manager, dry_run=call.dry_run, check=check
    )
    return answer(versions.out(call.resource, stored))


def apply_scale(call: Call, scale: Json) -> tuple[int, list[Json]]:
    """The replicas that an applied Scale asks for, and the managedFields of its workload. `scale` is what is shown now."""
    config = _config(call)
    live = call.required()
    owners = live["metadata"].get("managedFields") or []
    replicas: Json = {"f:spec": {"f:replicas": {}}}
    parts = [(each, field_sets.common(each.get("fieldsV1", {}), replicas)) for each in owners]
    shown = {**scale, "metadata": {**scale["metadata"], "managedFields": [{**each, "fieldsV1": part} for each, part in parts if part]}}
    applied = _applied(call, shown, config, of_kind("autoscaling", "v1", "Scale"), "scale")
    rest = [{**each, "fieldsV1": field_sets.without(each.get("fieldsV1", {}), replicas)} for each in owners]
    mine = [{**each, "apiVersion": call.resource.api_version} for each in applied.obj["metadata"].get("managedFields", [])]
    by_identity = {_identity(each): each for each in rest if each["fieldsV1"]}
    for each in mine:
        known = by_identity.get(_identity(each), each)
        by_identity[_identity(each)] = {**known, "fieldsV1": field_sets.union(known["fieldsV1"], each["fieldsV1"])}
    return applied.obj.get("spec", {}).get("replicas", 0), in_order(list(by_identity.values()))


def _identity(entry: Json) -> tuple[str, str, str]:
    return entry["manager"], entry["operation"], entry.get("subresource", "")


def _applied(call: Call, shown: Json | None, config: Json, node: Any, subresource: str) -> applying.Applied:
    moment, force = stamp(call.store.clock.now()), call.flag("force")
    given = copy(config)
    applied = applying.apply(shown, given, node, manager=call.query["fieldManager"], subresource=subresource, moment=moment, force=force)
    if applied.conflicts:
        raise _conflict(applied.conflicts)
    return applied


def _config(call: Call) -> Json:
    """What is applied. 422 without a manager, 400 for what is no object of this kind."""
    if not call.query.get("fieldManager"):
        cause = Cause("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
        raise errors.invalid("meta.k8s.io", "PatchOptions", "", [cause])
    try:
        told = yaml.safe_load(call.body)
    except yaml.YAMLError as broken:
        raise errors.bad_request(f"error decoding patch: error converting YAML to JSON: yaml: {str(broken)[:200]}") from broken
    if not isinstance(told, dict):
        shown = "array" if isinstance(told, list) else type(told).__name__
        why = f"json: cannot unmarshal {shown} into Go value of type map[string]interface {{}}"
        raise errors.bad_request(f"error decoding patch: error unmarshaling JSON: while decoding JSON: {why}")
    wanted = ("autoscaling/v1", "Scale") if call.subresource == "scale" else (call.resource.api_version, call.resource.kind)
    version, kind = str(told.get("apiVersion") or ""), str(told.get("kind") or "")
    if (version, kind) != wanted:
        raise errors.bad_request(f"invalid object type: {_gvk(version, kind)}")
    told["metadata"] = dict(told.get("metadata") or {})
    return told


def _gvk(api_version: str, kind: str) -> str:
    group, _, version = api_version.rpartition("/")
    return f"{group}/{version}, Kind={kind}"


def _require_identity(call: Call, config: Json, live: Json | None) -> None:
    meta = config["metadata"]
    if meta.get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    if call.resource.namespaced and meta.get("namespace", call.namespace) != call.namespace:
        raise errors.bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if meta.get("name", call.name) != call.name:
        raise errors.bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({call.name})")
    if live is None and meta.get("uid"):
        why = f"uid mismatch: the provided object specified uid {meta['uid']}, and no existing object was found"
        raise errors.conflict(call.resource.group, call.resource.plural, call.name, why)
    meta["name"] = call.name
    if call.resource.namespaced:
        meta["namespace"] = call.namespace


def _of_subresource(call: Call, config: Json) -> Json:
    """The part of a configuration that this path may write."""
    if call.subresource == "status":
        meta = {field: config["metadata"][field] for field in ("name", "namespace") if field in config["metadata"]}
        return {"apiVersion": config["apiVersion"], "kind": config["kind"], "metadata": meta, "status": config.get("status", {})}
    if "status" in call.resource.subresources:
        return {field: value for field, value in config.items() if field != "status"}
    return config


def _untyped(call: Call, config: Json, misfit: field_sets.Misfit) -> ApiError:
    named = f"/{call.name}; {_gvk(config['apiVersion'], config['kind'])}"
    return ApiError(500, "", f"failed to create typed patch object ({named}): {misfit.path}: {misfit.why}")


def _conflict(conflicts: list[applying.Conflict]) -> ApiError:
    """One sentence for one conflict; a list by managers for several."""
    causes = [Cause("FieldManagerConflict", f"conflict with {each.who}", each.path) for each in conflicts]
    if len(conflicts) == 1:
        shown = f"1 conflict: {causes[0].message}: {conflicts[0].path}"
    else:
        lines = [f"{len(conflicts)} conflicts: "]
        for who in dict.fromkeys(each.who for each in conflicts):
            lines.append(f"conflicts with {who}:")
            lines += [f"- {each.path}" for each in conflicts if each.who == who]
        shown = lines[0] + "\n".join(lines[1:])
    return ApiError(409, "Conflict", f"Apply failed with {shown}", {"causes": [each.json() for each in causes]})
