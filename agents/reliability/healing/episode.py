"""One node's way from suspicion to a verified recovery, as it is kept between steps. Its stamps are what the times are made of."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import Field

from core.domain.target import Target
from core.domain.values import Moment, Value, bounded


class Stage(StrEnum):
    """What was reached last."""

    SUSPECTED = "suspected"  # one sign that the node is ill
    CONFIRMED = "confirmed"  # a second, independent one
    CORDONED = "cordoned"  # no new pods
    DRAINED = "drained"  # no pod is left that can leave
    FENCED = "fenced"  # its machine is proven off, and the cluster was told
    RELEASED = "released"  # no volume is attached to it any more
    REPLACED = "replaced"  # another machine takes its place, or nobody can make one
    # ends
    HEALED = "healed"  # what ran there runs elsewhere, and stayed so
    RECOVERED = "recovered"  # it came back by itself
    HELD = "held"  # a guard forbids to touch it now
    ESCALATED = "escalated"  # a person must look


ENDS = frozenset((Stage.HEALED, Stage.RECOVERED, Stage.HELD, Stage.ESCALATED))
TOUCHED = frozenset((Stage.CORDONED, Stage.DRAINED, Stage.FENCED, Stage.RELEASED, Stage.REPLACED))
"""From here on the cluster was changed: it counts against the limits of its pool."""


class Stamp(Value):
    """`why` is what was seen, in words."""

    stage: Stage
    at: Moment
    why: str = Field(default="", max_length=400)


class Episode(Value):
    """`fault_at` is the node's own word (the transition of its condition), and None where no object tells."""

    id: str = Field(pattern=r"^heal-[0-9a-z]{4,32}$")
    node: Target
    pool: str = Field(max_length=253)
    zone: str = Field(default="", max_length=253)
    by: str = Field(max_length=200)
    asked: str = Field(default="", max_length=200, description="why a person wants it healed; empty where its controller began")
    fault_at: Moment | None = None
    lost: bool = Field(default=False, description="its kubelet did not answer when it was confirmed")
    owners: tuple[Target, ...] = Field(default=(), description="workloads that had a pod there when it was confirmed")
    stamps: tuple[Stamp, ...] = Field(min_length=1)
    calm_since: Moment | None = None

    @property
    def stage(self) -> Stage:
        return self.stamps[-1].stage

    @property
    def ended(self) -> bool:
        return self.stage in ENDS

    @property
    def touched(self) -> bool:
        return any(stamp.stage in TOUCHED for stamp in self.stamps)

    @property
    def why(self) -> str:
        return self.stamps[-1].why

    def at(self, stage: Stage) -> datetime | None:
        return next((stamp.at for stamp in self.stamps if stamp.stage is stage), None)

    @property
    def since(self) -> datetime:
        """When it came to where it is."""
        return self.stamps[-1].at

    def moved(self, stage: Stage, at: datetime, why: str) -> Self:
        stamp = Stamp(stage=stage, at=at, why=bounded(why, 400))
        return self.model_copy(update={"stamps": (*self.stamps, stamp), "calm_since": None})
