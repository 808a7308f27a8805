"""What a run that nobody watched came to: seen, done, refused, saved, left to people. Made by `runtime.services.reporting`."""

from typing import Literal

from pydantic import Field

from core.domain.values import Moment, Value


class Line(Value):
    """One action, or one finding. `state` is the action's, or the finding's severity."""

    id: str
    what: str = Field(max_length=300)
    state: str
    note: str = Field(default="", max_length=400)


class Report(Value):
    """`complete` once every action has ended: then nothing of it changes any more. Money is micro-USD a month, of what was done and stayed.

    `done` were verified; `refused` were denied, failed, or were taken back; `left` wait for a person, waited in vain, or went wrong.
    """

    run: str
    schedule: str
    tick: Moment
    asked_by: str = ""
    ended: Literal["ended", "failed"]
    note: str = ""
    began_at: Moment
    made_at: Moment
    complete: bool
    ceiling: str = ""
    asked: tuple[str, ...] = ()
    severities: dict[str, int] = Field(default_factory=dict)
    seen: tuple[Line, ...] = ()
    done: tuple[Line, ...] = ()
    refused: tuple[Line, ...] = ()
    left: tuple[Line, ...] = ()
    open: tuple[Line, ...] = ()
    missing: tuple[str, ...] = ()
    writes: int = 0
    saved_micro_usd: int = 0

    @property
    def waits(self) -> int:
        """Actions that a person could still decide."""
        return sum(line.state == "needs_approval" for line in self.left)
