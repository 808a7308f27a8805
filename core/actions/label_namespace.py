"""Set the Pod Security Standards of a namespace. Only these labels, only these values: no other label can be written by this kind.

Source: https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from core.actions import checks
from core.actions.aiming import CatalogueAction, rights, seen
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.values import Json, Value

PREFIX = "pod-security.kubernetes.io/"
Mode = Literal["enforce", "audit", "warn"]
Level = Literal["privileged", "baseline", "restricted"]


class LevelChange(Value):
    """One mode of pod security, from the level that the proposer saw (None: no label) to the level wanted."""

    mode: Mode
    from_level: Level | None = None
    to_level: Level

    @property
    def label(self) -> str:
        return PREFIX + self.mode


class LabelNamespace(CatalogueAction):
    """Let a namespace enforce, audit or warn at a level of the Pod Security Standards.

    Pods that run already stay. Undone by the old labels, or by removing those that were not there.
    """

    kind: Literal["label_namespace"] = "label_namespace"
    levels: tuple[LevelChange, ...] = Field(min_length=1, max_length=3, description="one entry per mode that changes")

    targets: ClassVar = ("Namespace",)
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = True
    rights: ClassVar = rights("patch", ("", "namespaces"))
    moves_generation: ClassVar = False

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({item.mode for item in self.levels}) != len(self.levels):
            raise ValueError("a mode is named twice")
        if any(item.from_level == item.to_level for item in self.levels):
            raise ValueError("nothing would change")
        return self

    def request(self, live: Live) -> ApiRequest:
        labels = _labels(self.standing(live))
        for item in self.levels:
            seen(item.label, item.from_level, labels.get(item.label))
        return self.strategic({"metadata": {"labels": {item.label: item.to_level for item in self.levels}}})

    def inverse(self, live: Live) -> ApiRequest:
        labels = _labels(live.object)
        return self.strategic({"metadata": {"labels": {item.label: labels.get(item.label) for item in self.levels}}})

    def changes(self, live: Live) -> tuple[Change, ...]:
        labels = _labels(live.object)
        return tuple(Change(path=f"metadata.labels[{item.label}]", old=labels.get(item.label), new=item.to_level) for item in self.levels)

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        return checks.check(self.target, Signal.PODS_ADMITTED, settle=15, watch=120)

    @override
    def pods_touched(self, live: Live) -> int:
        return 0

    def sentence(self) -> str:
        return f"let {self.target.qualified} {', '.join(f'{item.mode} {item.to_level}' for item in self.levels)}"


def _labels(namespace: Json) -> dict[str, str]:
    return (namespace.get("metadata") or {}).get("labels") or {}
