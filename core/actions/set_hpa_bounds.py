"""Move the bounds of a HorizontalPodAutoscaler.

Whether an autoscaler has a generation depends on a feature gate of the server, so nothing here relies on it: an undo may be offered again
within the short window that `moves_generation = False` grants.
"""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from core.actions import checks
from core.actions.aiming import CatalogueAction, moved, possible, rights, seen
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.values import Json, at_path


class SetHpaBounds(CatalogueAction):
    """Let an autoscaler work between other bounds: raise the floor before a peak, lower it afterwards, lift the ceiling.

    An autoscaler that another operator writes (KEDA) is refused: its owner would put the old bounds back.
    """

    kind: Literal["set_hpa_bounds"] = "set_hpa_bounds"
    from_min: int = Field(ge=0, le=10_000, description="minReplicas that the proposer saw; absent means 1")
    from_max: int = Field(ge=1, le=10_000, description="maxReplicas that the proposer saw")
    to_min: int = Field(ge=1, le=10_000)
    to_max: int = Field(ge=1, le=10_000)

    targets: ClassVar = ("HorizontalPodAutoscaler",)
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = True
    rights: ClassVar = rights("patch", ("autoscaling", "horizontalpodautoscalers"))
    moves_generation: ClassVar = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_min > self.to_max:
            raise ValueError(f"the floor {self.to_min} is above the ceiling {self.to_max}")
        if (self.from_min, self.from_max) == (self.to_min, self.to_max):
            raise ValueError("nothing would change")
        return self

    def request(self, live: Live) -> ApiRequest:
        autoscaler = self.standing(live)
        owner = str((autoscaler["metadata"].get("labels") or {}).get("app.kubernetes.io/managed-by", ""))
        possible(owner != "keda-operator", "KEDA writes this autoscaler: change its ScaledObject")
        seen("minReplicas", self.from_min, _floor(autoscaler))
        seen("maxReplicas", self.from_max, at_path(autoscaler, "spec.maxReplicas"))
        bounds = {"minReplicas": self.to_min} if self.to_min != self.from_min else {}
        return self.strategic({"spec": bounds | ({"maxReplicas": self.to_max} if self.to_max != self.from_max else {})})

    def inverse(self, live: Live) -> ApiRequest:
        spec = live.object["spec"]
        old = {"minReplicas": spec.get("minReplicas")} if self.to_min != self.from_min else {}
        return self.strategic({"spec": old | ({"maxReplicas": spec["maxReplicas"]} if self.to_max != self.from_max else {})})

    def changes(self, live: Live) -> tuple[Change, ...]:
        return moved(
            Change(path="spec.minReplicas", old=_floor(live.object), new=self.to_min),
            Change(path="spec.maxReplicas", old=at_path(live.object, "spec.maxReplicas"), new=self.to_max),
        )

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        return checks.check(self.target, Signal.AUTOSCALER_AGREES, guards=guards, settle=30, watch=600)

    def pods_touched(self, live: Live) -> int:
        """Pods that may go: those above the new ceiling, and those that only the old floor held."""
        current = int(at_path(live.object, "status.currentReplicas") or 0)
        held_by_floor = current - self.to_min if current <= self.from_min else 0
        return max(0, current - self.to_max, held_by_floor)

    def sentence(self) -> str:
        return f"let {self.target.qualified} run {self.to_min} to {self.to_max} replicas instead of {self.from_min} to {self.from_max}"


def _floor(autoscaler: Json) -> int:
    least = at_path(autoscaler, "spec.minReplicas")
    return 1 if least is None else int(least)
