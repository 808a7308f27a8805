"""Sets of fields as trees in the FieldsV1 form: what a change touches, what a configuration says, and how such sets combine.

`f:name` is a field, `k:{...}` an item of a keyed list, `v:...` a member of a set; `.` is the thing itself, and a leaf is an empty object.
Format: https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from simulator.schemas.nodes import Node

Json = dict[str, Any]
Tree = dict[str, Any]
ABSENT: Any = object()


class Misfit(NamedTuple):
    """Why a configuration is not of its type, in the API server's words."""

    path: str
    why: str


def item_name(node: Node, item: Any) -> str:
    """An item of a list with keys or of a set, as field sets name it. Keys that are left out have their default."""
    if node.list_kind == "set":
        return "v:" + json.dumps(item, separators=(",", ":"))
    named = {}
    for key in sorted(node.keys):
        typed = node.items.field(key)
        value = item.get(key, typed.default if typed else None)
        if value is not None:
            named[key] = value
    return "k:" + json.dumps(named, separators=(",", ":"))


def items_of(node: Node, value: Any) -> dict[str, Any]:
    """The items of a list by their names."""
    return {item_name(node, item): item for item in value or () if node.list_kind == "set" or isinstance(item, dict)}


def named_list(node: Node, value: Any) -> bool:
    return isinstance(value, list) and not node.atomic


def empty(node: Node) -> Any:
    """What a field that is always there shows before anything is set."""
    kinds: Json = {"string": "", "integer": 0, "number": 0, "boolean": False}
    return node.default if node.default == {} else kinds.get(node.raw.get("type", ""))


def difference(node: Node, before: Any, after: Any) -> Tree:
    """The leaves that are new or changed in `after`; what is wholly new is marked by `.` besides. Both are objects or ABSENT."""
    tree: Tree = {}
    fresh = before is ABSENT
    for name, value in after.items():
        old = ABSENT if fresh else before.get(name, ABSENT)
        if value is old or value == old:
            continue
        typed = node.field(name)
        if typed is None:
            continue
        if old is ABSENT and not fresh and name in node.always:
            old = empty(typed)
        inner = _changed(typed, old, value)
        if inner is not None:
            tree["f:" + name] = inner
    return tree


def _changed(node: Node, old: Any, new: Any) -> Tree | None:
    """The tree below one value; None when it is the same."""
    if old is not ABSENT and old == new:
        return None
    if node.atomic or not isinstance(new, dict | list) or not new:
        return {}
    if isinstance(new, dict):
        inner = difference(node, old if isinstance(old, dict) else ABSENT if old is ABSENT else {}, new)
    else:
        known = items_of(node, old if isinstance(old, list) else ())
        inner = {}
        for name, item in items_of(node, new).items():
            below = _changed(node.items, known.get(name, ABSENT), item)
            if below is not None:
                inner[name] = below
    if old is ABSENT:
        return {".": {}, **inner} if inner else {}
    return inner or None


def leaves(node: Node, value: Json) -> Tree:
    """What a configuration says: its leaves, the items of its lists and the keys of its maps."""
    tree: Tree = {}
    for name, each in value.items():
        typed = node.field(name)
        if typed is not None:
            below = _leaves_below(typed, each)
            tree["f:" + name] = below if node.names(name) or not below else {".": {}, **below}
    return tree


def _leaves_below(node: Node, value: Any) -> Tree:
    if node.atomic or not isinstance(value, dict | list) or not value:
        return {}
    if isinstance(value, dict):
        return leaves(node, value)
    tree: Tree = {}
    for name, item in items_of(node, value).items():
        below = _leaves_below(node.items, item)
        tree[name] = {".": {}, **below} if below else {}
    return tree


def misfits(node: Node, value: Any, path: str = "") -> Iterator[Misfit]:
    """Fields that the type does not declare, and values of another type."""
    wanted = node.raw.get("type")
    if value is None:
        return
    if isinstance(value, dict):
        if wanted in ("string", "integer", "number", "boolean", "array"):
            yield Misfit(path, f"expected {_SHOWN.get(str(wanted), wanted)}, got {_go(value)}")
            return
        for name, each in value.items():
            typed = node.field(name)
            if typed is None:
                yield Misfit(f"{path}.{name}", "field not declared in schema")
            else:
                yield from misfits(typed, each, f"{path}.{name}")
    elif isinstance(value, list):
        if wanted is not None and wanted != "array":
            yield Misfit(path, f"expected {_SHOWN.get(wanted, wanted)}, got {_go(value)}")
            return
        for index, item in enumerate(value):
            place = f"[{index}]" if node.atomic or not isinstance(item, dict) else step_text(item_name(node, item))
            yield from misfits(node.items, item, path + place)
    elif wanted and not _fits(wanted, value):
        yield Misfit(path, f"expected {_SHOWN.get(wanted, wanted)}, got {_go(value)}")


_SHOWN = {"object": "map", "array": "list", "integer": "numeric (int or float)", "number": "numeric (int or float)"}


def _fits(wanted: str, value: Any) -> bool:
    if wanted == "string":
        return isinstance(value, str)
    if wanted == "boolean":
        return isinstance(value, bool)
    return wanted in ("integer", "number") and isinstance(value, int | float) and not isinstance(value, bool)


def _go(value: Any) -> str:
    shown = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
    return f"&value.valueUnstructured{{Value:{json.dumps(shown)}}}"


# -- combining -------------------------------------------------------------------------------------------------------------


def existing(node: Node, tree: Tree, value: Any) -> Tree:
    """The part of a set whose fields are still there in `value`."""
    kept: Tree = {}
    named: dict[str, Any] | None = None
    for step, inner in tree.items():
        if step == ".":
            kept[step] = inner
            continue
        if step[:2] == "f:":
            below = value.get(step[2:], ABSENT) if isinstance(value, dict) else ABSENT
            typed = node.field(step[2:]) if isinstance(value, dict) else None
        else:
            if named is None:
                named = items_of(node, value) if isinstance(value, list) else {}
            below, typed = named.get(step, ABSENT), node.items
        if below is ABSENT:
            continue
        child = existing(typed, inner, below) if inner and typed is not None else inner
        if child or not inner:
            kept[step] = child
    return kept


def without(tree: Tree, taken: Tree) -> Tree:
    """`tree` minus the members of `taken`. A leaf and `.` are the same member."""
    kept: Tree = {}
    for step, inner in tree.items():
        other = taken.get(step)
        if other is None:
            kept[step] = inner
        elif step == ".":
            continue
        elif not inner:
            if not _member(other):
                kept[step] = inner
        elif rest := without(inner, other or {".": {}}):
            kept[step] = {} if rest.keys() == {"."} else rest
    return kept


def union(one: Tree, other: Tree) -> Tree:
    merged = dict(one)
    for step, inner in other.items():
        known = merged.get(step)
        if known is None or known == inner:
            merged[step] = inner
        else:
            merged[step] = union(known or {".": {}}, inner or {".": {}})
    return merged


def common(one: Tree, other: Tree) -> Tree:
    """The members of both. A leaf of one side is a member only where the other side names it too."""
    shared: Tree = {}
    for step, inner in one.items():
        if step not in other:
            continue
        below = other[step]
        if not inner or not below:
            if _member(inner) and _member(below):
                shared[step] = {}
        elif rest := common(inner, below):
            shared[step] = rest
    return shared


def _member(inner: Tree) -> bool:
    return not inner or "." in inner


def paths(tree: Tree, prefix: str = "") -> Iterator[str]:
    """The members of a set as the API server writes them, members of a level before what is deeper."""
    deeper = []
    for step in sorted(tree):
        if step == ".":
            continue
        inner = tree[step]
        if _member(inner):
            yield prefix + step_text(step)
        if inner:
            deeper.append(step)
    for step in deeper:
        yield from paths(tree[step], prefix + step_text(step))


def step_text(step: str) -> str:
    """One step of a path: `.name`, `[name="app"]`, `["x"]`."""
    kind, name = step[:2], step[2:]
    if kind == "f:":
        return f".{name}"
    if kind == "v:":
        return f"[={name}]"
    return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(name).items()) + "]"
