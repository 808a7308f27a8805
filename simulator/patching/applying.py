"""Server-side apply: a configuration merged into an object, what it gave up removed, and conflicts with other managers.

Pure. The order of steps is the API server's: merge, prune, compare, conflict.
"""

from typing import Any, NamedTuple

from simulator.patching import field_sets
from simulator.patching.field_sets import ABSENT, Tree
from simulator.patching.managed_fields import entry_of, identity_of, in_order, owned_part
from simulator.schemas.nodes import Node

Json = dict[str, Any]


class Conflict(NamedTuple):
    """A field that another manager owns. `who` is the manager in the API server's words."""

    who: str
    path: str


class Applied(NamedTuple):
    """The object after an apply, with its managedFields; or the conflicts that forbid it."""

    obj: Json
    conflicts: list[Conflict]


def apply(live: Json | None, config: Json, node: Node, *, manager: str, subresource: str, moment: str, force: bool) -> Applied:
    """`config` applied to `live` (None: there is none yet)."""
    identity = (manager, "Apply", subresource)
    entries = _tracked(live, node, moment)
    before, wanted = owned_part(live or {}), owned_part(config)
    said = field_sets.leaves(node, wanted)
    last: Tree = next((entry.get("fieldsV1", {}) for entry in entries if identity_of(entry) == identity), {})
    others = [entry for entry in entries if identity_of(entry) != identity]
    after = _merged(node, before, wanted)
    given_up = field_sets.without(_with_parents(last), _with_parents(said))
    for entry in others:
        given_up = _spared(given_up, entry.get("fieldsV1", {}))
    after = _pruned(node, after, given_up)
    changed = field_sets.difference(node, before, after)
    conflicts = [
        Conflict(_who(entry), path) for entry in others for path in field_sets.paths(field_sets.common(entry.get("fieldsV1", {}), changed))
    ]
    if conflicts and not force:
        return Applied(config, sorted(conflicts, key=lambda each: each.who))
    obj = _whole(live, config, after)
    kept = [_left(node, entry, changed, after) for entry in others]
    entry = entry_of(config, identity, said, moment)
    known = next((each for each in entries if identity_of(each) == identity), {})
    if before == after:
        entry.pop("time")
        entry |= {field: known[field] for field in ("time",) if field in known}
    obj["metadata"]["managedFields"] = in_order([each for each in (*kept, *([entry] if said else [])) if each["fieldsV1"]])
    return Applied(obj, [])


def _tracked(live: Json | None, node: Node, moment: str) -> list[Json]:
    """The entries of an object; one that nobody tracked belongs to whoever wrote before the first apply."""
    entries: list[Json] = (live or {}).get("metadata", {}).get("managedFields") or []
    if live is None or entries:
        return entries
    fields = field_sets.difference(node, {}, owned_part(live))
    return [entry_of(live, ("before-first-apply", "Update", ""), fields, moment)] if fields else []


def _who(entry: Json) -> str:
    shown = f'"{entry["manager"]}"'
    if entry.get("subresource"):
        shown += f' with subresource "{entry["subresource"]}"'
    return shown if entry["operation"] == "Apply" else f"{shown} using {entry['apiVersion']}"


def _whole(live: Json | None, config: Json, after: Json) -> Json:
    """The owned part put back into the object."""
    meta = {**(config.get("metadata") or {}), **(live or {}).get("metadata", {})}
    for field in ("labels", "annotations", "finalizers", "ownerReferences", "generateName"):
        meta.pop(field, None)
    head = live or config
    return {"apiVersion": head["apiVersion"], "kind": head["kind"], **after, "metadata": {**meta, **after.get("metadata", {})}}


def _left(node: Node, entry: Json, changed: Tree, after: Json) -> Json:
    kept = field_sets.without(field_sets.existing(node, entry.get("fieldsV1", {}), after), changed)
    return {**entry, "fieldsV1": kept}


# -- merging ---------------------------------------------------------------------------------------------------------------


def _merged(node: Node, live: Any, wanted: Any) -> Any:
    """`wanted` over `live`, list items by their names."""
    if node.atomic or live in (None, ABSENT):
        return wanted
    if isinstance(live, dict) and isinstance(wanted, dict):
        merged = dict(live)
        for name, value in wanted.items():
            typed = node.field(name)
            merged[name] = value if typed is None else _merged(typed, live.get(name), value)
        return merged
    if isinstance(live, list) and isinstance(wanted, list):
        return _merged_list(node, live, wanted)
    return wanted


def _merged_list(node: Node, live: list[Any], wanted: list[Any]) -> list[Any]:
    """Items in the wanted order; the ones that only the live list has go before those that come after them there."""
    old, new = field_sets.items_of(node, live), field_sets.items_of(node, wanted)
    both = {name: _merged(node.items, old.get(name), new[name]) if name in new else item for name, item in {**old, **new}.items()}
    result: list[str] = []
    first, second = list(old), list(new)
    while first or second:
        live_first = first and (first[0] not in new or first[0] in result)
        result.append((first if live_first else second).pop(0))
    return [both[name] for name in dict.fromkeys(result)]


# -- giving up -------------------------------------------------------------------------------------------------------------


def _with_parents(tree: Tree) -> Tree:
    """A set in which the fields on the way to a member are members too."""
    return {step: {".": {}, **_with_parents(inner)} if inner else {} for step, inner in tree.items()}


def _spared(given_up: Tree, owned: Tree) -> Tree:
    """What is given up but for what another manager owns, and what holds it."""
    kept: Tree = {}
    for step, inner in given_up.items():
        if step == "." or step not in owned:
            kept[step] = inner
        elif inner:
            rest = _spared({name: below for name, below in inner.items() if name != "."}, owned[step])
            if rest:
                kept[step] = rest
    return kept


def _pruned(node: Node, value: Any, given_up: Tree) -> Any:
    """`value` without what is given up. What is left of a struct whose members are all given up goes with them."""
    if not given_up:
        return value
    if isinstance(value, dict):
        kept = dict(value)
        for step, inner in given_up.items():
            name = step[2:]
            typed = node.field(name) if step.startswith("f:") else None
            if typed is None or name not in kept:
                continue
            if not inner or "." in inner:
                del kept[name]
            else:
                kept[name] = _pruned(typed, kept[name], inner)
        return kept
    if isinstance(value, list):
        result = []
        for name, item in field_sets.items_of(node, value).items():
            inner = given_up.get(name, ABSENT)
            if inner is ABSENT:
                result.append(item)
            elif inner and "." not in inner:
                result.append(_pruned(node.items, item, inner))
        return result
    return value
