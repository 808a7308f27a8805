"""The timetable: which ticks of which schedule were seen, what became of them, and what people changed without a file.

Durable truth of what runs by itself: `tools/stores/front` keeps it, and has the twin. A tick is one row for ever; its run's id follows from
schedule and moment, so whoever computes it, and however often, it is one run.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from core.domain.report import Report


class TickState(StrEnum):
    DUE = "due"
    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"
    SKIPPED = "skipped"
    MISSED = "missed"


class Tick(NamedTuple):
    """`asked_by` names the person who had it run out of turn; `note` says why it was left out, or failed."""

    schedule: str
    at: datetime
    run_id: str
    state: TickState
    changed_at: datetime
    asked_by: str = ""
    note: str = ""


class Pause(NamedTuple):
    schedule: str
    by: str
    reason: str
    at: datetime


class Put(NamedTuple):
    """A schedule that was made through a door: its document as it was sent."""

    name: str
    document: str
    by: str
    at: datetime


class Sending(StrEnum):
    """Of a report to its channels. `claimed` and never more: it is not known whether it went out, and it is not sent again."""

    UNSENT = "unsent"
    CLAIMED = "claimed"
    SENT = "sent"
    NOBODY = "nobody"


class Timetable(Protocol):
    def after(self, schedule: str, at: datetime) -> datetime:
        """The last tick that was dealt with, or since when this schedule is known; one that is new is known from `at` on."""

    def pass_over(self, schedule: str, until: datetime) -> None:
        """Ticks up to then are not made up for: it was paused."""

    def add(self, ticks: Iterable[Tick]) -> int:
        """Those that are not there yet; how many were."""

    def begin(self, run_id: str, at: datetime) -> bool:
        """Due to running, where no other tick of its schedule runs. False: it stands elsewhere, or another runs."""

    def move(self, run_id: str, *, expected: TickState, to: TickState, at: datetime, note: str = "") -> bool: ...

    def get(self, run_id: str) -> Tick | None: ...

    def standing(self, *states: TickState) -> list[Tick]:
        """Oldest tick first."""

    def recent(self, schedule: str = "", limit: int = 200) -> list[Tick]:
        """Newest first."""

    def pauses(self) -> list[Pause]: ...

    def pause(self, pause: Pause) -> bool:
        """False where it is paused already."""

    def resume(self, schedule: str) -> bool: ...

    def put(self, put: Put) -> None:
        """Instead of an earlier one of this name."""

    def puts(self) -> list[Put]: ...

    def remove(self, name: str) -> bool:
        """Its ticks and reports stay."""

    def report(self, report: Report) -> None:
        """Instead of an earlier one of this run. What was sent stays sent."""

    def reports(self, *, schedule: str = "", since: datetime | None = None, limit: int = 200) -> list[Report]:
        """Newest tick first."""

    def report_of(self, run_id: str) -> Report | None: ...

    def unfinished(self) -> list[Report]:
        """Those of runs whose actions have not all ended."""

    def sending(self, run_id: str) -> Sending: ...

    def send(self, run_id: str, *, expected: Sending, to: Sending) -> bool:
        """False where it stands elsewhere: somebody else sends it, or did."""
