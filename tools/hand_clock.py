"""The twin of the clocks: a test's time, moved by hand. Apart from them, because no process that can write needs it."""

import asyncio
import itertools
from datetime import datetime, timedelta


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
