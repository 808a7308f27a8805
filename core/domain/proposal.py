"""An action plus who proposes it, why, for which objective, on which evidence, with which expected effect and expiry.

Nothing here convinces the judge: it reads its own facts. It is for people, for arbitration and for the record.
"""

from typing import Literal

from pydantic import Field, SerializeAsAny

from core.domain.action import Action, Change
from core.domain.evidence import Evidence
from core.domain.money import Saving
from core.domain.values import Moment, Value


class Effect(Value):
    """What the proposer expects. GPU hours are per day."""

    saving: Saving | None = None
    gpu_hours_per_day: int = 0
    summary: str = Field(max_length=300)
    capacity_cpu_milli: int = Field(default=0, description="CPU taken from (positive) or given back to (negative) the cluster")
    capacity_memory_mib: int = Field(default=0, description="memory, likewise")
    capacity_gpus: int = Field(default=0, description="GPUs, likewise")
    capacity_pods: int = Field(default=0, description="pods, likewise")


class Trial(Value):
    """The experiment that an action is the fault of. It buys no leave: rules ask more of such an action, and its effect is taken back."""

    id: str = Field(pattern=r"^exp-[0-9a-z]{4,32}$")
    seconds: int = Field(ge=1, le=600, description="how long the fault may last")


class Leash(Value):
    """What a schedule takes from the actions of its run. It only lowers: no rule passes by it. No forward permit outlives `until`."""

    ceiling: Literal["observe", "suggest", "guarded", "auto"] = "auto"
    until: Moment | None = None


class Proposal(Value):
    """`objective` is the name of the objective served; arbitration ranks by its priority."""

    action: SerializeAsAny[Action]
    agent: str
    run: str
    why: str = Field(max_length=400)
    objective: str = ""
    priority: int = Field(default=0, description="of the objective served: higher wins")
    findings: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = Field(min_length=1)
    effect: Effect
    changes: tuple[Change, ...] = ()
    expires_at: Moment
    experiment: Trial | None = None
    leash: Leash = Leash()
