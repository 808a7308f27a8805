"""Clocks behind `core.domain.clock.Clock`: real time, and the virtual time of a simulator asked over HTTP. Their twin is `hand_clock`."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import httpx

from core.domain.errors import Unavailable

POLL_SECONDS = 0.02
PATIENCE_SECONDS = 30.0
"""A simulator on a machine that was held up for some seconds still answers; without its time nothing here can go on."""


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def close(self) -> None:
        """There is nothing to close."""


class HttpClock:
    """Virtual time of a simulator at `url`. It is asked at every `now`; a sleep looks every 20 ms of real time."""

    def __init__(self, url: str, ca: str = "") -> None:
        verify = ssl.create_default_context(cadata=ca) if ca else True
        self._client = httpx.Client(base_url=url.rstrip("/"), timeout=PATIENCE_SECONDS, trust_env=False, verify=verify)

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


def clock_of(name: str, ca: str = "") -> SystemClock | HttpClock:
    """`system`, or the address of a simulator; `ca` is the PEM text that its certificate is checked against."""
    return SystemClock() if name == "system" else HttpClock(name, ca)
