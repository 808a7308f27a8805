"""Which fields an action moved, whether they still hold what it wrote, and who moved them since. The definition is the catalogue's delta:
leaf by leaf, so that others may move other fields of the same object."""

import json
import re
from enum import StrEnum
from typing import Any, NamedTuple

from core.actions import states
from core.domain.api_request import ApiRequest
from core.domain.values import Json, canonical


class Standing(StrEnum):
    """What the live object says about one write."""

    DONE = "done"  # every field of ours holds what the write sets
    NOT_DONE = "not_done"  # every field of ours holds what stood before
    MIXED = "mixed"  # somebody else moved one of our fields
    GONE = "gone"  # no object with this uid


class Seen(NamedTuple):
    """`moved` are the fields that hold neither value."""

    standing: Standing
    moved: tuple[str, ...] = ()


def compare(request: ApiRequest, before: Json, after: Json, live: Json | None, uid: str) -> Seen:
    """Where the write that turns `before` into `after` stands in `live`."""
    if request.makes:  # the name is the action's own, so that what stands under it is ours, or is not there
        live = live or {}
    elif live is None or live.get("metadata", {}).get("uid") != uid:
        return Seen(Standing.DONE if request.removes or _let_go(before, after) else Standing.GONE)
    if request.removes:
        return Seen(Standing.DONE if live["metadata"].get("deletionTimestamp") else Standing.NOT_DONE)
    ours, now = _leaves(before, after), _leaves(before, live)
    if all(now.get(path) == values for path, values in ours.items()):
        return Seen(Standing.DONE)
    if not any(_touches(path, ours) for path in now):
        return Seen(Standing.NOT_DONE)
    return Seen(Standing.MIXED, tuple(path for path, values in ours.items() if now.get(path) != values))


def _let_go(before: Json, after: Json) -> bool:
    """The write takes the last finalizer, which is only done to what is being deleted: gone is what was wanted, whoever was first."""
    return bool((before.get("metadata") or {}).get("finalizers")) and not (after.get("metadata") or {}).get("finalizers")


def _leaves(old: Json, new: Json) -> dict[str, bytes]:
    return {change.path: canonical([change.old, change.new]) for change in states.delta(states.desired(old), states.desired(new))}


def _touches(path: str, ours: dict[str, bytes]) -> bool:
    """The path is one of ours, above or below one."""
    return any(path == own or path.startswith((f"{own}.", f"{own}[")) or own.startswith((f"{path}.", f"{path}[")) for own in ours)


def writer(live: Json, path: str) -> str:
    """Who wrote this field last, from managedFields: `alice at 2026-11-23T21:11:06Z`; empty when nobody owns it."""
    steps = _steps(path)
    entries = [entry for entry in live.get("metadata", {}).get("managedFields") or () if _owns(entry.get("fieldsV1") or {}, steps)]
    if not entries:
        return ""
    last = max(entries, key=lambda entry: str(entry.get("time") or ""))
    return f"{str(last.get('manager'))[:80]} at {str(last.get('time'))[:30]}"


def _steps(path: str) -> list[str]:
    """`spec.containers[app].image` as `spec`, `containers`, `[app]`, `image`."""
    return re.findall(r"\[[^\]]*\]|[^.\[]+", path)


def _owns(fields: Json, steps: list[str]) -> bool:
    """A step in brackets is a named item of a list, or a key with dots."""
    found: Any = fields
    for step in steps:
        bare = step.strip("[]")
        named = "k:" + json.dumps({"name": bare}, separators=(",", ":"))
        found = found.get(f"f:{bare}", found.get(named)) if isinstance(found, dict) else None
        if found is None:
            return False
    return True
