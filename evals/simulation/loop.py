"""An asyncio loop of virtual time whose order is drawn from a seed: the same seed gives the same interleaving, and an hour costs nothing.

It has no sockets and no threads. Time jumps to the next timer when nothing is ready.
"""

import asyncio
from random import Random
from typing import Any


class StuckError(RuntimeError):
    """Nothing is ready and no timer is set: everybody waits for somebody else, for ever."""


class _Timers:
    """Stands where the selector would: waiting is moving the time."""

    def __init__(self, loop: "SeededLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise StuckError("everybody waits for somebody else")
        self._loop.moment += timeout
        return []

    def close(self) -> None:
        """There is nothing to close."""


class SeededLoop(asyncio.BaseEventLoop):
    """`moment` is the virtual time in seconds since the start."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.moment = 0.0
        self.steps = 0
        self._order = Random(f"{seed}:order")  # noqa: S311  a schedule, not a secret
        self._clock_resolution = 1e-9
        self._selector = _Timers(self)

    def time(self) -> float:
        return self.moment

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]  # noqa: ARG002  asyncio's, loosely
        raise RuntimeError(f"a thread was asked for, for {func}: no run of it could be repeated")

    def _process_events(self, event_list: Any) -> None:
        """There are no events but timers."""

    def _write_to_self(self) -> None:
        """Nobody outside wakes this loop."""

    def _run_once(self) -> None:
        ready: Any = self._ready  # type: ignore[attr-defined]
        self.steps += 1
        if len(ready) > 1:
            order = list(ready)
            self._order.shuffle(order)
            ready.clear()
            ready.extend(order)
        super()._run_once()  # type: ignore[misc]
