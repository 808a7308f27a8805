"""Hashes of what stands before and after a write. Judge, executor and webhook share these definitions and nothing else.

*Desired* is all that a writer decides: not the status, not what the server stamps. A *delta* is the list of leaf changes between two
desired states; it stays the same while others move other fields, which is why it, and not the whole object, is what a permit names.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from core.actions.aiming import CatalogueAction
from core.domain.action import Action
from core.domain.values import Json, canonical, digest

_SERVER_META = frozenset(
    (
        "managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink", "deletionTimestamp",
        "deletionGracePeriodSeconds",
    )
)  # fmt: skip
_CONTROLLER_ANNOTATIONS = frozenset(("deployment.kubernetes.io/revision",))
_MAPS = frozenset(("labels", "annotations", "nodeSelector", "resources", "requests", "limits"))
"""Maps in which an empty one and none are the same, or the first entry added by us would own the whole map."""


class Leaf(NamedTuple):
    """One change. None stands for absent."""

    path: str
    old: Any
    new: Any


def desired(item: Json) -> Json:
    """What writers decide of an object. The object itself is not touched."""
    meta = {key: value for key, value in (item.get("metadata") or {}).items() if key not in _SERVER_META}
    annotations = {key: value for key, value in (meta.pop("annotations", None) or {}).items() if key not in _CONTROLLER_ANNOTATIONS}
    if annotations:
        meta["annotations"] = annotations
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": meta}


def delta(old: Json, new: Json) -> tuple[Leaf, ...]:
    """Leaf changes between two desired states, by path. Lists of named items compare by name; other lists compare whole."""
    return tuple(_leaves(old, new, ""))


def _leaves(old: Any, new: Any, path: str) -> Iterator[Leaf]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            before, after = old.get(key), new.get(key)
            if key in _MAPS:
                before, after = before or {}, after or {}
            yield from _leaves(before, after, f"{path}{'.' if path else ''}{key}" if _plain(key) else f"{path}[{key}]")
    elif _named(old) and _named(new):
        yield from _by_name(old, new, path)
    elif not (isinstance(old, str) and old == new) and canonical(old) != canonical(new):  # as JSON, where true is not 1
        yield Leaf(path, old, new)


def _by_name(old: list[Json], new: list[Json], path: str) -> Iterator[Leaf]:
    before, after = {item["name"]: item for item in old}, {item["name"]: item for item in new}
    if list(before) != list(after):
        yield Leaf(path, list(before), list(after))
    for name in sorted(before.keys() | after.keys()):
        yield from _leaves(before.get(name), after.get(name), f"{path}[{name}]")


def _named(value: Any) -> bool:
    """A list of objects with names that differ; environment variables and mounts may carry the same name twice."""
    if not isinstance(value, list) or not all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in value):
        return False
    return len({item["name"] for item in value}) == len(value)


def _plain(key: str) -> bool:
    return "." not in key and "/" not in key


def pre_hash(action: Action, live_object: Json) -> str:
    """What the write relies on: the target's uid and the old values of the fields that the kind moves. Others may move other fields."""
    pinned = action.pinned(live_object) if isinstance(action, CatalogueAction) else desired(live_object)
    return digest({"uid": (live_object.get("metadata") or {}).get("uid"), "pinned": pinned})


def post_hash(verb: str, options: Any, old: Json, new: Json) -> str:
    """What the write does. `old` and `new` come from the API server (dry-run answer, admission review), never from the request's body.

    A delete, also one that an eviction asks for, is its `options` (the request's body, or what admission sees of it); a create is the
    desired object; everything else is the delta.
    """
    if verb == "create" and options.get("kind") == "Eviction":  # admission sees no pod: only what is asked of its deletion
        return post_hash("delete", options["deleteOptions"], {}, {})
    if verb == "delete":
        asked = {key: value for key, value in options.items() if key not in _NO_OPTIONS}
        return digest({"delete": asked | {"gracePeriodSeconds": _grace(asked, old)}})
    if verb == "create":
        return digest({"create": desired(new)})
    return digest({"delta": delta(desired(old), desired(new))})


_NO_OPTIONS = frozenset(("apiVersion", "kind", "dryRun"))


def _grace(options: Json, item: Json) -> Any:
    """As the API server settles it for pods before admission sees it: none where nothing runs, else what is asked, else the pod's own."""
    spec, status = item.get("spec") or {}, item.get("status") or {}
    if item.get("kind") == "Pod" and (not spec.get("nodeName") or status.get("phase") in ("Failed", "Succeeded")):
        return 0
    return options.get("gracePeriodSeconds", spec.get("terminationGracePeriodSeconds"))


def inverse_hash(old: Json, new: Json) -> str:
    """What taking it back does: the delta the other way. It names old and new values, so it says at once that our fields still hold
    what we wrote, that they go back to what they were, and that nothing else moves."""
    return digest({"delta": delta(desired(new), desired(old))})


def undo_matches(inverse: str, live: Json, asked: Json) -> bool:
    """Whether going from `live` to `asked` is exactly the inverse that was recorded."""
    return inverse_hash(asked, live) == inverse
