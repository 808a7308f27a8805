"""Keep new pods off a node. Those that run there stay."""

from typing import ClassVar, Literal

from typing_extensions import override

from core.actions import checks
from core.actions.aiming import CatalogueAction, rights, seen
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.values import at_path


class CordonNode(CatalogueAction):
    """Mark a node as unschedulable. Undone by uncordoning it."""

    kind: Literal["cordon_node"] = "cordon_node"

    targets: ClassVar = ("Node",)
    risk: ClassVar = Risk.LOW
    reversible: ClassVar = True
    rights: ClassVar = rights("patch", ("", "nodes"))
    moves_generation: ClassVar = False

    def request(self, live: Live) -> ApiRequest:
        seen("unschedulable", False, bool(at_path(self.standing(live), "spec.unschedulable")))
        return self.strategic({"spec": {"unschedulable": True}})

    def inverse(self, live: Live) -> ApiRequest:
        return self.strategic({"spec": {"unschedulable": at_path(live.object, "spec.unschedulable")}})

    def changes(self, live: Live) -> tuple[Change, ...]:
        return (Change(path="spec.unschedulable", old=at_path(live.object, "spec.unschedulable"), new=True),)

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        return checks.check(self.target, Signal.NODE_CORDONED, settle=15, watch=120)

    @override
    def pods_touched(self, live: Live) -> int:
        return 0

    def sentence(self) -> str:
        return f"cordon {self.target.qualified}: no new pods"
