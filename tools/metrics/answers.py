"""The Prometheus answer format, shared by both adapters: rows of the HTTP API v1 into samples and series.

NaN and infinities are no data: they are dropped, never shown as numbers.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from core.cluster.queries import Sample, Series


def samples(rows: Iterable[Mapping[str, Any]]) -> tuple[Sample, ...]:
    """Instant vector rows `{"metric": {...}, "value": [t, "v"]}`, in label order."""
    found = []
    for row in rows:
        at, text = row["value"]
        value = float(text)
        if math.isfinite(value):
            found.append(Sample(_labels(row), float(at), value))
    return tuple(sorted(found))


def series(rows: Iterable[Mapping[str, Any]]) -> tuple[Series, ...]:
    """Matrix rows `{"metric": {...}, "values": [[t, "v"], ...]}`, in label order."""
    found = []
    for row in rows:
        points = [(float(at), value) for at, text in row["values"] if math.isfinite(value := float(text))]
        found.append(Series(_labels(row), tuple(at for at, _ in points), tuple(value for _, value in points)))
    return tuple(sorted(found))


def _labels(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((str(name), str(value)[:256]) for name, value in row["metric"].items()))
