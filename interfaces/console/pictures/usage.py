"""The usage of one workload over its days, what it asks for, what it may take, and its forecast: lines in a box of 1000 by 100."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from core.cluster.quantities import cpu_milli

WIDE, HIGH = 1000.0, 100.0
MOST_POINTS = 500


class Level(NamedTuple):
    """A line at one height: `y` in percent from above."""

    name: str
    y: float
    label: str


class Usage(NamedTuple):
    """`line` and `band` are points of a polyline and a polygon; `said` is the picture in words."""

    line: str
    band: str
    levels: tuple[Level, ...]
    axis: tuple[tuple[float, str], ...]
    now: float
    top: str
    said: str
    rows: tuple[tuple[str, str, str], ...]


def drawn(found: Mapping[str, Any]) -> Usage | None:
    """Of a workload's document. None where nothing was measured."""
    times, values = found["used"]["times"], found["used"]["values"]
    if not times:
        return None
    replicas = found["replicas"] or len(found["pods"]) or 1
    asked, most = (_cores(found["containers"], name) * replicas for name in ("requests", "limits"))
    low, high = found["low"], found["high"]
    start, end = times[0], max([times[-1], *high["times"][-1:]])
    top = max([*values, *high["values"], asked, min(most, 4 * max(asked, *values))]) * 1.08 or 1.0

    def points(xs: Sequence[float], ys: Sequence[float]) -> list[str]:
        step = max(1, len(xs) // MOST_POINTS)
        return [
            f"{WIDE * (x - start) / (end - start or 1):.1f},{HIGH * (1 - y / top):.2f}" for x, y in list(zip(xs, ys, strict=True))[::step]
        ]

    band = [*points(high["times"], high["values"]), *reversed(points(low["times"], low["values"]))]
    levels = [
        Level(name, round(HIGH * (1 - value / top), 2), f"{name} {value:.2f} cores")
        for name, value in (("request", asked), ("limit", most))
        if 0 < value <= top
    ]
    ordered = sorted(values)
    p95, peak = ordered[int(0.95 * (len(ordered) - 1))], ordered[-1]
    said = f"p95 {p95:.2f}, most {peak:.2f} cores of {asked:.2f} asked for by {replicas} replicas" + (", with a forecast" if band else "")
    marks = tuple(
        (round(25.0 * part, 1), f"{datetime.fromtimestamp(start + (end - start) * part / 4, UTC):%d %b %H:%M}") for part in range(5)
    )
    now = round(100 * (times[-1] - start) / (end - start or 1), 2)
    return Usage(" ".join(points(times, values)), " ".join(band), tuple(levels), marks, now, f"{top:.2f}", said, _rows(found))


def _cores(containers: Sequence[Mapping[str, Any]], name: str) -> float:
    """Of all containers; 0 where one of them has none, for then there is no such line."""
    found = [row[name].get("cpu") for row in containers]
    return sum(cpu_milli(value) for value in found) / 1000 if found and all(found) else 0.0


def _rows(found: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """A number for each six hours: the same picture as a table."""
    rows: dict[str, list[float]] = {}
    for at, value in zip(found["used"]["times"], found["used"]["values"], strict=True):
        moment = datetime.fromtimestamp(at, UTC)
        rows.setdefault(f"{moment:%Y-%m-%d} {moment.hour // 6 * 6:02d}:00Z", []).append(value)
    return tuple((name, f"{sum(values) / len(values):.3f}", f"{max(values):.3f}") for name, values in list(rows.items())[-60:])
