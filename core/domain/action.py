"""The base of every action: one typed change out of the closed catalogue in `core.actions`.

A concrete kind is a frozen value with its arguments, and pure functions over what is live. It sends nothing and decides nothing.
"""

from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from core.domain.api_request import ApiRequest, Right
from core.domain.check import Check
from core.domain.target import Target
from core.domain.values import Json, Value, digest


class Risk(StrEnum):
    """Ordered from least to most."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Change(Value):
    """One field that an action moves, for diffs. None means absent."""

    path: str
    old: Any = None
    new: Any = None


class Live(NamedTuple):
    """What stands in the cluster now: the target's full canonical JSON, and the related objects that the kind asked for, by name."""

    object: Json
    related: dict[str, Json]


class Guards(Value):
    """What people promised about the target: bounds for verification, taken from the objective by the judge, not by the proposer."""

    latency_p99_ms: int = 0
    error_per_mille: int = 0


class Action(Value):
    """`id` names this action for ever; the digest covers it, so the same change can be made again next month as a new action."""

    id: str = Field(pattern=r"^act-[0-9a-z]{4,32}$")
    kind: str
    target: Target

    risk: ClassVar[Risk]
    reversible: ClassVar[bool]
    rights: ClassVar[tuple[Right, ...]]
    moves_generation: ClassVar[bool] = True
    """Whether the API server's generation proves a repeated write; where not, an undo may be offered again within 10 s."""

    def digest(self) -> str:
        return digest(self)

    def intent_key(self) -> str:
        """Kind, target uid and arguments: the same wish, whoever has it and whenever."""
        return digest({name: value for name, value in self.model_dump(mode="json").items() if name != "id"})

    def related(self) -> tuple[Target, ...]:
        """Further objects that `request` needs, read by name."""
        return ()

    def request(self, live: Live) -> ApiRequest:
        """The write. Raises Conflict where the live object is no longer what the arguments say it was."""
        raise NotImplementedError

    def inverse(self, live: Live) -> ApiRequest | None:
        """The write that takes it back, made from the object as it stood before. None where there is no way back."""
        raise NotImplementedError

    def changes(self, live: Live) -> tuple[Change, ...]:
        """The fields it moves, old and new, for people."""
        raise NotImplementedError

    def check(self, live: Live, guards: Guards) -> Check:
        """What to look at afterwards, by sources this action does not write."""
        raise NotImplementedError

    def pods_touched(self, live: Live) -> int:
        """The blast radius: pods that restart, move or go."""
        raise NotImplementedError

    def sentence(self) -> str:
        """Verb and object, for people: `scale shop/cart from 2 to 4`."""
        raise NotImplementedError
