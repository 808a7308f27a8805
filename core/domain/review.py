"""What a model says of an action that is judged: one concern of a closed list, and the evidence that it names. It can only tighten."""

from enum import StrEnum
from typing import NamedTuple, Protocol

from pydantic import Field

from core.domain.quoting import Quoted
from core.domain.values import Value


class Concern(StrEnum):
    """How an action fails: the packs of the rules that know the same failure, and orders that stand in quoted text."""

    NONE = "none"
    BLAST_RADIUS = "blast_radius"
    DATA_LOSS = "data_loss"
    EVIDENCE = "evidence"
    MONEY = "money"
    OSCILLATION = "oscillation"
    OWNERSHIP = "ownership"
    SECURITY = "security"
    SIZING = "sizing"
    TENANCY = "tenancy"
    WINDOWS = "windows"
    ORDERS_IN_TEXT = "orders_in_text"


class Review(Value):
    """The whole answer of the model. A concern without evidence is no concern, but nonsense."""

    concern: Concern
    cites: tuple[str, ...] = Field(default=(), max_length=8, description="ids of the evidence that shows it")


class Brief(NamedTuple):
    """What the model judge is shown: typed fields as lines of our own, and quoted evidence. Never the proposer's reasons."""

    fields: str
    evidence: tuple[Quoted, ...]


class Reviewer(Protocol):
    async def review(self, brief: Brief) -> Review:
        """Raises Unavailable when there is no answer, or none that fits."""
