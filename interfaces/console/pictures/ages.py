"""Records over time: how many of each kind lie in each part of a span, and the way to those alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

PARTS = 24
ENDED_WELL = frozenset(("verified", "approved", "resumed", "guard.restored"))
ENDED_BADLY = frozenset(("denied", "rolled_back", "escalated", "failed", "expired", "stopped", "guard.altered", "canary.approved"))
WORDS = ("denied", "verified", "other")
"""What a layer is of, lowest first: by these words the style sheet knows it."""


class Layer(NamedTuple):
    """`y` and `height` in percent of the picture, from its top."""

    word: str
    y: float
    height: float


class Part(NamedTuple):
    """`x` and `width` in percent. `since` and `until` are the part's bounds in UTC, as the page's filters take them."""

    x: float
    width: float
    layers: tuple[Layer, ...]
    said: str
    since: str
    until: str


class Ages(NamedTuple):
    """`axis` has the place and the word of each mark of time; `most` is what the highest part holds."""

    parts: tuple[Part, ...]
    axis: tuple[tuple[float, str], ...]
    most: int


def drawn(records: Sequence[Mapping[str, Any]]) -> Ages | None:
    """Of the records shown, with `at` and `event`. None where they are of one moment: then there is no span to look at."""
    times = [datetime.fromisoformat(row["at"]) for row in records]
    if not times or min(times) == max(times):
        return None
    first = min(times).replace(microsecond=0)  # the filters of the page know whole seconds
    step = _step(max(times) - first)
    counted = [Counter[str]() for _ in range(PARTS)]
    for at, row in zip(times, records, strict=True):
        counted[min(PARTS - 1, int((at - first) / step))][_word(str(row["event"]))] += 1
    most = max(count.total() for count in counted)
    parts = tuple(_part(number, count, most, first, step) for number, count in enumerate(counted) if count)
    marks = tuple((round(100 * number / 4, 2), _mark(first + step * PARTS * number / 4, step)) for number in range(5))
    return Ages(parts, marks, most)


def _step(whole: timedelta) -> timedelta:
    """Whole seconds, and so long that the last record lies within the last part."""
    return timedelta(seconds=int(whole.total_seconds()) // PARTS + 1)


def _word(event: str) -> str:
    return "verified" if event in ENDED_WELL else "denied" if event in ENDED_BADLY else "other"


def _part(number: int, count: Counter[str], most: int, first: datetime, step: timedelta) -> Part:
    since, until = first + step * number, first + step * (number + 1)
    layers, top = [], 100.0
    for word in WORDS:
        height = round(100 * count[word] / most, 2)
        top -= height
        if height:
            layers.append(Layer(word, round(max(0.0, top), 2), height))
    bad = f", {count['denied']} of what was refused, undone or stopped" if count["denied"] else ""
    said = f"{count.total()} records{bad}, {_mark(since, step)} to {_mark(until, step)}"
    width = round(100 / PARTS, 2)
    return Part(round(number * 100 / PARTS, 2), width, tuple(layers), said, _field(since), _field(until))


def _field(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def _mark(moment: datetime, step: timedelta) -> str:
    if step >= timedelta(hours=1):
        return f"{moment:%d %b %H:%M}"
    return f"{moment:%H:%M:%S}" if step < timedelta(minutes=1) else f"{moment:%H:%M}"
