"""Follows a cluster by watches: the reader of agents whose next look costs no request. What is not in touch is listed, as without it.

One watch for each kind (and namespace, where not all are read). A watch may end at any time and without an error, under a burst or at its
time limit: it goes on at the last version that was told, and nothing is lost. A version that the server no longer remembers (410, as an
answer or as an event) means to read all anew. Lists are streamed where the server does that (KEP-3157), and paged where not.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote

import httpx

from core.cluster import decoding
from core.cluster.kinds import Kind
from core.cluster.mirror import Mirror
from core.cluster.observed import OBSERVED
from core.cluster.snapshot import Snapshot
from core.domain.clock import Clock
from core.domain.errors import Day2Error, NotAuthorised, Unavailable
from core.domain.values import bounded
from tools.kubernetes import transport
from tools.kubernetes.config import Connection
from tools.kubernetes.reader import resource_of
from tools.kubernetes.snapshots import SnapshotReader

LONGEST_LINE = 32 * 1024 * 1024
"""Far more than an object may have; who sends more is no API server."""
STREAMS_SINCE = 32
"""The minor version from which a list may be asked for as a stream. Older servers ignore the question and never say that it ended."""
EXTRA_CONNECTIONS = 20


class Pace(NamedTuple):
    """Seconds. A pause is drawn between nothing and `first`, doubled with each failure up to `longest`. Watches end after `watch` to twice
    as long, so that not all end at once. What is refused or not served is tried again after `refused`. A mirror that has been out of
    touch for longer than `trusted` is not looked into."""

    first: float = 0.5
    longest: float = 30.0
    watch: float = 240.0
    refused: float = 300.0
    trusted: float = 30.0


PACE = Pace()


class _Watch:
    """One kind in one scope: what is held, and how its watch stands."""

    def __init__(self, kind: Kind, namespace: str) -> None:
        self.kind = kind
        self.path = kind.path(quote(namespace, safe=""))
        self.namespace = namespace
        self.mirror = Mirror(kind.name)
        self.connected = False
        self.seen = float("-inf")  # when it was last in touch, by the loop's clock
        self.failures = 0
        self.refused = ""

    @property
    def settled(self) -> bool:
        return self.mirror.whole or bool(self.refused or self.failures)


class Follower:
    """The watches of these kinds. `run` keeps them up until it is cancelled; `chance` draws pauses and time limits."""

    def __init__(
        self,
        reader: SnapshotReader,
        client: httpx.AsyncClient,
        kinds: Sequence[str],
        namespaces: Sequence[str] = (),
        *,
        pace: Pace = PACE,
        chance: random.Random | None = None,
    ) -> None:
        self._reader, self._client = reader, client
        self._scope = tuple(namespaces)
        self._pace, self._chance = pace, chance or random.Random()  # noqa: S311  pauses, no secrets
        self._news = asyncio.Event()
        self._streams = False
        self._watches = [
            _Watch(OBSERVED[name], namespace)
            for name in kinds
            for namespace in (self._scope if self._scope and OBSERVED[name].namespaced else ("",))
        ]
        self.connects = 0

    @property
    def moves(self) -> int:
        """How often anything changed so far."""
        return sum(watch.mirror.moves for watch in self._watches)

    async def run(self) -> None:
        with contextlib.suppress(Day2Error):
            self._streams = await self._reader.minor() >= STREAMS_SINCE
        async with asyncio.TaskGroup() as group:
            for watch in self._watches:
                group.create_task(self._keep(watch), name=f"watch {watch.kind.resource}")

    async def settled(self, seconds: float) -> bool:
        """Whether each kind was read once, or could not be, within so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not all(watch.settled for watch in self._watches):
                    await self._news.wait()
        return all(watch.settled for watch in self._watches)

    async def moved(self, since: int) -> int:
        """Waits until something changed after `since` (a number of `moves`), and tells how often by now."""
        while self.moves == since:
            await self._news.wait()
        return self.moves

    def held(self, kind: str, namespaces: Sequence[str]) -> decoding.Decoded | str | None:
        """What is held of a kind in these namespaces, or why it may not be read. None: it must be listed."""
        wanted = set(namespaces) if OBSERVED[kind].namespaced else set()
        if self._scope and OBSERVED[kind].namespaced and not (wanted and wanted <= set(self._scope)):
            return None
        watches = [watch for watch in self._watches if watch.kind.name == kind and (not wanted or watch.namespace in {"", *wanted})]
        if refused := next((watch.refused for watch in watches if watch.refused), ""):
            return refused
        if not watches or not all(self._in_touch(watch) for watch in watches):
            return None
        items = tuple(item for watch in watches for item in watch.mirror.items)
        if wanted and not self._scope:
            items = tuple(item for item in items if item.metadata.namespace in wanted)
        return decoding.Decoded(items, tuple(poison for watch in watches for poison in watch.mirror.poisoned))

    def _in_touch(self, watch: _Watch) -> bool:
        now = asyncio.get_running_loop().time()
        return watch.mirror.whole and (watch.connected or now - watch.seen <= self._pace.trusted)

    async def _keep(self, watch: _Watch) -> None:
        """One watch after the other, for as long as we live."""
        while True:
            try:
                pause = self._pause(watch) if await self._once(watch) else self._chance.uniform(0, self._pace.first)
            except NotAuthorised as error:
                watch.refused, pause = f"{bounded(str(error), 160)}; {error.mend}", self._pace.refused
                watch.mirror = Mirror(watch.kind.name)  # what we may not read any longer is not shown either
            except _NotServed:
                watch.refused, pause = "not served by this cluster", self._pace.refused
            except Day2Error as error:
                pause = self._pause(watch, error.retry_after if isinstance(error, Unavailable) else 0.0)
            self._tell()
            await asyncio.sleep(pause)

    def _pause(self, watch: _Watch, at_least: float = 0.0) -> float:
        watch.failures += 1
        drawn = self._chance.uniform(0, min(self._pace.longest, self._pace.first * 2 ** min(watch.failures, 16)))
        return min(self._pace.longest, at_least) + drawn

    async def _once(self, watch: _Watch) -> bool:
        """Read all where that is needed, then watch until the server ends it. True where it ended at once and told nothing."""
        if not watch.mirror.version and not self._streams:
            watch.mirror.replace(await self._reader.decoded(watch.kind, watch.namespace))
            self._touched(watch)
        loop = asyncio.get_running_loop()
        began, moves = loop.time(), watch.mirror.moves
        await self._watched(watch)
        return watch.mirror.moves == moves and loop.time() - began < self._pace.first

    async def _watched(self, watch: _Watch) -> None:
        mirror, seconds = watch.mirror, self._pace.watch * self._chance.uniform(1, 2)
        asked = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(max(1, int(seconds)))}
        if mirror.version:
            asked["resourceVersion"] = mirror.version
        else:
            asked |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
            mirror.begin()
        limits = httpx.Timeout(transport.CONNECT_SECONDS, read=seconds + 30)
        self.connects += 1
        try:
            async with self._client.stream("GET", watch.path, params=asked, timeout=limits) as response:
                if response.status_code != HTTPStatus.OK:
                    await response.aread()
                    self._answered(watch, response, initial="sendInitialEvents" in asked)
                    return
                watch.connected = True
                await self._heed(watch, response)
        except httpx.HTTPError as error:
            if not watch.connected:
                raise transport.unreachable(self._client, error) from error
        finally:
            if watch.connected:
                watch.connected, watch.seen = False, asyncio.get_running_loop().time()

    async def _heed(self, watch: _Watch, response: httpx.Response) -> None:
        """Every line until the stream ends. What is left of an unfinished line is told again by the next watch."""
        rest = b""
        async for chunk in response.aiter_bytes():
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise Unavailable("the Kubernetes API", 5.0, reason=f"a line of the watch of {watch.kind.resource} has no end")
            if ended := watch.mirror.heed(lines):
                if ended.expired:
                    watch.mirror.expire()
                    return
                raise Unavailable(
                    "the Kubernetes API", 1.0, reason=f"the watch of {watch.kind.resource} ended: {ended.reason or ended.code}"
                )
            if lines:
                self._touched(watch)

    def _answered(self, watch: _Watch, response: httpx.Response, *, initial: bool) -> None:
        """What an answer that is no watch means. Raises what the caller must know of."""
        code = response.status_code
        if code == HTTPStatus.GONE:
            watch.mirror.expire()
        elif code == HTTPStatus.NOT_FOUND:
            raise _NotServed
        elif code == HTTPStatus.TOO_MANY_REQUESTS or code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable("the Kubernetes API", transport.retry_after(response, 1.0), reason=f"HTTP {code}")
        elif initial and code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
            self._streams = False  # its feature gate is off
            watch.mirror.expire()
        else:
            transport.raise_for(response, right=f"watch {resource_of(watch.kind)}")

    def _touched(self, watch: _Watch) -> None:
        watch.seen, watch.failures, watch.refused = asyncio.get_running_loop().time(), 0, ""
        self._tell()

    def _tell(self) -> None:
        """Whoever waits looks again."""
        self._news.set()
        self._news.clear()


class _NotServed(Exception):
    """There is no such API here."""


class FollowingReader(SnapshotReader):
    """As its base; what the follower holds is not asked for."""

    follower: Follower

    async def snapshot(self, kinds: Sequence[str], namespaces: Sequence[str] = ()) -> Snapshot:
        held = {name: found for name in kinds if (found := self.follower.held(name, namespaces)) is not None}
        listed = await super().snapshot([name for name in kinds if name not in held], namespaces)
        good = {name: found for name, found in held.items() if not isinstance(found, str)}
        objects = {**{name: found.items for name, found in good.items()}, **listed.objects}
        return Snapshot(
            cluster=listed.cluster,
            taken_at=listed.taken_at,
            objects={name: objects[name] for name in kinds if name in objects},
            unread={**{name: found for name, found in held.items() if isinstance(found, str)}, **listed.unread},
            poisoned=(*(poison for found in good.values() for poison in found.poisoned), *listed.poisoned),
        )


@contextlib.asynccontextmanager
async def following(
    connection: Connection, clock: Clock, kinds: Sequence[str], namespaces: Sequence[str] = (), *, pace: Pace = PACE
) -> AsyncIterator[FollowingReader]:
    """A reader that follows these kinds while it is open. Raises InvalidInput for certificates that cannot be used; nothing is read yet."""
    connections = len(kinds) * max(1, len(namespaces)) + EXTRA_CONNECTIONS
    async with transport.connect(connection, connections=connections) as client:
        reader = FollowingReader(client, clock)
        reader.follower = Follower(reader, client, kinds, namespaces, pace=pace)
        running = asyncio.create_task(reader.follower.run(), name="following")
        try:
            yield reader
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
