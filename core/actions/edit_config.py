"""Write one key of a ConfigMap. The old text is pinned by its digest, and stays out of proposals."""

from typing import ClassVar, Literal

from pydantic import Field

from core.actions import checks
from core.actions.aiming import CatalogueAction, moved, possible, rights, seen
from core.cluster.kinds import KINDS
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.target import Target
from core.domain.values import Json, bounded, digest


class EditConfig(CatalogueAction):
    """Put another text under one key of a ConfigMap, for the workload that reads it.

    Pods that mount it see it within a minute or two; those that read variables at their next start. Undone by the old text.
    """

    kind: Literal["edit_config"] = "edit_config"
    key: str = Field(pattern=r"^[-._a-zA-Z0-9]{1,253}$")
    from_digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="digest of the text that the proposer saw")
    value: str = Field(max_length=16_384)
    reader_kind: Literal["Deployment", "StatefulSet", "DaemonSet"] = Field(description="the workload whose pods read it")
    reader: str = Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")

    targets: ClassVar = ("ConfigMap",)
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = True
    rights: ClassVar = rights("patch", ("", "configmaps"))
    moves_generation: ClassVar = False

    def related(self) -> tuple[Target, ...]:
        workload = {"kind": self.reader_kind, "group": KINDS[self.reader_kind].group, "name": self.reader}
        return (self.target.model_copy(update=workload),)

    def request(self, live: Live) -> ApiRequest:
        possible(not self.standing(live).get("immutable"), "it is immutable")
        possible(self.key in (live.object.get("data") or {}), f"it has no key {self.key}")
        seen(f"the digest of {self.key}", self.from_digest, digest(self._old(live.object)))
        return self.strategic({"data": {self.key: self.value}})

    def inverse(self, live: Live) -> ApiRequest:
        return self.strategic({"data": {self.key: self._old(live.object)}})

    def _old(self, live_object: Json) -> str | None:
        found: str | None = (live_object.get("data") or {}).get(self.key)
        return found

    def pinned(self, live_object: Json) -> Json:
        return {"data": digest(self._old(live_object))}

    def changes(self, live: Live) -> tuple[Change, ...]:
        path, old = f"data[{self.key}]" if "." in self.key else f"data.{self.key}", self._old(live.object)
        return moved(Change(path=path, old=old and bounded(old), new=bounded(self.value)))

    def check(self, live: Live, guards: Guards) -> Check:
        signals = (Signal.RESTARTS_STEADY, checks.ready(self.pods_touched(live)))
        return checks.check(self.related()[0], *signals, guards=guards, settle=120, watch=600)

    def pods_touched(self, live: Live) -> int:
        return checks.replicas(live.related.get(self.reader, {}))

    def sentence(self) -> str:
        return f"write {self.key} of {self.target.qualified}, which {self.reader_kind.lower()}/{self.reader} reads"
