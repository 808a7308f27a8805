"""Who wrote which field: metadata.managedFields as the API server keeps it. Called by the store at each write.

An object whose managedFields are empty is not tracked until somebody applies to it.
"""

from typing import Any

from simulator.patching import field_sets
from simulator.patching.field_sets import Tree
from simulator.schemas.nodes import Node

Json = dict[str, Any]
SERVER_METADATA = frozenset(
    (
        *("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp"),
        *("deletionGracePeriodSeconds", "managedFields", "selfLink"),
    )
)


def record(old: Json | None, new: Json, node: Node, *, manager: str, subresource: str, moment: str) -> list[Json]:
    """The entries after `manager` turned `old` into `new`: it owns what it changed, others lose it, removed fields are nobody's."""
    previous: list[Json] = (old or {}).get("metadata", {}).get("managedFields") or []
    if old is not None and not previous:
        return []
    before, after = owned_part(old or {}), owned_part(new)
    if before == after:
        return previous
    identity = (manager, "Update", subresource)
    if old is not None and _is_alone_with_status(previous, identity) and _has_same_fields(old.get("status"), new.get("status")):
        mine = next(entry for entry in previous if identity_of(entry) == identity)
        again = [entry for entry in previous if entry is not mine] + [entry_of(new, identity, mine["fieldsV1"], moment)]
        return in_order(again)
    changed = field_sets.difference(node, before, after)
    mine = {}
    entries: list[Json] = []
    for entry in previous:
        fields = entry.get("fieldsV1", {})
        kept = field_sets.without(field_sets.existing(node, fields, after), changed)
        if identity_of(entry) == identity:
            mine = {**entry, "fieldsV1": kept}
        elif kept:
            entries.append(entry if kept == fields else {**entry, "fieldsV1": kept})
    if changed or mine.get("fieldsV1"):
        entries.append(entry_of(new, identity, field_sets.union(mine.get("fieldsV1", {}), changed), moment))
    return in_order(entries)


def _is_alone_with_status(entries: list[Json], identity: tuple[str, str, str]) -> bool:
    """Whether nobody but this writer of the status owns anything of it: most writes of controllers, and worth to be quick at."""
    owners = [identity_of(entry) for entry in entries if "f:status" in entry.get("fieldsV1", {})]
    return identity[2] == "status" and owners == [identity]


def _has_same_fields(old: Any, new: Any) -> bool:
    """Whether only values differ, and none by which the items of a list are known."""
    if isinstance(old, dict) and isinstance(new, dict):
        if old.keys() != new.keys():
            return False
        return all(value == new[key] or (key not in _KEYS and _has_same_fields(value, new[key])) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        known = all(isinstance(each, dict) for each in (*old, *new)) or old == new
        return known and len(old) == len(new) and all(map(_has_same_fields, old, new))
    return not isinstance(old, dict | list) and not isinstance(new, dict | list) and bool(old) and bool(new)


_KEYS = frozenset(("type", "name", "key", "ip", "port", "containerPort", "protocol", "uid", "topologyKey", "resourceName", "mountPath"))


def identity_of(entry: Json) -> tuple[str, str, str]:
    return entry.get("manager", ""), entry.get("operation", ""), entry.get("subresource", "")


def in_order(entries: list[Json]) -> list[Json]:
    return sorted(entries, key=lambda entry: (entry["operation"] != "Apply", entry.get("time", ""), entry.get("manager", "")))


def entry_of(obj: Json, identity: tuple[str, str, str], fields: Tree, moment: str) -> Json:
    """One managedFields entry. `identity` is (manager, operation, subresource)."""
    manager, operation, subresource = identity
    entry: Json = {"manager": manager, "operation": operation, "apiVersion": obj.get("apiVersion", "v1"), "time": moment}
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": fields}
    return {**entry, "subresource": subresource} if subresource else entry


def owned_part(obj: Json) -> Json:
    """What somebody can own of an object."""
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key not in SERVER_METADATA}
    rest = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata")}
    return {**rest, "metadata": metadata} if metadata else rest
