"""Work that a detector and its planner share is done once for each desk. Used by the subjects of every agent."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from agents.desk import Desk
from core.cluster.graph import Graph

T = TypeVar("T")


def once(look: Callable[[Desk], Iterator[T]]) -> Callable[[Desk], tuple[T, ...]]:
    """All that `look` finds, kept for as long as the desk is. A desk never changes, so neither does the answer."""
    kept: WeakKeyDictionary[Desk, tuple[T, ...]] = WeakKeyDictionary()

    @wraps(look)
    def recall(desk: Desk) -> tuple[T, ...]:
        if desk not in kept:
            kept[desk] = tuple(look(desk))
        return kept[desk]

    return recall


def graph_of(desk: Desk) -> Graph:
    """Who owns, uses and selects whom, indexed once for all checks of a desk."""
    return _graphs(desk)[0]


@once
def _graphs(desk: Desk) -> Iterator[Graph]:
    yield Graph(desk.snapshot)
