"""What the API server's own admission adds and refuses when an object is created: limit ranges and quotas of its namespace.

Controllers that create pods pass through `controllers.admitting`, with the same limits.
"""

from typing import Any

from simulator import errors
from simulator.controllers import limits
from simulator.controllers.cluster import QUOTAS
from simulator.resources import Resource
from simulator.store import Store

Json = dict[str, Any]
_PLAIN = ("configmaps", "secrets", "services", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "pods")
_RANGER = "kubernetes.io/limit-ranger"


def admit(store: Store, row: Resource, obj: Json) -> None:
    """Fill in the defaults of limit ranges, then refuse what is outside of them or of a quota. 403 in the API server's words."""
    if not row.namespaced:
        return
    if row.plural == "pods":
        _fill(store, obj)
        namespaced = limits.OfStore(store)
        if why := limits.outside(namespaced, obj) or limits.exceeded(namespaced, obj):
            raise errors.forbidden("", "pods", obj["metadata"]["name"], why)
    _require_room(store, row, obj)


def _fill(store: Store, pod: Json) -> None:
    told: list[str] = []
    for found in store.list(limits.RANGES, pod["metadata"]["namespace"]):
        for limit in found["spec"].get("limits", ()):
            if limit["type"] == "Container":
                for container in pod["spec"]["containers"]:
                    told += _fill_container(limit, container)
    if told:
        pod["metadata"].setdefault("annotations", {})[_RANGER] = f"LimitRanger plugin set: {'; '.join(told)}"


def _fill_container(limit: Json, container: Json) -> list[str]:
    told = []
    for side, field in (("requests", "defaultRequest"), ("limits", "default")):
        for name, amount in (limit.get(field) or {}).items():
            amounts = container.setdefault("resources", {}).setdefault(side, {})
            if name not in amounts:
                amounts[name] = amount
                told.append((name, side))
        if not container.get("resources", {}).get(side, True):
            del container["resources"][side]
    sides = {side: ", ".join(sorted(name for name, each in told if each == side)) for side in ("requests", "limits")}
    return [f"{names} {side[:-1]} for container {container['name']}" for side, names in sides.items() if names]


def _require_room(store: Store, row: Resource, obj: Json) -> None:
    counted = f"count/{errors.qualified(row.group, row.plural)}"
    names = (counted, row.plural) if not row.group and row.plural in _PLAIN else (counted,)
    for quota in store.list(QUOTAS, obj["metadata"]["namespace"]):
        hard = quota["spec"].get("hard") or {}
        over = [name for name in names if name in hard and len(store.list(row, obj["metadata"]["namespace"])) >= int(hard[name])]
        if over and row.plural != "pods":
            used = len(store.list(row, obj["metadata"]["namespace"]))
            listed = [",".join(f"{name}={text}" for name in over) for text in ("1", str(used))]
            limited = ",".join(f"{name}={hard[name]}" for name in over)
            why = f"exceeded quota: {quota['metadata']['name']}, requested: {listed[0]}, used: {listed[1]}, limited: {limited}"
            raise errors.forbidden(row.group, row.plural, obj["metadata"]["name"], why)
