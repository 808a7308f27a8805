"""Status conditions: set one, keep its transition time while its status holds. Used by every controller that reports a status."""

from datetime import datetime
from typing import Any

from simulator.clock import stamp

Json = dict[str, Any]


def put(conditions: list[Json], kind: str, status: str, now: datetime, *, reason: str = "", message: str = "", **more: Any) -> list[Json]:
    """`conditions` with this one set, in place where it stood. Nothing changes when it already says the same."""
    old = find(conditions, kind)
    new: Json = {"type": kind, "status": status, **more}
    if reason:
        new["reason"] = reason
    if message:
        new["message"] = message
    changed = old is None or old["status"] != status
    new["lastTransitionTime"] = stamp(now) if old is None or changed else old["lastTransitionTime"]
    if old is None:
        return [*conditions, new]
    return [new if each["type"] == kind else each for each in conditions]


def without(conditions: list[Json], kind: str) -> list[Json]:
    return [each for each in conditions if each["type"] != kind]


def find(conditions: list[Json], kind: str) -> Json | None:
    return next((each for each in conditions if each["type"] == kind), None)


def is_true(obj: Json, kind: str) -> bool:
    """Whether the object's status has this condition with status True."""
    found = find(obj.get("status", {}).get("conditions", []), kind)
    return found is not None and found["status"] == "True"
