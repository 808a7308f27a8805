"""As `fence_node`, where the cloud provider itself says that the machine is stopped: the judge reads that again, and no person has to."""

from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from core.actions.aiming import possible
from core.actions.fence_node import Fencing
from core.cluster.kinds import KINDS
from core.domain.action import Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.target import Target
from core.domain.values import Json, at_path

SHUTDOWN = "node.cloudprovider.kubernetes.io/shutdown"
"""Taint of the cloud controller manager: the provider answered that the instance is stopped."""
STOPPED = frozenset(("InstanceStopped", "InstanceTerminated"))
"""Reasons of a Machine's condition InfrastructureReady (Cluster API)."""


class FenceStoppedNode(Fencing):
    """Put the taint `node.kubernetes.io/out-of-service` on a node whose machine is stopped: by the taint of its cloud controller, or by
    its Machine of the Cluster API.

    Undone by taking the taint away; pods and volumes that went elsewhere by then stay there.
    """

    kind: Literal["fence_stopped_node"] = "fence_stopped_node"
    machine_namespace: str = Field(default="", max_length=63, description="of the Machine that says so; empty where the node itself does")
    machine: str = Field(default="", max_length=253)

    risk: ClassVar = Risk.MEDIUM

    @override
    def related(self) -> tuple[Target, ...]:
        if not self.machine:
            return ()
        where = {"group": KINDS["Machine"].group, "kind": "Machine", "namespace": self.machine_namespace, "name": self.machine}
        return (Target(cluster=self.target.cluster, uid="-", **where),)

    @override
    def request(self, live: Live) -> ApiRequest:
        possible(self.lift or stopped(self.standing(live), live.related.get(self.machine)), "no provider says that its machine is stopped")
        return super().request(live)


def stopped(node: Json, machine: Json | None) -> bool:
    """Whether the provider says so, of this very node."""
    if any(taint.get("key") == SHUTDOWN for taint in at_path(node, "spec.taints") or ()):
        return True
    own = at_path(machine or {}, "status.nodeRef.uid") == at_path(node, "metadata.uid")
    said = [each for each in at_path(machine or {}, "status.conditions") or () if each.get("type") == "InfrastructureReady"]
    return own and any(each.get("status") == "False" and each.get("reason") in STOPPED for each in said)
