"""Let go of an object that its finalizers hold on its way out, because whoever should have cleared them never will."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator
from typing_extensions import override

from core.actions import checks
from core.actions.aiming import CatalogueAction, possible, rights, seen
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.errors import Conflict
from core.domain.values import Json, at_path

OWN = ("kubernetes.io/", "foregroundDeletion", "orphan", ".kubernetes.io/", ".k8s.io/")
"""Finalizers of Kubernetes itself: they protect data and dependents, and their controllers always come back."""


class ClearFinalizers(CatalogueAction):
    """Remove named finalizers of an object that is being deleted.

    What they stood for (a disk, a record elsewhere) is left behind, and there is no way back. Finalizers of Kubernetes itself are refused.
    """

    kind: Literal["clear_finalizers"] = "clear_finalizers"
    from_finalizers: tuple[str, ...] = Field(min_length=1, max_length=20, description="all that the proposer saw, in their order")
    finalizers: tuple[str, ...] = Field(min_length=1, max_length=20, description="those that go")

    targets: ClassVar = ("Pod", "PersistentVolumeClaim", "Service", "ConfigMap", "Job", "Deployment", "StatefulSet")
    risk: ClassVar = Risk.HIGH
    reversible: ClassVar = False
    rights: ClassVar = rights(
        "patch",
        ("", "pods"),
        ("", "persistentvolumeclaims"),
        ("", "services"),
        ("", "configmaps"),
        ("batch", "jobs"),
        ("apps", "deployments"),
        ("apps", "statefulsets"),
    )
    moves_generation: ClassVar = False

    @field_validator("finalizers")
    @classmethod
    def _foreign(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if held := [name for name in names if protects(name)]:
            raise ValueError(f"{held[0][:80]} is a finalizer of Kubernetes itself: its controller clears it")
        return names

    @override
    def standing(self, live: Live) -> Json:
        meta = live.object.get("metadata") or {}
        seen("the uid", self.target.uid, meta.get("uid"))
        if not meta.get("deletionTimestamp"):
            raise Conflict(f"{self.target.qualified} is not being deleted")
        return live.object

    def request(self, live: Live) -> ApiRequest:
        seen("the finalizers", list(self.from_finalizers), self.standing(live)["metadata"].get("finalizers"))
        possible(set(self.finalizers) <= set(self.from_finalizers), "it has no such finalizer")
        return self.json_patch([{"op": "add", "path": "/metadata/finalizers", "value": self._left}])

    @override
    def inverse(self, live: Live) -> None:
        return None

    def changes(self, live: Live) -> tuple[Change, ...]:
        return (Change(path="metadata.finalizers", old=at_path(live.object, "metadata.finalizers"), new=self._left),)

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        return checks.check(self.target, Signal.OBJECT_GONE, settle=5, watch=300)

    @override
    def pods_touched(self, live: Live) -> int:
        return 1 if self.target.kind == "Pod" else 0

    def sentence(self) -> str:
        return f"let {self.target.qualified} go without {', '.join(self.finalizers)}"

    @property
    def _left(self) -> list[str]:
        return [name for name in self.from_finalizers if name not in self.finalizers]


def protects(finalizer: str) -> bool:
    """Whether it is one of Kubernetes' own."""
    domain = finalizer.partition("/")[0] + "/"
    return finalizer.startswith(OWN[:3]) or domain.endswith(OWN[3:])
