"""Something that people must know without asking: derived from the ledger, told to where they look, and told again when it is over.

`runtime.services.alerting` derives alerts; `tools/alerting/` tells them. Everything in an alert leaves the house: it is redacted and
bounded, and what strangers wrote stands in quotes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from pydantic import Field

from core.domain.values import Json, Moment, Value, identifier

PREFIX = "Day2"


class Alert(Value):
    """`labels` tell it from others of its name, and the same labels mean the same alert. What is `grave` also goes to pagers."""

    name: str = Field(pattern=rf"^{PREFIX}[A-Za-z]{{1,60}}$")
    severity: Literal["critical", "warning"]
    grave: bool
    labels: dict[str, str] = Field(default_factory=dict)
    summary: str = Field(max_length=300)
    description: str = Field(default="", max_length=900)
    starts_at: Moment

    @property
    def key(self) -> str:
        return identifier("alr", self.name, *(f"{name}={value}" for name, value in sorted(self.labels.items())))


class Audience(Protocol):
    """What somebody who looks in one place wants to be told. `name` is kept in the audit chain; it holds no secret."""

    @property
    def name(self) -> str: ...

    @property
    def only_grave(self) -> bool: ...

    @property
    def again_seconds(self) -> float:
        """How often what stands is said again; 0: once."""


class Channel(Audience, Protocol):
    """One place where people look."""

    async def tell(self, standing: Sequence[Alert], over: Sequence[Alert], at: datetime) -> None:
        """Raises Unavailable: it is tried again."""


class EventWriter(Protocol):
    async def write(self, event: Json) -> None:
        """Create one Kubernetes Event; one that is there already is well. Raises Refused or NotAuthorised where it never can be written,
        and Unavailable."""
