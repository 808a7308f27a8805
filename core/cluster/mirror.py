"""One kind of object as a watch keeps it: the lines of a watch in, the objects as they stand out. Fed by `tools/kubernetes/following.py`.

It holds to what the API promises and to nothing more: versions are opaque, an object may be told of twice, and only the bookmark that
ends the initial events makes a streamed list whole (KEP-3157). One object that cannot be decoded is named, and never costs the watch.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from core.cluster import decoding, objects
from core.cluster.sharing import SharedPod, Sharing
from core.domain.errors import Unavailable
from core.domain.values import bounded

T = TypeVar("T")
Key = tuple[str, str]
"""Namespace and name."""

WHOLE = "k8s.io/initial-events-end"
SHARED_BY = 1000
"""How many pods share what is equal in them before it is begun anew: what was shared is held by nobody else then."""


class Ended(NamedTuple):
    """The ERROR that ended a watch. With `code` 410 the version is no longer remembered: what is held must be listed again."""

    code: int
    reason: str

    @property
    def expired(self) -> bool:
        return self.code == 410 or self.reason in ("Expired", "Gone")


class _Line(msgspec.Struct, Generic[T], frozen=True, gc=False):
    type: str
    object: T


class _MarkMeta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_version: str = ""
    annotations: dict[str, str] = {}


class _Mark(msgspec.Struct, frozen=True, gc=False):
    """What is read of a BOOKMARK (its metadata) and of an ERROR (a Status)."""

    metadata: _MarkMeta = _MarkMeta()
    code: int = 0
    reason: str = ""
    message: str = ""


class _Objects:
    """What is held of a kind: objects by namespace and name, and what could not be decoded, by what it is called."""

    def __init__(self, items: Iterable[Any] = (), poisoned: Iterable[decoding.Poison] = ()) -> None:
        self.items = {(item.metadata.namespace, item.metadata.name): item for item in items}
        self.poisoned = dict(poisoned)


class Mirror:
    """`version` is where a watch goes on, and empty where all must be read anew; `whole` says that everything was read once."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.version = ""
        self.whole = False
        self.moves = 0
        self._now = _Objects()
        self._coming: _Objects | None = None
        self._sharing, self._settled = Sharing(), 0

    @property
    def items(self) -> tuple[Any, ...]:
        return tuple(self._now.items.values())

    @property
    def poisoned(self) -> tuple[decoding.Poison, ...]:
        return tuple(self._now.poisoned.items())

    def replace(self, listed: decoding.Decoded) -> None:
        """A whole list: what it does not have is gone."""
        self._finish(_Objects(listed.items, listed.poisoned), listed.resource_version)

    def begin(self) -> None:
        """A streamed list starts. What is held stays what is shown until it is whole."""
        self._coming, self.version = _Objects(), ""

    def expire(self) -> None:
        """What is held is still shown, and must be read anew before a watch can go on."""
        self._coming, self.version = None, ""

    def heed(self, lines: Iterable[bytes]) -> Ended | None:
        """Take over what these lines tell, each one event. Raises Unavailable for what is no event: the connection cannot be believed."""
        with decoding.collector_paused():
            for line in lines:
                if line and (ended := self._heed(line)) is not None:
                    return ended
        return None

    def _heed(self, line: bytes) -> Ended | None:
        try:
            event = _decoder(self.kind).decode(line)
            item, change = event.object, event.type
            if change not in _CHANGES:
                return self._marked(change, line)
            if item.__class__ is SharedPod:
                self._settle(item)
            meta = item.metadata
            if not meta.name:
                return self._salvage(line)
        except decoding.BROKEN:
            return self._salvage(line)
        self._take(change, (meta.namespace, meta.name), item, meta.resource_version)
        return None

    def _take(self, change: str, key: Key, item: Any, version: str) -> None:
        """`item` None: it could not be decoded."""
        into = self._coming or self._now
        if change == "DELETED" or item is None:
            into.items.pop(key, None)
        else:
            into.items[key] = item
        if into.poisoned:
            into.poisoned.pop(decoding.called(self.kind, *key), None)
        if self._coming is None:
            self.version = version or self.version
            self.moves += 1

    def _marked(self, change: str, line: bytes) -> Ended | None:
        try:
            mark = _marks().decode(line).object
        except decoding.BROKEN as error:
            raise self._unreadable(str(error)) from error
        if change == "ERROR":
            return Ended(mark.code, bounded(mark.reason or mark.message, 200))
        if change != "BOOKMARK":
            raise self._unreadable(f"it tells of {change}")
        if self._coming is None:
            self.version = mark.metadata.resource_version or self.version
        elif mark.metadata.annotations.get(WHOLE) == "true":
            self._finish(self._coming, mark.metadata.resource_version)
        return None

    def _salvage(self, line: bytes) -> Ended | None:
        """An object that breaks its struct: without its nulls where that helps, else by name. Its earlier form is not shown any longer."""
        try:
            event = _raws().decode(line)
        except decoding.BROKEN as error:
            raise self._unreadable(str(error)) from error
        if event.type not in _CHANGES:
            return self._marked(event.type, line)
        meta = _bare_meta(event.object)
        key = (meta.namespace, meta.name)
        try:
            item = decoding.decode_object(self.kind, event.object)
        except ValueError as error:
            self._take(event.type, key, None, meta.resource_version)
            if event.type != "DELETED":
                (self._coming or self._now).poisoned[decoding.name_of(self.kind, event.object)] = str(error)
            return None
        self._take(event.type, key, item, item.metadata.resource_version)
        return None

    def _unreadable(self, why: str) -> Unavailable:
        return Unavailable("the Kubernetes API", 2.0, reason=f"a line of the watch of {self.kind} cannot be read: {bounded(why, 120)}")

    def _finish(self, found: _Objects, version: str) -> None:
        self._now, self._coming, self.version, self.whole = found, None, version, True
        self.moves += 1

    def _settle(self, pod: SharedPod) -> None:
        self._settled += 1
        if self._settled % SHARED_BY == 0:
            self._sharing = Sharing()
        self._sharing.settle(pod)


_CHANGES = frozenset({"ADDED", "MODIFIED", "DELETED"})


class _BareMeta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    name: str = ""
    namespace: str = ""
    resource_version: str = ""


class _Bare(msgspec.Struct, frozen=True, gc=False):
    metadata: _BareMeta = _BareMeta()


def _bare_meta(item: msgspec.Raw) -> _BareMeta:
    try:
        return msgspec.json.decode(item, type=_Bare).metadata
    except decoding.BROKEN:
        return _BareMeta()


@cache
def _decoder(kind: str) -> "msgspec.json.Decoder[_Line[Any]]":
    line: Any = _Line
    return msgspec.json.Decoder(line[SharedPod if kind == "Pod" else objects.STRUCTS[kind]])


@cache
def _marks() -> "msgspec.json.Decoder[_Line[_Mark]]":
    return msgspec.json.Decoder(_Line[_Mark])


@cache
def _raws() -> "msgspec.json.Decoder[_Line[msgspec.Raw]]":
    return msgspec.json.Decoder(_Line[msgspec.Raw])
