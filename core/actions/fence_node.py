"""Tell the cluster that a node's machine is off: what is attached to it may be attached elsewhere.

Kubernetes then ends the node's pods without asking its kubelet and detaches their volumes at once. If the machine still runs, two of them
write to one volume. So there are two kinds: here people say that it is off, in `fence_stopped_node` the cloud provider does.
"""

from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from core.actions import checks
from core.actions.aiming import CatalogueAction, possible, rights, seen
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.values import Json, at_path

TAINT: Json = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}


class Fencing(CatalogueAction):
    """`lift` takes the taint off a node that is Ready again."""

    lift: bool = Field(default=False, description="take the taint away: the node is back")

    targets: ClassVar = ("Node",)
    reversible: ClassVar = True
    rights: ClassVar = rights("patch", ("", "nodes"))
    moves_generation: ClassVar = False

    def request(self, live: Live) -> ApiRequest:
        node = self.standing(live)
        seen("out of service", self.lift, TAINT["key"] in {taint.get("key") for taint in at_path(node, "spec.taints") or ()})
        up = any(each.get("type") == "Ready" and each.get("status") == "True" for each in at_path(node, "status.conditions") or ())
        possible(up is self.lift, "the node does not answer yet" if self.lift else "the node answers: its machine is not off")
        return self.strategic({"spec": {"taints": self.changes(live)[0].new}})

    def inverse(self, live: Live) -> ApiRequest:
        return self.strategic({"spec": {"taints": at_path(live.object, "spec.taints")}})

    def changes(self, live: Live) -> tuple[Change, ...]:
        old = at_path(live.object, "spec.taints")
        others = [taint for taint in old or () if taint.get("key") != TAINT["key"]]
        return (Change(path="spec.taints", old=old, new=(others if self.lift else [*others, TAINT]) or None),)

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        return checks.check(self.target, Signal.RESTARTS_STEADY if self.lift else Signal.NODE_RELEASED, settle=10, watch=600, every=10)

    @override
    def pods_touched(self, live: Live) -> int:
        return 0  # what ran there has ended with its machine

    def sentence(self) -> str:
        return f"{'take back' if self.lift else 'say'} that {self.target.qualified} is out of service"


class FenceNode(Fencing):
    """Put the taint `node.kubernetes.io/out-of-service` on a node that does not answer. Who approves it says that its machine is off.

    Undone by taking the taint away; pods and volumes that went elsewhere by then stay there.
    """

    kind: Literal["fence_node"] = "fence_node"
    risk: ClassVar = Risk.HIGH
