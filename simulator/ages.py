"""How long ago, as kubectl writes it. Called by `columns`."""

from datetime import datetime
from typing import Any

from simulator.clock import parse

Json = dict[str, Any]


def age(obj: Json, now: datetime) -> str:
    return since(obj["metadata"].get("creationTimestamp"), now)


def since(text: str | None, now: datetime) -> str:
    """The time passed, as kubectl shortens it; `<unknown>` without a time."""
    return human((now - parse(text)).total_seconds()) if text else "<unknown>"


def human(seconds: float) -> str:
    """A duration in at most two units: 95s, 3m20s, 5h, 2d4h, 400d."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    whole = max(whole, 0)
    for limit, unit, big, small_unit, small, exact_below in _STEPS:
        if whole < limit:
            number, rest = divmod(whole, unit)
            below = rest // small if small and number < exact_below else 0
            return f"{number}{big}{below}{small_unit}" if below else f"{number}{big}"
    return f"{whole // 31_536_000}y"


_STEPS = (
    (120, 1, "s", "", 0, 0),
    (10 * 60, 60, "m", "s", 1, 10),
    (180 * 60, 60, "m", "", 0, 0),
    (8 * 3600, 3600, "h", "m", 60, 8),
    (48 * 3600, 3600, "h", "", 0, 0),
    (8 * 86_400, 86_400, "d", "h", 3600, 8),
    (730 * 86_400, 86_400, "d", "", 0, 0),
    (8 * 31_536_000, 31_536_000, "y", "d", 86_400, 8),
)
