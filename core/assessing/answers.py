"""What an assessment says: one answer for each requirement, what it rests on, and the whole of it."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from core.domain.values import Value


class Standing(StrEnum):
    """`unknown` is an answer: what was stored does not tell."""

    SATISFIED = "satisfied"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    SOUND = "sound"
    FLAWED = "flawed"
    UNKNOWN = "unknown"


class Answer(Value):
    """Of one requirement. `steps` are the actions in which it is violated, `cites` the ids of what shows it; `by` says who answered."""

    requirement: str
    standing: Standing
    why: str = Field(max_length=400)
    cites: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    by: Literal["code", "model"] = "code"


class Assessment(Value):
    """`asked` are all requirements: a run is sound where each of them is satisfied, and unknown where one is or was not answered."""

    run: str
    answers: tuple[Answer, ...]
    asked: tuple[str, ...]

    def of(self, requirement: str) -> Answer | None:
        return next((answer for answer in self.answers if answer.requirement == requirement), None)

    @property
    def violated(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if answer.standing is Standing.VIOLATED)

    @property
    def outcome(self) -> Outcome:
        """Flawed by one violation. No answers are no assessment."""
        if self.violated:
            return Outcome.FLAWED
        known = {answer.requirement for answer in self.answers if answer.standing is Standing.SATISFIED}
        return Outcome.SOUND if self.asked and set(self.asked) <= known else Outcome.UNKNOWN
