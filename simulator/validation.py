"""What the API server refuses in an object: types, names, ranges, immutable fields. Called by the routes, with defaults already in.

Rules of pods and pod templates are in `pod_rules`. Controllers write past these checks, as they are trusted.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from simulator import errors, field_types, pod_rules
from simulator.errors import Cause
from simulator.resources import Resource, resource
from simulator.routes.calls import Call
from simulator.routes.selecting import label_selector
from simulator.schemas import validating
from simulator.store import Check, Store

Json = dict[str, Any]
Causes = Iterator[Cause]
_NAMESPACES = resource("", "namespaces")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_LABEL_NAMES = ("namespaces", "services", "statefulsets")
_PATH_NAMES = ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character "
    "(e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character "
    "(e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_ENDS = "and must start and end with an alphanumeric character"
_KEY_TEXT = (
    f"name part must consist of alphanumeric characters, '-', '_' or '.', {_ENDS} "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_TEXT = (
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {_ENDS} "
    "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_PERCENT_TEXT = "a valid percent string must be a numeric string followed by an ending '%'"
_STATEFUL_MUTABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_PROTECTED_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


def types(row: Resource, obj: Json, *, patched: bool) -> None:
    """Refuse fields of a wrong type: 422 for a patch, 400 for a whole object."""
    found = "" if row.definition or row.plural == "customresourcedefinitions" else field_types.fault(obj, row.kind)
    if not found:
        return
    if patched:
        shown = json.dumps(obj, separators=(",", ":"))[:256]
        cause = Cause("FieldValueInvalid", f"Invalid value: {json.dumps(shown)}: {found}", "patch")
        raise errors.invalid("", "", "", [cause])
    raise errors.bad_request(f'{row.kind} in version "{row.version}" cannot be handled as a {row.kind}: {found}')


def options(call: Call) -> None:
    """422 for a field manager that is too long."""
    if len(call.query.get("fieldManager", "")) > 128:
        kinds = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}
        cause = Cause("FieldValueTooLong", "Too long: may not be more than 128 bytes", "fieldManager")
        raise errors.invalid("meta.k8s.io", kinds[call.verb], "", [cause])


def open_namespace_of(store: Store, row: Resource, namespace: str, name: str) -> None:
    """As `open_namespace`, for a row that may have none."""
    if row.namespaced:
        open_namespace(store, row, namespace, name)


def open_namespace(store: Store, row: Resource, namespace: str, name: str) -> None:
    """404 for a namespace that is not there, 403 for one that is going away."""
    found = store.peek(_NAMESPACES, None, namespace)
    if found is None:
        raise errors.not_found("", "namespaces", namespace)
    if "deletionTimestamp" in found["metadata"]:
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        cause = Cause("NamespaceTerminating", f"namespace {namespace} is being terminated", "metadata.namespace")
        raise errors.forbidden(row.group, row.plural, name, why, [cause])


def deletable(row: Resource, name: str) -> None:
    """403 for the namespaces that every cluster keeps."""
    if row.plural == "namespaces" and name in _PROTECTED_NAMESPACES:
        raise errors.forbidden("", "namespaces", name, "this namespace may not be deleted")


def checker(store: Store, row: Resource, subresource: str = "") -> Check:
    """The check that the store runs on what it is about to keep."""

    def check(old: Json | None, new: Json) -> None:
        if subresource in ("status", "finalize"):
            return
        causes = [*_metadata(row, new), *_finalizers(old, new), *_CREATED.get(row.plural, _nothing)(new)]
        if row.definition:
            causes += validating.faults(store.kinds.node(row), new)
        if old is not None:
            causes += (
                pod_rules.resize(old, new)
                if subresource == "resize"
                else []
                if subresource == "ephemeralcontainers"
                else [*_CHANGED.get(row.plural, _unchanging)(old, new)]
            )
        if causes:
            raise errors.invalid(row.group, row.kind, new["metadata"]["name"], causes)
        if subresource == "resize" and old is not None and old["spec"] != new["spec"]:
            pod_rules.on_capable_node(old)
            pod_rules.fits_node(store, old, new)

    return check


def scale(obj: Json, replicas: Any, *, patched: bool) -> None:
    """Refuse a replica count that is none: 400 for a wrong type (422 in a patch), 422 below zero."""
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        shown = "string" if isinstance(replicas, str) else "number"
        why = f"json: cannot unmarshal {shown} into Go struct field ScaleSpec.spec.replicas of type int32"
        if patched:
            shown = json.dumps(json.dumps({"kind": "Scale", "spec": {"replicas": replicas}}))
            raise errors.invalid("", "", "", [Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", "patch")])
        raise errors.bad_request(f'Scale in version "v1" cannot be handled as a Scale: {why}')
    if replicas < 0:
        raise errors.invalid("autoscaling", "Scale", obj["metadata"]["name"], [_negative("spec.replicas", replicas)])


# -- every object ----------------------------------------------------------------------------------------------------------


def _metadata(row: Resource, obj: Json) -> Causes:
    meta = obj["metadata"]
    if prefix := str(meta.get("generateName") or ""):
        for cause in _name(row, prefix.removesuffix("-"), "metadata.generateName"):
            yield cause._replace(message=cause.message.replace(json.dumps(prefix.removesuffix("-")), json.dumps(prefix)))
    yield from _name(row, str(meta["name"]), "metadata.name")
    yield from _marks(meta)


def _name(row: Resource, name: str, field: str) -> Causes:
    if row.plural in _PATH_NAMES:
        if name in (".", "..") or "/" in name or "%" in name:
            yield _invalid(field, name, "may not contain '/' or '%'")
    elif row.plural in _LABEL_NAMES:
        if "." in name:
            yield _invalid(field, name, "must not contain dots")
        elif not _LABEL.fullmatch(name) or len(name) > 63:
            yield _invalid(field, name, _LABEL_TEXT)
    elif not _SUBDOMAIN.fullmatch(name) or len(name) > 253:
        yield _invalid(field, name, _SUBDOMAIN_TEXT)


def _marks(meta: Json) -> Causes:
    """Labels, annotations and finalizers."""
    for key, value in (meta.get("labels") or {}).items():
        yield from _label(key, value, "metadata.labels")
    for key in meta.get("annotations") or ():
        prefix, slash, name = key.lower().rpartition("/")
        if not _QUALIFIED.fullmatch(name) or len(name) > 63 or (slash and not _SUBDOMAIN.fullmatch(prefix)):
            yield _invalid("metadata.annotations", key, _KEY_TEXT)
    for index, finalizer in enumerate(meta.get("finalizers") or ()):
        if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            yield _invalid(
                f"metadata.finalizers[{index}]", finalizer, "name is neither a standard finalizer name nor is it fully qualified"
            )
    size = sum(len(key) + len(value or "") for key, value in (meta.get("annotations") or {}).items())
    if size > 256 * 1024:
        yield Cause("FieldValueTooLong", "Too long: may not be more than 262144 bytes", "metadata.annotations")


def _finalizers(old: Json | None, new: Json) -> Causes:
    """An object that is being deleted gets no further finalizers."""
    if old is None or "deletionTimestamp" not in old["metadata"]:
        return
    known = old["metadata"].get("finalizers") or []
    added = [each for each in new["metadata"].get("finalizers") or [] if each not in known]
    if added:
        shown = "[]string{" + ", ".join(f'"{each}"' for each in added) + "}"
        why = f"Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers {shown}"
        yield Cause("FieldValueForbidden", why, "metadata.finalizers")


def _label(key: str, value: str, field: str) -> Causes:
    prefix, slash, name = key.rpartition("/")
    if not _QUALIFIED.fullmatch(name) or len(name) > 63 or (slash and not _SUBDOMAIN.fullmatch(prefix)):
        yield _invalid(field, key, _KEY_TEXT)
    if value and (not _QUALIFIED.fullmatch(value) or len(value) > 63):
        yield _invalid(field, value, _VALUE_TEXT)


def _invalid(field: str, value: Any, why: str) -> Cause:
    shown = json.dumps(value, separators=(",", ":"))
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", field)


def _negative(field: str, value: int) -> Cause:
    return _invalid(field, value, "must be greater than or equal to 0")


def _required(field: str, why: str = "") -> Cause:
    return Cause("FieldValueRequired", f"Required value: {why}" if why else "Required value", field)


def _nothing(_obj: Json) -> Causes:
    return iter(())


def _unchanging(_old: Json, _new: Json) -> Causes:
    return iter(())


def _at_least(spec: Json, minimum: int, *fields: str) -> Causes:
    for field in fields:
        value = spec.get(field)
        if value is not None and value < minimum:
            yield _invalid(f"spec.{field}", value, f"must be greater than or equal to {minimum}")


def _immutable(old: Json, new: Json, *fields: str) -> Causes:
    for field in fields:
        before, after = old.get("spec", {}).get(field), new.get("spec", {}).get(field)
        if before != after:
            yield _invalid(f"spec.{field}", after, "field is immutable")


# -- kinds -----------------------------------------------------------------------------------------------------------------


def _workload(obj: Json) -> Causes:
    spec = obj["spec"]
    yield from _at_least(spec, 0, "replicas", "revisionHistoryLimit", "minReadySeconds")
    selector, template = spec.get("selector"), spec.get("template")
    if not selector:
        yield _required("spec.selector")
    if not isinstance(template, dict):
        yield _required("spec.template")
        return
    labels = (template.get("metadata") or {}).get("labels") or {}
    if selector and not label_selector(selector)(labels):
        yield _invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    yield from pod_rules.spec(template.get("spec") or {}, "spec.template.spec")
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    if policy != "Always":
        yield Cause(
            "FieldValueNotSupported", f'Unsupported value: "{policy}": supported values: "Always"', "spec.template.spec.restartPolicy"
        )


def _deployment(obj: Json) -> Causes:
    yield from _workload(obj)
    spec = obj["spec"]
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    if spec["strategy"].get("type") == "Recreate" and rolling:
        why = "Forbidden: may not be specified when strategy `type` is 'Recreate'"
        yield Cause("FieldValueForbidden", why, "spec.strategy.rollingUpdate")
    if all(str(rolling.get(side, "1")).rstrip("%") == "0" for side in ("maxSurge", "maxUnavailable")):
        yield _invalid("spec.strategy.rollingUpdate.maxUnavailable", rolling.get("maxUnavailable"), "may not be 0 when `maxSurge` is 0")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        yield _invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _stateful_changed(old: Json, new: Json) -> Causes:
    for field in sorted(old["spec"].keys() | new["spec"].keys()):
        if field not in _STATEFUL_MUTABLE:
            yield from _immutable(old, new, field)


def _job(obj: Json) -> Causes:
    spec = obj["spec"]
    yield from _at_least(spec, 0, "parallelism", "completions", "backoffLimit", "activeDeadlineSeconds")
    template = spec.get("template")
    if not isinstance(template, dict):
        yield _required("spec.template")
        return
    yield from pod_rules.spec(template.get("spec") or {}, "spec.template.spec")
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy not in ("OnFailure", "Never"):
        text = f'Unsupported value: "{policy}": supported values: "OnFailure", "Never"'
        yield Cause("FieldValueNotSupported", text, "spec.template.spec.restartPolicy")


def _job_changed(old: Json, new: Json) -> Causes:
    yield from _immutable(old, new, "completions", "selector", "completionMode", "podFailurePolicy")
    never_started = old["spec"].get("suspend") and not old.get("status", {}).get("startTime")
    if not never_started:
        yield from _immutable(old, new, "template")


def _cron_job(obj: Json) -> Causes:
    spec = obj["spec"]
    schedule = spec.get("schedule")
    if not schedule:
        yield _required("spec.schedule")
    elif not str(schedule).startswith("@") and len(str(schedule).split()) != 5:
        yield _invalid("spec.schedule", schedule, f"expected exactly 5 fields, found {len(str(schedule).split())}: [{schedule}]")
    if not spec.get("jobTemplate"):
        yield _required("spec.jobTemplate")
    if spec.get("concurrencyPolicy") not in ("Allow", "Forbid", "Replace"):
        text = f'Unsupported value: "{spec.get("concurrencyPolicy")}": supported values: "Allow", "Forbid", "Replace"'
        yield Cause("FieldValueNotSupported", text, "spec.concurrencyPolicy")


def _autoscaler(obj: Json) -> Causes:
    spec = obj["spec"]
    if not (spec.get("scaleTargetRef") or {}).get("name"):
        yield _required("spec.scaleTargetRef.name")
    yield from _at_least(spec, 0, "minReplicas")
    kinds = {each.get("type") for each in spec.get("metrics") or ()}
    if spec.get("minReplicas") == 0 and not kinds & {"Object", "External"}:
        why = "Forbidden: must specify at least one Object or External metric to support scaling to zero replicas"
        yield Cause("FieldValueForbidden", why, "spec.metrics")
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if most < 1:
        yield _invalid("spec.maxReplicas", most, "must be greater than 0")
    if most < least:
        yield _invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")


def _budget(obj: Json) -> Causes:
    spec = obj["spec"]
    if "minAvailable" in spec and "maxUnavailable" in spec:
        shown = {"MinAvailable": spec["minAvailable"], "Selector": spec.get("selector"), "MaxUnavailable": spec["maxUnavailable"]}
        shown["UnhealthyPodEvictionPolicy"] = spec.get("unhealthyPodEvictionPolicy")
        yield _invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    for field in ("minAvailable", "maxUnavailable"):
        value = spec.get(field)
        if isinstance(value, int) and value < 0:
            yield _negative(f"spec.{field}", value)
        elif isinstance(value, str) and not re.fullmatch(r"(100|[0-9]{1,2})%", value):
            why = f"{_PERCENT_TEXT} (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
            yield _invalid(f"spec.{field}", value, why)


def _service(obj: Json) -> Causes:
    spec = obj["spec"]
    if not spec.get("ports") and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        yield _required("spec.ports")
    for index, port in enumerate(spec.get("ports") or ()):
        number = port.get("port")
        if not isinstance(number, int) or not 1 <= number <= 65_535:
            yield _invalid(f"spec.ports[{index}].port", number, "must be between 1 and 65535, inclusive")
        if len(spec["ports"]) > 1 and not port.get("name"):
            yield _required(f"spec.ports[{index}].name")


def _service_changed(old: Json, new: Json) -> Causes:
    if new["spec"].get("type") != "ExternalName" and old["spec"].get("clusterIP") not in (None, new["spec"].get("clusterIP")):
        yield _invalid("spec.clusterIPs[0]", [new["spec"].get("clusterIP")], "may not change once set")


def _pod(obj: Json) -> Causes:
    return pod_rules.spec(obj.get("spec") or {}, "spec")


def _node(obj: Json) -> Causes:
    for index, taint in enumerate(obj.get("spec", {}).get("taints") or ()):
        if taint.get("effect") not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
            text = f'Unsupported value: "{taint.get("effect")}": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'
            yield Cause("FieldValueNotSupported", text, f"metadata.taints[{index}].effect")


def _binding(obj: Json) -> Causes:
    if (obj.get("roleRef") or {}).get("kind") not in ("Role", "ClusterRole"):
        text = f'Unsupported value: "{(obj.get("roleRef") or {}).get("kind", "")}": supported values: "Role", "ClusterRole"'
        yield Cause("FieldValueNotSupported", text, "roleRef.kind")


def _binding_changed(old: Json, new: Json) -> Causes:
    if old.get("roleRef") != new.get("roleRef"):
        now = new.get("roleRef") or {}
        shown = {"APIGroup": now.get("apiGroup", ""), "Kind": now.get("kind", ""), "Name": now.get("name", "")}
        yield _invalid("roleRef", shown, "field is immutable")


def _rules(obj: Json) -> Causes:
    for index, rule in enumerate(obj.get("rules") or ()):
        if not rule.get("verbs"):
            yield _required(f"rules[{index}].verbs")


def _frozen(old: Json, new: Json) -> Causes:
    if old.get("immutable") and (old.get("data") != new.get("data") or not new.get("immutable")):
        yield Cause("FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set", "data")


def _claim_changed(old: Json, new: Json) -> Causes:
    before = {field: value for field, value in old["spec"].items() if field not in ("resources", "volumeName")}
    after = {field: value for field, value in new["spec"].items() if field not in ("resources", "volumeName")}
    if before != after:
        why = "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        yield Cause("FieldValueForbidden", why, "spec")


def _crd(obj: Json) -> Causes:
    """Names, versions and schemas of a definition."""
    spec, names = obj["spec"], obj["spec"].get("names") or {}
    if obj["metadata"]["name"] != f"{names.get('plural')}.{spec.get('group')}":
        yield _invalid("metadata.name", obj["metadata"]["name"], 'must be spec.names.plural+"."+spec.group')
    versions = spec.get("versions") or []
    stored = [each for each in versions if each.get("storage")]
    if len(stored) != 1:
        told = [{"Name": each.get("name"), "Served": each.get("served"), "Storage": each.get("storage"), **_UNSAID} for each in versions]
        yield _invalid("spec.versions", told, "must have exactly one version marked as storage version")
        yield _invalid("status.storedVersions", None, "must have at least one stored version")
    for index, each in enumerate(versions):
        name = str(each.get("name"))
        if not _DNS_1035.fullmatch(name):
            yield _invalid(f"spec.versions[{index}].name", name, _DNS_1035_TEXT)
            yield _invalid("spec.version", name, _DNS_1035_TEXT)
        schema = (each.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            yield _required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")
        elif not schema.get("type"):
            place = "spec.validation" if len(versions) == 1 else f"spec.versions[{index}].schema"
            yield _required(f"{place}.openAPIV3Schema.type", "must not be empty at the root")


def _priority_changed(old: Json, new: Json) -> Causes:
    if old.get("value") != new.get("value"):
        yield Cause("FieldValueForbidden", "Forbidden: may not be changed in an update.", "value")


def _class_changed(old: Json, new: Json) -> Causes:
    for field in ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"):
        if old.get(field) != new.get(field):
            yield _invalid(field, None, "field is immutable")


_UNSAID: Json = dict.fromkeys(
    ("Deprecated", "DeprecationWarning", "Schema", "Subresources", "AdditionalPrinterColumns", "SelectableFields")
) | {"Deprecated": False}
_DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_DNS_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)

_CREATED: dict[str, Callable[[Json], Causes]] = {
    "pods": _pod,
    "deployments": _deployment,
    "replicasets": _workload,
    "statefulsets": _workload,
    "daemonsets": _workload,
    "jobs": _job,
    "cronjobs": _cron_job,
    "horizontalpodautoscalers": _autoscaler,
    "poddisruptionbudgets": _budget,
    "services": _service,
    "customresourcedefinitions": _crd,
    "nodes": _node,
    "roles": _rules,
    "clusterroles": _rules,
    "rolebindings": _binding,
    "clusterrolebindings": _binding,
}

_CHANGED: dict[str, Callable[[Json, Json], Causes]] = {
    "pods": pod_rules.changed,
    "deployments": lambda old, new: _immutable(old, new, "selector"),
    "replicasets": lambda old, new: _immutable(old, new, "selector"),
    "daemonsets": lambda old, new: _immutable(old, new, "selector"),
    "statefulsets": _stateful_changed,
    "jobs": _job_changed,
    "services": _service_changed,
    "rolebindings": _binding_changed,
    "clusterrolebindings": _binding_changed,
    "configmaps": _frozen,
    "secrets": _frozen,
    "persistentvolumeclaims": _claim_changed,
    "priorityclasses": _priority_changed,
    "storageclasses": _class_changed,
}
