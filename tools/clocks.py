"""Clocks behind `core.domain.clock.Clock`: real time, a test's hand-moved time, and the virtual time of a simulator asked over HTTP."""

import asyncio
import itertools
import ssl
from datetime import UTC, datetime, timedelta

import httpx

from core.domain.clock import Clock
from core.domain.errors import Unavailable

POLL_SECONDS = 0.02


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class HandClock:
    """The twin. Time stands until `advance`; `sleep` returns once it was moved far enough, earliest first."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._order = itertools.count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + timedelta(seconds=seconds), next(self._order), waiting))
        self._wake()
        await waiting

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._wake()

    def _wake(self) -> None:
        due = sorted(sleeper for sleeper in self._sleepers if sleeper[0] <= self._now)
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._now]
        for _, _, waiting in due:
            if not waiting.done():
                waiting.set_result(None)


class HttpClock:
    """Virtual time of a simulator at `url`. It is asked at every `now`; a sleep looks every 20 ms of real time."""

    def __init__(self, url: str, ca: str = "") -> None:
        verify = ssl.create_default_context(cadata=ca) if ca else True
        self._client = httpx.Client(base_url=url.rstrip("/"), timeout=5.0, trust_env=False, verify=verify)

    def now(self) -> datetime:
        try:
            answer = self._client.get("/simulator/clock")
            answer.raise_for_status()
            return datetime.fromisoformat(answer.json()["now"]).astimezone(UTC)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unavailable("the simulator's clock", 1.0, reason=type(error).__name__) from error

    def close(self) -> None:
        self._client.close()

    async def sleep(self, seconds: float) -> None:
        until = await asyncio.to_thread(self.now) + timedelta(seconds=seconds)
        while await asyncio.to_thread(self.now) < until:  # noqa: ASYNC110  the event happens in another process
            await asyncio.sleep(POLL_SECONDS)


def clock_of(name: str, ca: str = "") -> Clock:
    """`system`, or the address of a simulator; `ca` is the PEM text that its certificate is checked against."""
    return SystemClock() if name == "system" else HttpClock(name, ca)


clock = clock_of
