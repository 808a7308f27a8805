"""JSON types of the fields that clients get wrong: numbers, flags, texts, maps of texts and lists.

The API server refuses them while decoding; we look fields up by name, and leave a name that means several things out.
"""

from typing import Any

from simulator.quantities import parse

Json = dict[str, Any]

_INT32 = frozenset(
    [
        "replicas",
        "minReplicas",
        "maxReplicas",
        "parallelism",
        "completions",
        "backoffLimit",
        "revisionHistoryLimit",
        "progressDeadlineSeconds",
        "minReadySeconds",
        "containerPort",
        "hostPort",
        "nodePort",
        "averageUtilization",
        "targetCPUUtilizationPercentage",
        "initialDelaySeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
        "timeoutSeconds",
        "successfulJobsHistoryLimit",
        "failedJobsHistoryLimit",
        "ttlSecondsAfterFinished",
        "priority",
        "partition",
        "maxSkew",
        "stabilizationWindowSeconds",
        "leaseDurationSeconds",
    ]
)
_INT64 = frozenset(
    [
        "terminationGracePeriodSeconds",
        "activeDeadlineSeconds",
        "runAsUser",
        "runAsGroup",
        "fsGroup",
        "tolerationSeconds",
        "startingDeadlineSeconds",
    ]
)
_BOOL = frozenset(
    [
        "suspend",
        "unschedulable",
        "paused",
        "hostPID",
        "hostNetwork",
        "hostIPC",
        "privileged",
        "readOnlyRootFilesystem",
        "allowPrivilegeEscalation",
        "runAsNonRoot",
        "automountServiceAccountToken",
        "enableServiceLinks",
        "stdin",
        "tty",
        "immutable",
        "blockOwnerDeletion",
        "optional",
        "readOnly",
    ]
)
_TEXT = frozenset(
    [
        "name",
        "type",
        "key",
        "image",
        "nodeName",
        "serviceAccountName",
        "schedulerName",
        "priorityClassName",
        "clusterName",
        "imagePullPolicy",
        "restartPolicy",
        "dnsPolicy",
    ]
)
_TEXT_MAPS = frozenset(["labels", "annotations", "matchLabels", "nodeSelector", "stringData"])
_LISTS = frozenset(
    [
        "containers",
        "initContainers",
        "volumes",
        "env",
        "volumeMounts",
        "tolerations",
        "taints",
        "args",
        "command",
        "subjects",
        "finalizers",
        "ownerReferences",
        "matchExpressions",
        "imagePullSecrets",
        "policyTypes",
    ]
)
_OBJECTS = frozenset(
    [
        "template",
        "selector",
        "resources",
        "securityContext",
        "strategy",
        "updateStrategy",
        "jobTemplate",
        "podSelector",
        "namespaceSelector",
    ]
)
_AMOUNTS = frozenset(["requests", "limits", "hard", "capacity", "allocatable"])
_OPEN = frozenset(["data", "binaryData", "fieldsV1", "managedFields", "message"])


def fault(obj: Json, kind: str) -> str:
    """The first wrong type in the API server's words, "" when there is none."""
    for field in ("metadata", "spec", "status"):
        value = obj.get(field)
        if value is None:
            continue
        owner = "ObjectMeta" if field == "metadata" else kind + field.capitalize()
        if not isinstance(value, dict):
            return _told(value, f"{kind}.{field}", "v1." + owner)
        if found := _object_fault(value, owner, field):
            return found
    return _identity_fault(obj.get("metadata") or {})


def _identity_fault(meta: Json) -> str:
    """What the store finds objects by has to be text."""
    for field in ("name", "generateName", "namespace", "uid", "resourceVersion"):
        if meta.get(field) is not None and not isinstance(meta[field], str):
            return _told(meta[field], f"ObjectMeta.metadata.{field}", "string")
    for finalizer in meta.get("finalizers") or ():
        if not isinstance(finalizer, str):
            return _told(finalizer, "ObjectMeta.metadata.finalizers", "string")
    for owner in meta.get("ownerReferences") or ():
        if not isinstance(owner, dict) or not isinstance(owner.get("uid"), str):
            return _told(owner, "ObjectMeta.metadata.ownerReferences", "v1.OwnerReference")
    return ""


def _object_fault(obj: Json, owner: str, path: str) -> str:
    for field, value in obj.items():
        if value is None or field in _OPEN:
            continue
        if found := _field_fault(field, value, owner, f"{path}.{field}"):
            return found
    return ""


def _field_fault(field: str, value: Any, owner: str, path: str) -> str:
    if wanted := _wanted(field, value):
        return _told(value, f"{owner}.{path}", wanted)
    if field in _TEXT_MAPS:
        return _map_fault(value, f"{owner}.{path}")
    if field in _AMOUNTS and isinstance(value, dict):
        return _amount_fault(value)
    if isinstance(value, dict):
        return _object_fault(value, owner, path)
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict) and (found := _object_fault(item, owner, path)):
                return found
    return ""


def _wanted(field: str, value: Any) -> str:
    """The Go type that `field` has and `value` is not; "" when it fits."""
    number = isinstance(value, int) and not isinstance(value, bool)
    if field in _INT32:
        return "" if number and -(2**31) <= value < 2**31 else "int32"
    if field in _INT64:
        return "" if number and -(2**63) <= value < 2**63 else "int64"
    for names, kind, shown in ((_BOOL, bool, "bool"), (_TEXT, str, "string"), (_LISTS, list, "[]"), (_OBJECTS, dict, "object")):
        if field in names:
            return "" if isinstance(value, kind) else shown
    return ""


def _map_fault(value: Any, path: str) -> str:
    if not isinstance(value, dict):
        return _told(value, path, "map[string]string")
    wrong = next((each for each in value.values() if each is not None and not isinstance(each, str)), None)
    return "" if wrong is None else _told(wrong, path, "string")


def _amount_fault(amounts: Json) -> str:
    for amount in amounts.values():
        if isinstance(amount, bool) or not isinstance(amount, str | int | float):
            return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        try:
            parse(str(amount))
        except ValueError as broken:
            return str(broken)
    return ""


def _told(value: Any, path: str, wanted: str) -> str:
    shown = {str: "string", bool: "bool", list: "array", dict: "object"}.get(type(value), "number")
    if shown == "number" and wanted.startswith("int"):
        shown = f"number {str(value)[:40]}"
    return f"json: cannot unmarshal {shown} into Go struct field {path} of type {wanted}"
