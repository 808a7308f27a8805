"""Virtual time. The store stamps objects with it, controllers run on its ticks, `control` moves it and `serving` lets it flow.

The clock never looks at the wall: `rate` only tells `serving` how many virtual seconds one real second is worth.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Tick = Callable[[datetime], None]


class _Ticker:
    """One registered tick: what to call, how often, and when it is due next."""

    __slots__ = ("due", "every", "tick")

    def __init__(self, tick: Tick, every: timedelta, due: datetime) -> None:
        self.tick = tick
        self.every = every
        self.due = due


class VirtualClock:
    """Time that moves only by `advance`. Deterministic: due ticks run in time order, at equal times in order of registration."""

    def __init__(self, start: datetime, rate: float = 0.0) -> None:
        if start.tzinfo is None:
            raise ValueError("the start of a virtual clock needs a time zone")
        self.rate = rate
        self._now = start.astimezone(UTC)
        self._tickers: list[_Ticker] = []
        self._advancing = False

    def now(self) -> datetime:
        """The virtual time, aware UTC."""
        return self._now

    def on_tick(self, tick: Callable[[datetime], None], every_seconds: float = 1.0) -> None:
        """Call `tick(now)` every so many virtual seconds, first one period from now."""
        if every_seconds <= 0:
            raise ValueError("a tick needs a period above zero")
        every = timedelta(seconds=every_seconds)
        self._tickers.append(_Ticker(tick, every, self._now + every))

    def advance(self, seconds: float) -> None:
        """Move time forward and run every tick that falls due. A tick may register further ticks, but never advance the clock."""
        if seconds < 0:
            raise ValueError("virtual time never goes back")
        if self._advancing:
            raise RuntimeError("a tick may not advance the clock it runs on")
        target = self._now + timedelta(seconds=seconds)
        self._advancing = True
        try:
            while self._tickers:
                ticker = min(self._tickers, key=lambda each: each.due)
                if ticker.due > target:
                    break
                self._now = ticker.due
                ticker.due += ticker.every
                ticker.tick(self._now)
            self._now = target
        finally:
            self._advancing = False


def stamp(moment: datetime) -> str:
    """RFC 3339 with whole seconds, as metav1.Time is written."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp(moment: datetime) -> str:
    """RFC 3339 with microseconds, as metav1.MicroTime (leases, events) is written."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime:
    """The moment of an RFC 3339 text; raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)
