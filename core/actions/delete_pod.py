"""Delete one pod, exactly the one that was judged: uid and resourceVersion are preconditions in the body.

Options go into the body, never into the query: a body makes the API server ignore a dry-run that the query asks for.
"""

from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from core.actions import checks
from core.actions.aiming import CatalogueAction, rights, seen
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.values import Json


class PodRemoval(CatalogueAction):
    """What deletion and eviction share: one pod at one version, and its controller that makes a new one."""

    from_owner: str = Field(max_length=320, description="`Kind/name` of the controller that the proposer saw; empty for a bare pod")
    grace_seconds: int | None = Field(default=None, ge=1, le=3600, description="time to stop; absent means what the pod itself asks for")

    targets: ClassVar = ("Pod",)
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = False
    moves_generation: ClassVar = False

    def options(self, live: Live) -> Json:
        """Of the deletion. Raises Conflict where the pod or its owner is another."""
        pod = self.standing(live)
        seen("the pod's owner", self.from_owner, _owner(pod))
        grace = {} if self.grace_seconds is None else {"gracePeriodSeconds": self.grace_seconds}
        return {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": self.pinned(pod), **grace}

    @override
    def inverse(self, live: Live) -> None:
        return None

    def pinned(self, live_object: Json) -> Json:
        return {"uid": self.target.uid, "resourceVersion": str(live_object["metadata"].get("resourceVersion", ""))}

    @override
    def changes(self, live: Live) -> tuple[Change, ...]:
        return (Change(path="metadata.uid", old=self.target.uid, new=None),)

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        return checks.check(self.target, Signal.POD_REPLACED, guards=guards if self.from_owner else None, settle=10, watch=300)

    @override
    def pods_touched(self, live: Live) -> int:
        return 1

    @property
    def afterwards(self) -> str:
        return f"{self.from_owner} makes a new one" if self.from_owner else "nothing makes it again"


class DeletePod(PodRemoval):
    """Delete a pod: a wedged one, which its controller replaces, or a bare one, which then is gone for good.

    There is no way back.
    """

    kind: Literal["delete_pod"] = "delete_pod"
    rights: ClassVar = rights("delete", ("", "pods"))

    @override
    def request(self, live: Live) -> ApiRequest:
        return self.deletion(self.options(live))

    @override
    def sentence(self) -> str:
        return f"delete {self.target.qualified} ({self.afterwards})"


def _owner(pod: Json) -> str:
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((f"{item.get('kind')}/{item.get('name')}" for item in owners if item.get("controller")), "")
