"""Who wrote which field: metadata.managedFields as the API server keeps it. Called by the store at each write.

A field set is a tree in the FieldsV1 form: `f:name` for a field, `k:{...}` for an item of a keyed list, `v:...` for a member of a
set, and a leaf is an empty object. Format: https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

import json
from typing import Any

from simulator.patching import merge_keys

Json = dict[str, Any]
Tree = dict[str, Any]

_SERVER_METADATA = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
        "generateName",
    }
)
_ABSENT: Any = object()
_ALWAYS_THERE = frozenset(
    ("metadata", "spec", "status", "template", "strategy", "updateStrategy", "jobTemplate", "scaleTargetRef", "containers", "resources")
)
"""Fields that even an empty object of their type has: making them is no change, so they get no `.` of their own."""
_ATOMIC = frozenset(
    (
        *("selector", "podSelector", "namespaceSelector", "labelSelector", "nodeSelector", "roleRef", "involvedObject", "claimRef"),
        *("fieldRef", "resourceFieldRef", "secretKeyRef", "configMapKeyRef", "targetRef", "podAffinity", "podAntiAffinity"),
    )
)
"""Objects that have one owner as a whole."""


def record(old: Json | None, new: Json, *, manager: str, operation: str, subresource: str, moment: str) -> list[Json]:
    """The entries after `manager` turned `old` into `new`: it owns what it changed, others lose it, removed fields are nobody's."""
    before, after = _owned_part(old or {}), _owned_part(new)
    changed = _difference(before, after)
    previous: list[Json] = (old or {}).get("metadata", {}).get("managedFields") or []
    if not changed and old is not None and before == after:
        return previous
    identity = (manager, operation, subresource)
    lost = _lost("", before, after)
    mine: Tree = {}
    entries: list[Json] = []
    for entry in previous:
        fields = entry.get("fieldsV1", {})
        kept = _without(_existing(fields, after) if lost else fields, changed)
        if (entry.get("manager"), entry.get("operation"), entry.get("subresource", "")) == identity:
            mine = kept
        elif kept:
            entries.append({**entry, "fieldsV1": kept})
    if changed or mine:
        entries.append(entry_of(new, identity, _union(mine, changed), moment))
    return sorted(entries, key=lambda entry: (entry["operation"] != "Apply", entry["time"]))


def entry_of(obj: Json, identity: tuple[str, str, str], fields: Tree, moment: str) -> Json:
    """One managedFields entry. `identity` is (manager, operation, subresource)."""
    manager, operation, subresource = identity
    entry: Json = {"manager": manager, "operation": operation, "apiVersion": obj.get("apiVersion", "v1"), "time": moment}
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": fields}
    return {**entry, "subresource": subresource} if subresource else entry


def field_set(obj: Json) -> Tree:
    """All leaves of an applied configuration."""
    return _difference({}, _owned_part(obj))


def _owned_part(obj: Json) -> Json:
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key not in _SERVER_METADATA}
    rest = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata")}
    return {**rest, "metadata": metadata} if metadata else rest


def _difference(before: Json, after: Json, *, fresh: bool = False) -> Tree:
    """The tree of leaves that are new or differ in `after`. `fresh`: inside a list item that was not there before."""
    tree: Tree = {}
    for field, value in after.items():
        old = before.get(field, _ABSENT)
        if value is old or value == old:
            continue
        if field in _ALWAYS_THERE and not fresh and old is _ABSENT:
            if value in ({}, []):
                continue
            old = type(value)()
        inner = _value_difference(field, old, value, fresh=fresh)
        if inner is not None:
            tree["f:" + field] = inner
    return tree


def _value_difference(field: str, old: Any, new: Any, *, fresh: bool) -> Tree | None:
    """The tree below one field; None when all that is new there is a field that is always there."""
    if field in _ATOMIC:
        return None if old is _ABSENT and new in ({}, {"matchLabels": {}}) and not fresh else {}
    if isinstance(new, dict) and new:
        inner = _difference(old if isinstance(old, dict) else {}, new, fresh=fresh)
        return {".": {}, **inner} if old is _ABSENT else (inner or None)
    if isinstance(new, list) and new:
        return _list_difference(field, old if isinstance(old, list) else [], new, created=old is _ABSENT)
    return {}


def _list_difference(field: str, old: list[Any], new: list[Any], *, created: bool) -> Tree | None:
    """The new and changed items of a list; None when items were only removed or moved."""
    if merge_keys.is_set(field):
        members: Tree = {_member(item): {} for item in new if item not in old}
        return {".": {}, **members} if created else (members or None)
    keys = merge_keys.map_keys(field, new)
    if not keys:
        return {}
    before = {_item(keys, item): item for item in old if isinstance(item, dict)}
    tree: Tree = {".": {}} if created else {}
    for item in new:
        name = _item(keys, item)
        known = before.get(name)
        if known == item:
            continue
        inner = _difference(known or {}, item, fresh=known is None)
        tree[name] = {".": {}, **inner} if known is None else inner
    return tree or None


def _lost(field: str, before: Any, after: Any) -> bool:
    """True when a field or an item that `before` has may be gone in `after`; only then do field sets need pruning."""
    if before == after:
        return False
    if isinstance(before, dict) and isinstance(after, dict):
        return any(name not in after or _lost(name, value, after[name]) for name, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        keys = merge_keys.map_keys(field, [*before, *after])
        if not keys or len(before) != len(after):
            return bool(keys) or merge_keys.is_set(field)
        pairs = zip(before, after, strict=True)
        return any(_item(keys, one) != _item(keys, other) or _lost(field, one, other) for one, other in pairs)
    return isinstance(before, dict | list)


def _item(keys: tuple[str, ...], item: Json) -> str:
    named = {key: item[key] for key in keys if key in item}
    return "k:" + json.dumps(named, separators=(",", ":"), sort_keys=True)


def _member(item: Any) -> str:
    return "v:" + json.dumps(item, separators=(",", ":"))


def _existing(tree: Tree, value: Any, field: str = "") -> Tree:
    """The part of a field set whose fields are still there in `value`."""
    kept: Tree = {}
    for step, inner in tree.items():
        below = _step(value, step, field)
        if below is _ABSENT:
            continue
        child = _existing(inner, below, step[2:]) if inner else inner
        if child or not inner:
            kept[step] = child
    return kept


def _step(value: Any, step: str, field: str) -> Any:
    if step == ".":
        return value
    kind, name = step[:2], step[2:]
    if kind == "f:":
        return value.get(name, _ABSENT) if isinstance(value, dict) else _ABSENT
    if not isinstance(value, list):
        return _ABSENT
    if kind == "v:":
        return next((item for item in value if _member(item) == step), _ABSENT)
    keys = merge_keys.map_keys(field, value)
    return next((item for item in value if keys and _item(keys, item) == step), _ABSENT)


def _without(tree: Tree, taken: Tree) -> Tree:
    """`tree` minus the leaves of `taken`."""
    kept: Tree = {}
    for step, inner in tree.items():
        other = taken.get(step)
        if other is None:
            kept[step] = inner
            continue
        if not inner or not other:
            continue
        rest = _without(inner, other)
        if rest:
            kept[step] = rest
    return kept


def _union(one: Tree, other: Tree) -> Tree:
    merged = dict(one)
    for step, inner in other.items():
        merged[step] = _union(merged[step], inner) if step in merged else inner
    return merged
