"""What was written, in order: the versions behind watches and consistent pages. Kept by the store."""

from collections import deque
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import msgspec

from simulator import errors

Json = dict[str, Any]
Key = tuple[str, str]
KEPT_CHANGES = 10_000
"""Changes remembered per resource; a watch from before them is told 410."""

_encode = msgspec.json.Encoder().encode


class Stored:
    """One version of an object and, once asked for, its JSON."""

    __slots__ = ("_item", "obj", "version")

    def __init__(self, obj: Json, version: int) -> None:
        self.obj = obj
        self.version = version
        self._item: bytes | None = None

    @property
    def item(self) -> bytes:
        """The JSON without apiVersion and kind, as the API server writes the items of a list."""
        if self._item is None:
            self._item = self.passing_item()
        return self._item

    def passing_item(self) -> bytes:
        """As `item`, made anew and not kept: the JSON of all pods of a large cluster would be half of what it holds."""
        if self._item is not None:
            return self._item
        return _encode({field: value for field, value in self.obj.items() if field not in ("apiVersion", "kind")})

    @property
    def encoded(self) -> bytes:
        """The whole JSON."""
        return _encode({"kind": self.obj["kind"], "apiVersion": self.obj["apiVersion"]})[:-1] + b"," + self.item[1:]


class Change(NamedTuple):
    """One write, as a watch sees it. `stored` is the object after it (for DELETED: as it was, with the version of the deletion)."""

    version: int
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    stored: Stored
    previous: Stored | None


class History:
    """The last changes of each resource, and who wants to hear of the next."""

    def __init__(self) -> None:
        self._log: dict[Key, deque[Change]] = {}
        self._floor: dict[Key, int] = {}
        self._listeners: list[Callable[[], None]] = []

    def remember(self, key: Key, change: Change) -> None:
        log = self._log.setdefault(key, deque())
        log.append(change)
        if len(log) > KEPT_CHANGES:
            self._floor[key] = log.popleft().version
        for listener in tuple(self._listeners):
            listener()

    def after(self, key: Key, since: int) -> list[Change]:
        """The changes after version `since`, oldest first. Raises ApiError 410 when they are no longer remembered."""
        if since < self.floor(key):
            raise errors.expired(f"too old resource version: {since} ({self.floor(key)})")
        found: list[Change] = []
        for change in reversed(self._log.get(key, ())):
            if change.version <= since:
                break
            found.append(change)
        found.reverse()
        return found

    def floor(self, key: Key) -> int:
        """The version below which nothing is remembered."""
        return self._floor.get(key, 0)

    @property
    def is_watched(self) -> bool:
        return bool(self._listeners)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each write; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def forget(self, version: int) -> None:
        """Drop all changes up to `version`, the last one written."""
        for key, log in self._log.items():
            self._floor[key] = version
            log.clear()
