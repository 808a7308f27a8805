"""What people want of a scope: an SLO, a monthly budget, a GPU allowance, floors, freeze windows, the autonomy granted."""

from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from pydantic import Field

from core.domain.values import Moment, Value


class Autonomy(StrEnum):
    """Ordered from least to most: look only, propose, act on low risk within guard rails, act."""

    OBSERVE = "observe"
    SUGGEST = "suggest"
    GUARDED = "guarded"
    AUTO = "auto"


class Granted(NamedTuple):
    """What people say of one capability in one scope: no more than `ceiling`, and `start` before there is a record.

    What ended before `since` was looked at by people, and does not count.
    """

    ceiling: Autonomy
    start: Autonomy
    since: datetime | None = None


class Slo(Value):
    """Bounds that hold for each service of the scope."""

    latency_p99_ms: int = Field(default=0, ge=0, description="0: no bound")
    error_per_mille: int = Field(default=0, ge=0, le=1000, description="0: no bound")

    def budget_left(self, error_ratio: float) -> int:
        """Percent of the allowed errors that are not used up. All of it where nobody set a bound."""
        return max(0, round(100 - 100_000 * error_ratio / self.error_per_mille)) if self.error_per_mille else 100


class FreezeWindow(Value):
    """No forward change between the two moments."""

    name: str
    start: Moment
    end: Moment


class Scope(Value):
    """Which namespaces an objective covers; `*` is all that no other objective names."""

    namespaces: tuple[str, ...] = Field(min_length=1)


class Objective(Value):
    """`priority` decides between agents: higher wins.

    `autonomy` maps an action kind, or `*`, to the highest level that may be earned; `vouched` to the level that people take upon
    themselves before there is a record (`suggest` where they say nothing), with outcomes since `vouched_since`.
    """

    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
    scope: Scope
    serves: Literal["reliability", "cost", "security", "performance"]
    priority: int = Field(ge=0, le=1000)
    slo: Slo = Slo()
    monthly_budget_micro_usd: int = Field(default=0, ge=0)
    gpu_allowance: int | None = Field(default=None, ge=0)
    min_replicas: int = Field(default=0, ge=0)
    pod_security: Literal["", "privileged", "baseline", "restricted"] = ""
    freeze: tuple[FreezeWindow, ...] = ()
    autonomy: dict[str, Autonomy] = Field(default_factory=dict)
    vouched: dict[str, Autonomy] = Field(default_factory=dict)
    vouched_since: Moment | None = None


class Objectives(Value):
    """All objectives in force, with the look-ups that judge, planners and arbitration share."""

    items: tuple[Objective, ...] = ()

    def of(self, namespace: str) -> tuple[Objective, ...]:
        named = tuple(item for item in self.items if namespace in item.scope.namespaces)
        return named or tuple(item for item in self.items if "*" in item.scope.namespaces)

    def serving(self, namespace: str, serves: str) -> Objective | None:
        return max((item for item in self.of(namespace) if item.serves == serves), key=lambda item: item.priority, default=None)

    def slo(self, namespace: str) -> Slo:
        """The strictest bound of each sort; 0 where nobody set one."""
        slos = [item.slo for item in self.of(namespace)]
        return Slo(
            latency_p99_ms=min((slo.latency_p99_ms for slo in slos if slo.latency_p99_ms), default=0),
            error_per_mille=min((slo.error_per_mille for slo in slos if slo.error_per_mille), default=0),
        )

    def gpu_allowance(self, namespace: str) -> int | None:
        return min((item.gpu_allowance for item in self.of(namespace) if item.gpu_allowance is not None), default=None)

    def autonomy(self, namespace: str, capability: str) -> Autonomy:
        """The highest level to be had: the least that any covering objective grants; without one, look only."""
        return self.granted(namespace, capability).ceiling

    def granted(self, namespace: str, capability: str) -> Granted:
        """Of several objectives the least holds, and the latest moment."""
        ranks = list(Autonomy).index
        found = [item for item in self.of(namespace) if _said(item.autonomy, capability)]
        ceiling = min((_said(item.autonomy, capability) or Autonomy.OBSERVE for item in found), key=ranks, default=Autonomy.OBSERVE)
        start = min((_said(item.vouched, capability) or Autonomy.SUGGEST for item in found), key=ranks, default=Autonomy.OBSERVE)
        return Granted(ceiling, start, max((item.vouched_since for item in found if item.vouched_since), default=None))


def _said(levels: dict[str, Autonomy], capability: str) -> Autonomy | None:
    return levels.get(capability, levels.get("*"))
