"""How a test or a demo steers the simulated cluster from outside: time, scripted failures, and what was asked so far.

Served under /simulator without a token; it belongs to the one who runs the simulator, not to the cluster.
"""

import asyncio
import re
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from simulator import errors
from simulator.clock import VirtualClock, micro_stamp

Json = dict[str, Any]
Action = Literal["status", "drop", "delay", "after_apply_drop"]
KEPT_REQUESTS = 20_000
LONGEST_ADVANCE_SECONDS = 30 * 86_400
_ADVANCE_STEP_SECONDS = 60.0
_STATUS_REASONS = {409: "Conflict", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}


class DroppedError(ConnectionResetError):
    """The scripted loss of a connection: the server ends it without an answer."""


@dataclass(slots=True)
class Fault:
    """One scripted failure. `times` counts down; `path` is searched for in path and query."""

    method: str
    path: re.Pattern[str]
    action: Action
    code: int = 500
    seconds: float = 0.0
    times: int = 1
    retry_after: int | None = None

    def matches(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in ("*", method) and self.path.search(path) is not None

    def refusal(self) -> errors.ApiError:
        reason = _STATUS_REASONS.get(self.code, "InternalError")
        details = {"retryAfterSeconds": self.retry_after} if self.retry_after is not None else None
        return errors.ApiError(self.code, reason, f"scripted failure {self.code}", details)


class Faults:
    """The scripted failures that are still to come, tried in the order they were added."""

    def __init__(self) -> None:
        self._script: list[Fault] = []

    def add(self, told: Json) -> Fault:
        """Read one fault: {match: {method, path_regex}, status|drop|delay|after_apply_drop, times, retry_after}.

        400 when it cannot be read.
        """
        match = told.get("match") or {}
        try:
            fault = Fault(str(match.get("method", "*")).upper(), re.compile(str(match.get("path_regex", ""))), *_action(told))
            fault.times = int(told.get("times", 1))
        except (re.error, TypeError, ValueError) as broken:
            raise errors.bad_request(f"the fault cannot be read: {broken}") from broken
        fault.retry_after = told.get("retry_after")
        self._script.append(fault)
        return fault

    def clear(self) -> None:
        self._script.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, counted down."""
        for fault in self._script:
            if fault.matches(method, path):
                fault.times -= 1
                return fault
        return None

    def json(self) -> list[Json]:
        return [
            {"method": each.method, "path_regex": each.path.pattern, "action": each.action, "times": each.times} for each in self._script
        ]


def _action(told: Json) -> tuple[Action, int, float]:
    if "status" in told:
        return "status", int(told["status"]), 0.0
    if "delay" in told:
        return "delay", 0, float(told["delay"])
    for name in ("drop", "after_apply_drop"):
        if told.get(name):
            return ("drop" if name == "drop" else "after_apply_drop"), 0, 0.0
    raise errors.bad_request("a fault needs one of status, drop, delay, after_apply_drop")


class Audit:
    """The last requests, oldest first."""

    def __init__(self) -> None:
        self._kept: deque[Json] = deque(maxlen=KEPT_REQUESTS)
        self._seen = 0

    def note(self, entry: Json) -> None:
        self._seen += 1
        self._kept.append({"id": self._seen, **entry})

    def since(self, seen: int, limit: int) -> list[Json]:
        """Entries with an id above `seen`, at most `limit`."""
        return list(islice((each for each in self._kept if each["id"] > seen), limit))


async def advance(clock: VirtualClock, told: Json) -> Json:
    """Move the clock by {"advance_seconds": n} and tell the time. 400 for a number that is none.

    Between steps other requests get their turn, so that watches follow and nobody waits for a long advance.
    """
    seconds = told.get("advance_seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_ADVANCE_SECONDS:
        raise errors.bad_request(f"advance_seconds is a number from 0 to {LONGEST_ADVANCE_SECONDS}")
    remaining = float(seconds)
    while remaining > 0:
        step = min(remaining, _ADVANCE_STEP_SECONDS)
        clock.advance(step)
        remaining -= step
        await asyncio.sleep(0)
    return time_of(clock)


def time_of(clock: VirtualClock) -> Json:
    return {"now": micro_stamp(clock.now()), "rate": clock.rate}
