"""A small API server whose lists and watches go wrong as real ones do, drawn from a seed: the other end of the follower in its tests."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

Json = dict[str, Any]
FAULTS = ("none", "ends", "cut", "gone", "error-event", "busy", "refused-connection", "twice")


class Body(httpx.AsyncByteStream):
    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        self._lines = lines

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for line in self._lines:
            yield line


class WatchedServer(httpx.AsyncBaseTransport):
    """Config maps by name. `faults` is drawn from for each watch; `asked` is every request's query."""

    def __init__(self, seed: int = 0, faults: tuple[str, ...] = ("none",), *, minor: int = 37, streams: bool = True) -> None:
        self.chance = random.Random(seed)
        self.faults, self.minor, self.streams = faults, minor, streams
        self.objects: dict[str, Json] = {}
        self.log: list[tuple[int, str, Json]] = []
        self.version = 1
        self.forgotten = 0
        self.asked: list[dict[str, str]] = []
        self.answers: list[httpx.Response] = []
        """Given before anything else, in this order."""
        self.down = False
        self._ends = 0
        self._news = asyncio.Event()

    def put(self, name: str, **more: Any) -> None:
        self.version += 1
        change = "MODIFIED" if name in self.objects else "ADDED"
        item = {"metadata": {"name": name, "namespace": more.pop("namespace", "shop"), "resourceVersion": str(self.version)}, **more}
        self.objects[name] = item
        self._log(change, item)

    def delete(self, name: str) -> None:
        self.version += 1
        item = self.objects.pop(name)
        self._log("DELETED", {**item, "metadata": {**item["metadata"], "resourceVersion": str(self.version)}})

    def forget(self) -> None:
        """As a compaction: watches from before now are told 410."""
        self.forgotten = self.version

    def end_all(self) -> None:
        """Every open watch ends without an error."""
        self._ends += 1
        self._tell()

    def _log(self, change: str, item: Json) -> None:
        self.log.append((self.version, change, item))
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news.clear()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        if request.url.path == "/version":
            return httpx.Response(200, json={"major": "1", "minor": str(self.minor)})
        if request.url.path.endswith("/kube-system"):
            return httpx.Response(200, json={"metadata": {"name": "kube-system", "uid": "c-1"}})
        self.asked.append(query)
        if self.down:
            raise httpx.ConnectError("nobody there", request=request)
        if self.answers:
            return self.answers.pop(0)
        if "watch" not in query:
            items = list(self.objects.values())
            return httpx.Response(200, json={"kind": "ConfigMapList", "metadata": {"resourceVersion": str(self.version)}, "items": items})
        fault = self.chance.choice(self.faults)
        if fault == "busy":
            return httpx.Response(429, headers={"Retry-After": "0"}, json={"message": "busy"})
        if fault == "refused-connection":
            raise httpx.ConnectError("refused", request=request)
        initial = query.get("sendInitialEvents") == "true"
        if initial and not self.streams:
            return httpx.Response(422, json={"reason": "Invalid", "message": "sendInitialEvents is forbidden"})
        since = self.version if initial else int(query["resourceVersion"])
        if not initial and (since < self.forgotten or fault == "gone"):
            return httpx.Response(410, json={"code": 410, "reason": "Expired"})
        return httpx.Response(200, stream=Body(self._watch(since, fault, initial=initial)))

    async def _watch(self, since: int, fault: str, *, initial: bool) -> AsyncIterator[bytes]:
        lasts = self.chance.randrange(1, 12) if fault in ("ends", "cut", "error-event") else 10**9
        if initial:
            items = list(self.objects.values())
            for item in items[:lasts]:
                yield line("ADDED", item)
            if len(items) >= lasts:
                return
            yield line("BOOKMARK", mark(since, whole=True))
        told, ends = 0, self._ends
        while ends == self._ends:
            news = [entry for entry in self.log if entry[0] > since]
            if not news:
                await self._news.wait()
                continue
            for version, change, item in news:
                since, told = version, told + 1
                if told > lasts:
                    for last in self._last_words(fault, change, item):
                        yield last
                    return
                for part in self._told(fault, change, item):
                    yield part
            if self.chance.random() < 0.3:
                yield line("BOOKMARK", mark(since))

    def _told(self, fault: str, change: str, item: Json) -> Iterator[bytes]:
        """In two parts, as a network cuts it."""
        for _ in range(2 if fault == "twice" else 1):
            text = line(change, item)
            where = self.chance.randrange(len(text))
            yield from (text[:where], text[where:])

    def _last_words(self, fault: str, change: str, item: Json) -> Iterator[bytes]:
        if fault == "cut":
            yield line(change, item)[: self.chance.randrange(1, 30)]
        if fault == "error-event":
            yield line("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"})


def mark(version: int, *, whole: bool = False) -> Json:
    """As the API server sends them: an empty object of the kind, with nulls in it."""
    notes = {"annotations": {"k8s.io/initial-events-end": "true"}} if whole else {}
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"resourceVersion": str(version), "creationTimestamp": None, **notes}}


def line(change: str, item: Json) -> bytes:
    return json.dumps({"type": change, "object": item}).encode() + b"\n"
