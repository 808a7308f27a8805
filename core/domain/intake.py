"""The intake: what was asked of the platform and is not done yet. Doors and schedules put requests in, the controller takes them out.

Durable before the door answers. A request's id is its run's id, so the same request twice is one run. `tools/stores/front` keeps it.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from core.domain.request import Request


class Stage(StrEnum):
    WAITING = "waiting"
    BEGUN = "begun"
    ENDED = "ended"
    FAILED = "failed"
    CANCELLED = "cancelled"


OVER = frozenset({Stage.ENDED, Stage.FAILED, Stage.CANCELLED})


class Asked(NamedTuple):
    """`door` is where the answer is waited for, `thread` the conversation or schedule there; `note` says why it failed."""

    request: Request
    stage: Stage
    door: str
    thread: str
    changed_at: datetime
    note: str = ""


class Intake(Protocol):
    def put(self, request: Request, *, door: str, thread: str = "") -> bool:
        """False where a request of this id is there already: nothing was changed."""

    def get(self, run_id: str) -> Asked | None: ...

    def open(self) -> list[Asked]:
        """Waiting and begun, oldest first."""

    def recent(self, limit: int = 200, *, thread: str = "") -> list[Asked]:
        """Newest first; with a thread, only its own."""

    def move(self, run_id: str, *, expected: frozenset[Stage], to: Stage, at: datetime, note: str = "") -> bool:
        """False where it stands elsewhere: somebody else was first."""
