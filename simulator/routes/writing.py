"""POST, PUT, PATCH and DELETE of objects, and deletecollection."""

import json
from functools import partial
from typing import Any

from simulator import errors, pod_rules, validation
from simulator.merging import copy, finished, grace_of
from simulator.patching import json_patch, merge_patch, strategic
from simulator.resources import Resource, by_kind
from simulator.routes import admission, applying, events, reading, versions
from simulator.routes.calls import Answer, Call, answer, parse_json, require_dry_run
from simulator.schemas import shaping

Json = dict[str, Any]
_SERVER_MADE = (
    *("uid", "resourceVersion", "generation", "managedFields", "selfLink"),
    *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"),
)
_STATUS_ON_CREATE = ("nodes", "events", "persistentvolumes")
_OMITTED_EMPTY = ("labels", "annotations", "nodeSelector", "requests", "limits", "matchLabels", "data")
_SHOWN_LAST = ("pods", "storageclasses", "persistentvolumes", "persistentvolumeclaims", "volumeattachments", "csidrivers", "csinodes")
"""Kinds whose deletion answers with the object itself, also when it is gone at once."""
_PUT_CREATES = (
    *("services", "endpoints", "limitranges", "roles", "clusterroles", "rolebindings", "clusterrolebindings", "leases", "events"),
    *("endpointslices", "resourceclaims"),
)
"""Kinds that an update creates where there is none."""
JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)


def create(call: Call) -> Answer:
    obj = _identified(call, call.json_body())
    validation.options(call)
    validation.types(call.resource, obj, patched=False)
    obj = _shaped(call, obj)
    meta: Json = obj["metadata"]
    _require_namespace(call, str(meta.get("name", "")))
    for field in _SERVER_MADE:
        meta.pop(field, None)
    if "status" in call.resource.subresources and call.resource.plural not in _STATUS_ON_CREATE:
        obj.pop("status", None)
    if call.resource.kind == "Event":
        events.admit(call, obj)
    return _made(call, obj)


def _made(call: Call, obj: Json) -> Answer:
    check = validation.checker(call.store, call.resource)
    stored = call.store.create(
        call.resource,
        versions.into(call.resource, obj),
        manager=call.manager,
        dry_run=call.dry_run,
        check=check,
        admit=partial(admission.admit, call.store, call.resource),
    )
    return answer(versions.out(call.resource, stored), 201)


def _shaped(call: Call, obj: Json) -> Json:
    """The object without fields that its kind does not have. 400 names them where the call is strict; else they are dropped."""
    node = call.store.kinds.node(call.resource)
    found = sorted(shaping.unknown(node, obj))
    if not found:
        return obj
    if call.query.get("fieldValidation") == "Strict":
        row = call.resource
        listed = ", ".join(f'unknown field "{each}"' for each in found)
        raise errors.bad_request(
            f'{row.kind} in version "{row.version}" cannot be handled as a {row.kind}: strict decoding error: {listed}'
        )
    kept: Json = shaping.pruned(node, obj)
    return kept


def replace(call: Call) -> Answer:
    obj = _identified(call, call.json_body())
    validation.options(call)
    validation.types(call.resource, obj, patched=False)
    obj = _shaped(call, obj)
    if call.resource.definition and not obj["metadata"].get("resourceVersion"):
        cause = errors.Cause("FieldValueInvalid", "Invalid value: 0: must be specified for an update", "metadata.resourceVersion")
        raise errors.invalid_of(call.resource.group, call.resource.plural, call.name, cause)
    if call.store.peek(call.resource, call.namespace, call.name) is None:
        if call.resource.plural in _PUT_CREATES and not call.subresource:
            return _created_by_put(call, obj)
        raise errors.not_found(call.resource.group, call.resource.plural, call.name)
    if call.subresource == "resize":
        obj = pod_rules.only_resources(call.required(), obj)
    return _store(call, versions.into(call.resource, obj))


def _created_by_put(call: Call, obj: Json) -> Answer:
    """A few kinds may be made by a PUT to where nothing is."""
    for field in _SERVER_MADE:
        obj["metadata"].pop(field, None)
    _require_namespace(call, call.name)
    return _made(call, obj)


def patch(call: Call) -> Answer:
    """PATCH by content type. A resourceVersion in the patch is a precondition; without one the write is retried, so never conflicts."""
    kind = call.content_type.partition(";")[0].strip().lower()
    validation.options(call)
    if kind == APPLY_PATCH:
        return applying.apply(call)
    if kind not in (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH):
        raise errors.ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type")
    if call.resource.definition and kind == STRATEGIC_PATCH:
        raise errors.unsupported_patch((JSON_PATCH, MERGE_PATCH, APPLY_PATCH))
    old = versions.out(call.resource, call.required())
    new = patched(kind, call.body, copy(old))
    new = without_nulls(new)
    validation.types(call.resource, new, patched=True)
    new = _shaped(call, new)
    new["metadata"] = new.get("metadata") or {}
    for field in ("name", "namespace"):
        asked, live = new["metadata"].get(field, ""), old["metadata"].get(field, "")
        if asked != live:
            raise errors.bad_request(f"the {field} of the object ({asked}) does not match the {field} on the URL ({live})")
    _same_uid(call, new["metadata"].get("uid"), old["metadata"]["uid"])
    if call.subresource == "resize":
        new = pod_rules.only_resources(old, new)
    return _store(call, versions.into(call.resource, {**new, "apiVersion": old["apiVersion"], "kind": old["kind"]}))


def _same_uid(call: Call, asked: str | None, live: str) -> None:
    if asked and asked != live:
        cause = errors.Cause("FieldValueInvalid", f'Invalid value: "{asked[:80]}": field is immutable', "metadata.uid")
        raise errors.invalid(call.resource.group, call.resource.kind, call.name, [cause])


def patched(kind: str, body: bytes, old: Json) -> Json:
    """`old` after the patch in `body`; `old` is a copy that may be changed."""
    try:
        asked = parse_json(body)
    except errors.ApiError:
        raise errors.bad_request("invalid JSON patch") from None
    if kind == JSON_PATCH:
        new = json_patch.apply(old, asked)
    elif not isinstance(asked, dict):
        shown = {list: "array", str: "string", bool: "bool"}.get(type(asked), "number")
        raise errors.bad_request(f"error decoding patch: json: cannot unmarshal {shown} into Go value of type map[string]interface {{}}")
    else:
        new = merge_patch.merge(old, asked) if kind == MERGE_PATCH else strategic.merge(old, asked)
    if not isinstance(new, dict):
        raise errors.bad_request("the patch leaves no object")
    return new


def delete(call: Call) -> Answer:
    """DELETE of one object. With a body only the body's options count, also for dryRun; without one the query's do."""
    validation.deletable(call.resource, call.name)
    options = _delete_options(call)
    old = call.store.peek(call.resource, call.namespace, call.name)
    if old is None:
        raise errors.not_found(call.resource.group, call.resource.plural, call.name)
    marked = _delete_one(call, old, options)
    held = "deletionTimestamp" in marked["metadata"] and not finished(call.resource, marked)
    if call.resource.plural in _SHOWN_LAST or held:
        return answer(versions.out(call.resource, marked))
    details = {"name": call.name, "group": call.resource.group, "kind": call.resource.plural, "uid": old["metadata"]["uid"]}
    named = {key: value for key, value in details.items() if value}
    return answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": named})


def delete_collection(call: Call) -> Answer:
    options = _delete_options(call)
    chosen = reading.chosen(call)
    for each in chosen:
        _delete_one(call, each.obj, options)
    meta = {"resourceVersion": str(call.store.version())}
    return Answer(200, reading.joined(call.resource, [versions.item(call.resource, each) for each in chosen], meta))


def dry(call: Call) -> bool:
    """Whether a DELETE only tries: its body may say so, where no query shows it."""
    return bool(_delete_options(call)["dry_run"])


def _delete_one(call: Call, old: Json, options: Json) -> Json:
    grace = options["grace"] if options["grace"] is not None else grace_of(call.resource, old)
    if call.resource.plural != "pods" or not old.get("spec", {}).get("nodeName"):
        grace = 0
    marked = call.store.delete(
        call.resource,
        old["metadata"].get("namespace"),
        old["metadata"]["name"],
        uid=options["uid"],
        version=options["version"],
        grace_seconds=grace,
        propagation=options["propagation"],
        dry_run=options["dry_run"],
    )
    if marked and call.resource.plural != "pods" and finished(call.resource, marked):
        return old
    return marked or old


def _delete_options(call: Call) -> Json:
    body = call.json_body() if call.body.strip() else None
    if body is None:
        grace = call.number("gracePeriodSeconds")
        orphan = call.flag("orphanDependents") if "orphanDependents" in call.query else None
        _require_propagation(call.query.get("propagationPolicy"), orphan)
        return {
            "grace": grace,
            "uid": None,
            "version": None,
            "propagation": call.query.get("propagationPolicy") or ("Orphan" if orphan else "Background"),
            "dry_run": call.dry_run,
        }
    asked = body.get("preconditions") or {}
    _require_propagation(body.get("propagationPolicy"), body.get("orphanDependents"))
    return {
        "grace": body.get("gracePeriodSeconds"),
        "uid": asked.get("uid"),
        "version": asked.get("resourceVersion"),
        "propagation": body.get("propagationPolicy") or ("Orphan" if body.get("orphanDependents") else "Background"),
        "dry_run": require_dry_run(body.get("dryRun") or []),
    }


def _require_propagation(policy: Any, orphan: Any) -> None:
    """422 for a policy that is none, or for both ways of saying one."""
    if policy is None:
        return
    if orphan is not None:
        text = f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set'
        raise errors.invalid("meta.k8s.io", "DeleteOptions", "", [errors.Cause("FieldValueInvalid", text, "propagationPolicy")])
    if policy not in ("Foreground", "Background", "Orphan"):
        text = f'Unsupported value: {json.dumps(policy)[:80]}: supported values: "Foreground", "Background", "Orphan", "nil"'
        raise errors.invalid("meta.k8s.io", "DeleteOptions", "", [errors.Cause("FieldValueNotSupported", text, "propagationPolicy")])


def _store(call: Call, obj: Json) -> Answer:
    subresource = call.subresource
    check = validation.checker(call.store, call.resource, subresource)
    owners: list[Json] | None = [] if obj["metadata"].get("managedFields") == [{}] else None
    stored = call.store.update(
        call.resource, obj, subresource=subresource, manager=call.manager, owners=owners, dry_run=call.dry_run, check=check
    )
    return answer(versions.out(call.resource, stored))


def _identified(call: Call, obj: Json) -> Json:
    """The body with its kind, namespace and name made to agree with the path. 400 where they contradict it."""
    row = call.resource
    version, kind = obj.get("apiVersion") or row.api_version, obj.get("kind") or row.kind
    if (version, kind) != (row.api_version, row.kind):
        _known_kind(row, version, kind)
        short = f"{row.group.partition('.')[0]}.{row.kind}" if row.group else f"core.{row.kind}"
        shown = f"converting ({version.rpartition('/')[2]}.{kind}) to ({short}): unknown conversion"
        raise errors.bad_request(f'{kind} in version "{row.version}" cannot be handled as a {row.kind}: {shown}')
    meta = obj.get("metadata") or {}
    if not isinstance(meta, dict):
        raise errors.bad_request("metadata is not an object")
    namespace = meta.get("namespace") or call.namespace
    if row.namespaced and namespace != call.namespace:
        raise errors.bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if call.name and (meta.get("name") or call.name) != call.name:
        raise errors.bad_request(f"the name of the object ({meta.get('name')}) does not match the name on the URL ({call.name})")
    meta = {**meta, **({"namespace": namespace} if row.namespaced else {}), **({"name": call.name} if call.name else {})}
    told: Json = without_nulls({**obj, "apiVersion": version, "kind": kind, "metadata": meta})
    return told


def without_nulls(value: Any) -> Any:
    """A JSON value as decoding into typed objects leaves it: no null fields, no empty lists, no empty maps of texts."""
    if isinstance(value, dict):
        kept = {field: without_nulls(each) for field, each in value.items() if each is not None and each != []}
        return {field: each for field, each in kept.items() if each != {} or field not in _OMITTED_EMPTY}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return value


def _known_kind(row: Resource, version: str, kind: str) -> None:
    try:
        by_kind(version, kind)
    except KeyError:
        told = f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
        shown = version.rpartition("/")[2]
        raise errors.bad_request(f'{kind} in version "{shown}" cannot be handled as a {row.kind}: {told}') from None


def _require_namespace(call: Call, name: str) -> None:
    if not call.resource.namespaced:
        return
    validation.open_namespace(call.store, call.resource, call.namespace, name)
