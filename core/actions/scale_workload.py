"""Set a workload's replica count.

Sent to the workload itself and not to its scale subresource: the workload's generation proves whether a retried write was stored.
"""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from core.actions import checks
from core.actions.aiming import CatalogueAction, moved, rights, seen
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.values import at_path


class ScaleWorkload(CatalogueAction):
    """Run another number of copies of a Deployment or StatefulSet.

    Undone by setting the old number again, unless an autoscaler or a person moved it since.
    """

    kind: Literal["scale_workload"] = "scale_workload"
    from_replicas: int = Field(ge=0, le=10_000, description="replicas that the proposer saw")
    to_replicas: int = Field(ge=0, le=10_000, description="replicas wanted")

    targets: ClassVar = ("Deployment", "StatefulSet")
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = True
    rights: ClassVar = rights("patch", ("apps", "deployments"), ("apps", "statefulsets"))

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.from_replicas == self.to_replicas:
            raise ValueError("nothing would change")
        return self

    def request(self, live: Live) -> ApiRequest:
        seen("the replica count", self.from_replicas, checks.replicas(self.standing(live)))
        return self.strategic({"spec": {"replicas": self.to_replicas}})

    def inverse(self, live: Live) -> ApiRequest:
        return self.strategic({"spec": {"replicas": at_path(live.object, "spec.replicas")}})

    def changes(self, live: Live) -> tuple[Change, ...]:
        return moved(Change(path="spec.replicas", old=checks.replicas(live.object), new=self.to_replicas))

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        if self.to_replicas == 0:
            return checks.check(self.target, Signal.PODS_GONE, settle=10, watch=300)
        signals = (Signal.ROLLOUT_COMPLETE, checks.ready(self.to_replicas))
        return checks.check(self.target, *signals, guards=guards, settle=30, watch=600)

    def pods_touched(self, live: Live) -> int:
        return max(0, checks.replicas(live.object) - self.to_replicas)

    def sentence(self) -> str:
        return f"scale {self.target.qualified} from {self.from_replicas} to {self.to_replicas}"
