"""The watch: changes as lines of JSON, from a version on, until the caller's time is over or the caller is gone."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from simulator import tables
from simulator.errors import ApiError
from simulator.history import Change, Stored
from simulator.routes import reading, versions
from simulator.routes.calls import Call
from simulator.routes.selecting import Wanted
from simulator.store import Store

Json = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_DEFAULT_SECONDS = 1800
_BOOKMARK_SECONDS = 60.0
_BEFORE_THE_END = 2.0
"""The last bookmark comes so long before a watch's time is over."""


async def stream(call: Call) -> AsyncIterator[bytes]:
    """The lines of one watch. A version that is no longer remembered ends it with an ERROR event (410), as the API server does."""
    wanted = reading.selection(call)
    known, opening = _opening(call)
    for line in opening:
        yield line
    loop = asyncio.get_running_loop()
    ends = loop.time() + (call.number("timeoutSeconds") or _DEFAULT_SECONDS)
    bookmarks = call.flag("allowWatchBookmarks")
    alarm = _Alarm(call.store, loop)
    try:
        while True:
            try:
                changes = call.store.watch(call.resource, known)
            except ApiError as gone:
                yield _line("ERROR", _encode(gone.status()))
                return
            for change in changes:
                known = change.version
                if (event := _changed(call, change, wanted)) is not None:
                    yield event
            remaining = ends - loop.time()
            if remaining <= 0:
                break
            last = remaining <= _BEFORE_THE_END
            if not await alarm.rings(remaining if last else min(remaining - _BEFORE_THE_END, _BOOKMARK_SECONDS)) and bookmarks and not last:
                version = call.store.version()
                if not call.store.watch(call.resource, known):  # else a write came just now, and its event goes before the bookmark
                    known = max(known, version)
                    yield _bookmark(call, known)
    finally:
        alarm.stop()


class _Alarm:
    """Wakes a watch at the next write, from whichever thread it came."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self._event = asyncio.Event()
        self._loop = loop
        self.stop = store.subscribe(self._wake)

    def _wake(self) -> None:
        self._loop.call_soon_threadsafe(self._event.set)

    async def rings(self, seconds: float) -> bool:
        """True when something was written within `seconds`."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        self._event.clear()
        return True


def _opening(call: Call) -> tuple[int, list[bytes]]:
    """The version the watch starts from, and the events that show what is there already."""
    asked = call.query.get("resourceVersion", "")
    initial = call.flag("sendInitialEvents")
    if asked.isdecimal() and int(asked) > 0 and not initial:
        return int(asked), []
    known = call.store.version()
    lines = [_event(call, "ADDED", each) for each in reading.chosen(call)]
    if initial and call.flag("allowWatchBookmarks"):
        lines.append(_bookmark(call, known, {"k8s.io/initial-events-end": "true"}))
    return known, lines


def _changed(call: Call, change: Change, wanted: Wanted | None) -> bytes | None:
    """The event as this watch sees it: an object that enters the selection is ADDED, one that leaves it DELETED."""
    meta = change.stored.obj["metadata"]
    if call.namespace and meta.get("namespace") != call.namespace:
        return None
    if call.name and meta["name"] != call.name:
        return None
    if wanted is None or change.type == "ADDED":
        return _event(call, change.type, change.stored) if wanted is None or wanted(change.stored.obj) else None
    before = change.previous is not None and wanted(change.previous.obj)
    after = change.type != "DELETED" and wanted(change.stored.obj)
    if not before and not after:
        return None
    if before and not after and change.previous is not None:
        return _event(call, "DELETED", Stored(_at(change.previous.obj, change.version), change.version))
    return _event(call, "MODIFIED" if before and after else "ADDED", change.stored)


def _at(obj: Json, version: int) -> Json:
    """An object as it was, with the version of the write that ended it for this watch."""
    return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(version)}}


def _event(call: Call, kind: str, stored: Stored) -> bytes:
    if (form := tables.form(call.accept)) == "plain":
        return _line(kind, versions.encoded(call.resource, stored))
    shown = versions.out(call.resource, stored.obj)
    rendered = tables.render(form, call.resource, [shown], call.store.clock.now(), stored.obj["metadata"], single=True)
    return _line(kind, _encode(rendered))


def _bookmark(call: Call, version: int, annotations: Json | None = None) -> bytes:
    meta: Json = {"resourceVersion": str(version)}
    if annotations:
        meta["annotations"] = annotations
    return _line("BOOKMARK", _encode({"kind": call.resource.kind, "apiVersion": call.resource.api_version, "metadata": meta}))


def _line(kind: str, encoded: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), encoded)
