"""Delete the machine behind a node that was emptied, so that its MachineSet makes a new one (Cluster API)."""

from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from core.actions import checks
from core.actions.aiming import CatalogueAction, possible, rights, seen
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.target import Target
from core.domain.values import Json, at_path


class ReplaceMachine(CatalogueAction):
    """Delete a Machine whose node takes no pods any more. Its MachineSet makes another; without one it is refused.

    There is no way back.
    """

    kind: Literal["replace_machine"] = "replace_machine"
    node: str = Field(min_length=1, max_length=253, description="the node that the proposer saw on this machine")

    targets: ClassVar = ("Machine",)
    risk: ClassVar = Risk.HIGH
    reversible: ClassVar = False
    rights: ClassVar = rights("delete", ("cluster.x-k8s.io", "machines"))
    moves_generation: ClassVar = False

    @override
    def related(self) -> tuple[Target, ...]:
        return (Target(cluster=self.target.cluster, kind="Node", name=self.node, uid="-"),)

    def request(self, live: Live) -> ApiRequest:
        machine, node = self.standing(live), live.related.get(self.node)
        seen("its node", self.node, at_path(machine, "status.nodeRef.name"))
        owners = [each.get("kind") for each in at_path(machine, "metadata.ownerReferences") or () if each.get("controller")]
        possible(owners == ["MachineSet"], "no MachineSet would make another machine")
        possible(node is None or at_path(node, "spec.unschedulable"), "its node still takes pods: cordon and drain it first")
        return self.deletion({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": self.pinned(machine)})

    @override
    def inverse(self, live: Live) -> None:
        return None

    @override
    def pinned(self, live_object: Json) -> Json:
        return {"uid": self.target.uid, "resourceVersion": str(live_object["metadata"].get("resourceVersion", ""))}

    @override
    def changes(self, live: Live) -> tuple[Change, ...]:
        return (Change(path="metadata.uid", old=self.target.uid, new=None),)

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        return checks.check(self.target, Signal.POD_REPLACED, settle=30, watch=3600)

    @override
    def pods_touched(self, live: Live) -> int:
        return 0  # the node was emptied before

    def sentence(self) -> str:
        return f"replace {self.target.qualified}, the machine of node {self.node}"
