"""What starts a run, and the run itself."""

from typing import Literal

from pydantic import Field

from core.domain.proposal import Leash
from core.domain.values import Moment, Value

Trigger = Literal["chat", "schedule", "alert", "api", "cli", "demo"]


class RunBudget(Value):
    """What one run may spend. Zero tokens means: without the model."""

    tokens: int = Field(default=0, ge=0)
    model_calls: int = Field(default=0, ge=0)
    seconds: int = Field(default=300, gt=0)
    micro_usd: int = Field(default=0, ge=0)
    writes: int = Field(default=20, ge=0)


class Request(Value):
    """`text` is what a person said, already redacted. Empty namespaces mean all that the scope allows."""

    id: str
    trigger: Trigger
    by: str
    text: str = Field(default="", max_length=4000)
    namespaces: tuple[str, ...] = ()
    agents: tuple[str, ...] = Field(default=(), description="asked for by name; empty: the supervisor chooses")
    act: bool = Field(default=False, description="submit proposals to the judge; otherwise only propose")
    budget: RunBudget = RunBudget()
    leash: Leash = Field(default=Leash(), description="what every proposal of the run carries; it can only lower")
    at: Moment
