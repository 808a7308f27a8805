"""Allow a namespace more than its ResourceQuota does now. Only upwards: a quota is lowered by people."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from core.actions import checks
from core.actions.aiming import CatalogueAction, possible, rights, seen
from core.cluster import quantities
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.values import Value, at_path

MOST = 2
"""Times the amount of before, or of what is used where that is more: a larger step is a decision about the namespace, not a repair."""


class QuotaChange(Value):
    """One resource of a quota, in Kubernetes quantities."""

    resource: str = Field(pattern=r"^[A-Za-z0-9./_-]{1,120}$", description="as the quota names it: requests.cpu, pods, ...")
    from_hard: str = Field(max_length=40)
    to_hard: str = Field(max_length=40)


class RaiseQuota(CatalogueAction):
    """Raise limits of a ResourceQuota, to twice the amount, or twice what is used already, at most.

    Undone by the old amounts; pods that were made meanwhile stay.
    """

    kind: Literal["raise_quota"] = "raise_quota"
    amounts: tuple[QuotaChange, ...] = Field(min_length=1, max_length=20, description="one entry per resource that changes")

    targets: ClassVar = ("ResourceQuota",)
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = True
    rights: ClassVar = rights("patch", ("", "resourcequotas"))
    moves_generation: ClassVar = False

    @model_validator(mode="after")
    def _upwards(self) -> Self:
        if len({item.resource for item in self.amounts}) != len(self.amounts):
            raise ValueError("a resource is named twice")
        for item in self.amounts:
            if not quantities.parse(item.from_hard) < quantities.parse(item.to_hard):
                raise ValueError(f"{item.resource} may only go up from {item.from_hard}, not to {item.to_hard}")
        return self

    def request(self, live: Live) -> ApiRequest:
        hard, used = (at_path(self.standing(live), path) or {} for path in ("spec.hard", "status.used"))
        for item in self.amounts:
            seen(item.resource, item.from_hard, _text(hard, item.resource))
            most = MOST * max(quantities.parse(item.from_hard), quantities.parse(used.get(item.resource, 0)))
            possible(
                quantities.parse(item.to_hard) <= most,
                f"{item.resource} may go up to {MOST} times its amount or use, not to {item.to_hard}",
            )
        return self.strategic({"spec": {"hard": {item.resource: item.to_hard for item in self.amounts}}})

    def inverse(self, live: Live) -> ApiRequest:
        hard = at_path(live.object, "spec.hard") or {}
        return self.strategic({"spec": {"hard": {item.resource: hard.get(item.resource) for item in self.amounts}}})

    def changes(self, live: Live) -> tuple[Change, ...]:
        hard = at_path(live.object, "spec.hard") or {}
        return tuple(Change(path=_path(item.resource), old=hard.get(item.resource), new=item.to_hard) for item in self.amounts)

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        return checks.check(self.target, Signal.QUOTA_ADMITS, settle=15, watch=300)

    @override
    def pods_touched(self, live: Live) -> int:
        return 0

    def sentence(self) -> str:
        moved = ", ".join(f"{item.resource} from {item.from_hard} to {item.to_hard}" for item in self.amounts)
        return f"raise {self.target.qualified}: {moved}"


def _path(resource: str) -> str:
    return f"spec.hard[{resource}]" if "." in resource or "/" in resource else f"spec.hard.{resource}"


def _text(hard: Mapping[str, object], resource: str) -> str | None:
    return None if hard.get(resource) is None else str(hard[resource])
