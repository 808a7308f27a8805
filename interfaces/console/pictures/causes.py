"""A cause chain as layers: causes at the left, what follows from them to the right of it. Over sixty nodes it is a table instead."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

MOST_NODES = 60
WIDE, HIGH, GAP_X, GAP_Y = 230, 64, 60, 16


class Node(NamedTuple):
    """`x` and `y` in pixels of the picture."""

    id: str
    x: int
    y: int
    title: str
    under: str
    severity: str
    cause: bool


class Edge(NamedTuple):
    path: str
    tip: str


class Chain(NamedTuple):
    """`said` is the picture in words: which is the cause of how many."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: int
    height: int
    said: str


def drawn(findings: Sequence[Mapping[str, Any]]) -> Chain | None:
    """Of findings with `symptomOf`. None where nothing follows from anything, or where it would be too much to see."""
    known = {item["id"]: item for item in findings}
    parent = {item["id"]: item["symptomOf"] for item in findings if item["symptomOf"] in known}
    shown = [item for item in findings if item["id"] in parent or item["id"] in parent.values()]
    if not shown or len(shown) > MOST_NODES:
        return None
    depth = {item["id"]: _depth(item["id"], parent) for item in shown}
    order = _ordered([item["id"] for item in shown], parent)
    row: dict[int, int] = {}
    places: dict[str, tuple[int, int]] = {}
    for name in order:
        at = max(row.get(depth[name], 0), places[parent[name]][1] if name in parent else max(row.values(), default=0))
        places[name] = (depth[name], at)
        row[depth[name]] = at + 1
    nodes = tuple(_node(known[name], *places[name], cause=name not in parent) for name in order)
    edges = tuple(_edge(places[parent[name]], places[name]) for name in order if name in parent)
    width = (max(depth.values()) + 1) * (WIDE + GAP_X) - GAP_X + 4
    height = (max(at for _, at in places.values()) + 1) * (HIGH + GAP_Y) - GAP_Y + 4
    causes = [known[name] for name in order if name not in parent]
    said = "; ".join(f"{item['title']} explains {_followers(item['id'], parent)} more" for item in causes[:5])
    return Chain(nodes, edges, width, height, said)


def _depth(name: str, parent: Mapping[str, str]) -> int:
    """Steps from its cause. A ring, which no report has, ends."""
    seen = {name}
    while (name := parent.get(name, "")) and name not in seen:
        seen.add(name)
    return len(seen) - 1


def _ordered(names: Sequence[str], parent: Mapping[str, str]) -> list[str]:
    """Each cause, then what follows from it."""
    found: list[str] = []

    def follow(name: str) -> None:
        if name not in found:
            found.append(name)
            for other in names:
                if parent.get(other) == name:
                    follow(other)

    for name in names:
        if name not in parent:
            follow(name)
    return found


def _followers(name: str, parent: Mapping[str, str]) -> int:
    return sum(1 + _followers(other, parent) for other, up in parent.items() if up == name)


def _node(item: Mapping[str, Any], layer: int, at: int, *, cause: bool) -> Node:
    subject = item["subject"]
    where = f"{subject['namespace']}/{subject['name']}" if subject["namespace"] else subject["name"]
    x, y = layer * (WIDE + GAP_X) + 2, at * (HIGH + GAP_Y) + 2
    return Node(item["id"], x, y, _short(item["title"], 34), _short(f"{item['code']} {where}", 36), item["severity"], cause)


def _edge(start: tuple[int, int], end: tuple[int, int]) -> Edge:
    x1, y1 = start[0] * (WIDE + GAP_X) + WIDE + 2, start[1] * (HIGH + GAP_Y) + HIGH // 2 + 2
    x2, y2 = end[0] * (WIDE + GAP_X) + 2, end[1] * (HIGH + GAP_Y) + HIGH // 2 + 2
    middle = (x1 + x2) // 2
    return Edge(f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2 - 7} {y2}", f"M{x2 - 8} {y2 - 4}L{x2} {y2}L{x2 - 8} {y2 + 4}z")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
