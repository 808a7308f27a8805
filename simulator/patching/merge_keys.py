"""How lists merge, by the name of the field that holds them. Used by strategic merge, apply and managedFields.

Taken from the `patchStrategy` and `x-kubernetes-list-map-keys` marks of the API types. A list that is not here is atomic: it is
replaced whole (tolerations, args, rules, metrics). The parent matters once: `ports` of a container and of a Service differ.
"""

from typing import Any

Json = dict[str, Any]

_STRATEGIC: dict[str, str] = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "resourceClaims": "name",
    "schedulingGates": "name",
    "conditions": "type",
    "ownerReferences": "uid",
    "secrets": "name",
    "podIPs": "ip",
    "hostIPs": "ip",
    "addresses": "type",
}

_SETS = frozenset({"finalizers", "podCIDRs"})
"""Lists of plain values that merge as sets."""

_MAP_KEYS: dict[str, tuple[str, ...]] = {
    "volumeMounts": ("mountPath",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "containerStatuses": (),
    "secrets": ("name",),
}
"""Where field ownership names list items by other keys than strategic merge does; () is an atomic list."""


def merge_key(field: str, items: list[Any]) -> str:
    """The field that identifies an item of a strategically merged list, or "" for an atomic one.

    `items` is the union of both sides: ports are told apart by what they carry.
    """
    if field == "ports":
        return _port_key(items)
    key = _STRATEGIC.get(field, "")
    return key if all(isinstance(item, dict) for item in items) else ""


def is_set(field: str) -> bool:
    """True for a list of plain values that a strategic patch adds to instead of replacing it."""
    return field in _SETS


def map_keys(field: str, items: list[Any]) -> tuple[str, ...]:
    """The fields that name an item in managedFields, in their written (sorted) order; () for an atomic list."""
    if not all(isinstance(item, dict) for item in items):
        return ()
    if field == "ports":
        key = _port_key(items)
        return (key, "protocol") if key else ()
    keys = _MAP_KEYS.get(field)
    if keys is not None:
        return keys
    key = _STRATEGIC.get(field, "")
    return (key,) if key else ()


def _port_key(items: list[Any]) -> str:
    if not all(isinstance(item, dict) for item in items):
        return ""
    if any("containerPort" in item for item in items):
        return "containerPort"
    return "port" if all("port" in item for item in items) else ""
