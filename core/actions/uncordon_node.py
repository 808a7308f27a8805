"""Let a node take pods again."""

from typing import ClassVar, Literal

from typing_extensions import override

from core.actions import checks
from core.actions.aiming import CatalogueAction, rights, seen
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.values import at_path


class UncordonNode(CatalogueAction):
    """Mark a node as schedulable. Undone by cordoning it; pods that came meanwhile stay."""

    kind: Literal["uncordon_node"] = "uncordon_node"

    targets: ClassVar = ("Node",)
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = True
    rights: ClassVar = rights("patch", ("", "nodes"))
    moves_generation: ClassVar = False

    def request(self, live: Live) -> ApiRequest:
        seen("unschedulable", True, bool(at_path(self.standing(live), "spec.unschedulable")))
        return self.strategic({"spec": {"unschedulable": None}})

    @override
    def inverse(self, live: Live) -> ApiRequest:
        return self.strategic({"spec": {"unschedulable": True}})

    def changes(self, live: Live) -> tuple[Change, ...]:
        return (Change(path="spec.unschedulable", old=at_path(live.object, "spec.unschedulable"), new=None),)

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        return checks.check(self.target, Signal.NODE_OPEN, settle=15, watch=180)

    @override
    def pods_touched(self, live: Live) -> int:
        return 0

    def sentence(self) -> str:
        return f"uncordon {self.target.qualified}: it takes new pods again"
