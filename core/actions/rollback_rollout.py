"""Put a Deployment back on the template of an older ReplicaSet: what `kubectl rollout undo` does, with both ends pinned."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from core.actions import checks
from core.actions.aiming import CatalogueAction, moved, possible, rights, seen
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest, Right
from core.domain.check import Check, Signal
from core.domain.errors import Conflict
from core.domain.target import Target
from core.domain.values import Json, at_path

REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"


class RollbackRollout(CatalogueAction):
    """Give a Deployment the pod template of one of its older ReplicaSets again.

    Everything but the template stays. Undone by putting the newer template back.
    """

    kind: Literal["rollback_rollout"] = "rollback_rollout"
    from_revision: int = Field(ge=1, description="revision that the proposer saw running")
    to_revision: int = Field(ge=1, description="revision to go back to")
    replica_set: str = Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", description="the ReplicaSet with the older template")
    replica_set_uid: str = Field(min_length=1, max_length=64)

    targets: ClassVar = ("Deployment",)
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = True
    rights: ClassVar = (*rights("patch", ("apps", "deployments")), Right(verb="get", group="apps", resource="replicasets"))

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.from_revision == self.to_revision:
            raise ValueError("nothing would change")
        return self

    def related(self) -> tuple[Target, ...]:
        older = {"kind": "ReplicaSet", "name": self.replica_set, "uid": self.replica_set_uid}
        return (self.target.model_copy(update=older),)

    def request(self, live: Live) -> ApiRequest:
        deployment = self.standing(live)
        possible(not at_path(deployment, "spec.paused"), "the rollout is paused: a new template would reach no pod")
        seen("the running revision", self.from_revision, _revision(deployment))
        template = _template(self._older(live))
        possible(template != at_path(deployment, "spec.template"), "the Deployment already has this template")
        return self.json_patch([{"op": "replace", "path": "/spec/template", "value": template}])

    def inverse(self, live: Live) -> ApiRequest:
        return self.json_patch([{"op": "replace", "path": "/spec/template", "value": at_path(live.object, "spec.template")}])

    def pinned(self, live_object: Json) -> Json:
        return {"spec.template": at_path(live_object, "spec.template")}

    def changes(self, live: Live) -> tuple[Change, ...]:
        """Images by container, and then whether anything else in the template moves."""
        old, new = at_path(live.object, "spec.template") or {}, _template(self._older(live))
        before, after = _images(old), _images(new)
        names = sorted({*before, *after})
        images = [Change(path=f"spec.template.spec.containers[{name}].image", old=before.get(name), new=after.get(name)) for name in names]
        if _without_images(old) != _without_images(new):
            images.append(Change(path="spec.template", old=f"revision {self.from_revision}", new=f"revision {self.to_revision}"))
        return moved(*images)

    def check(self, live: Live, guards: Guards) -> Check:
        signals = (Signal.ROLLOUT_COMPLETE, Signal.RESTARTS_STEADY, checks.ready(checks.replicas(live.object)))
        return checks.check(self.target, *signals, guards=guards, settle=30, watch=900)

    def pods_touched(self, live: Live) -> int:
        return checks.replicas(live.object)

    def sentence(self) -> str:
        return f"roll {self.target.qualified} back from revision {self.from_revision} to {self.to_revision}"

    def _older(self, live: Live) -> Json:
        """The ReplicaSet to go back to. Raises Conflict unless it is the one that was seen, and belongs to the Deployment."""
        older = live.related.get(self.replica_set)
        if older is None:
            raise Conflict(f"the ReplicaSet {self.replica_set} is gone")
        meta = older.get("metadata") or {}
        seen(f"the uid of ReplicaSet {self.replica_set}", self.replica_set_uid, meta.get("uid"))
        owner = next((item.get("uid") for item in meta.get("ownerReferences") or () if item.get("controller")), None)
        seen(f"the owner of ReplicaSet {self.replica_set}", self.target.uid, owner)
        seen(f"the revision of ReplicaSet {self.replica_set}", self.to_revision, _revision(older))
        return older


def _template(replica_set: Json) -> Json:
    """The template without the label that its controller added."""
    template: Json = dict(at_path(replica_set, "spec.template") or {})
    meta = dict(template.get("metadata") or {})
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != _HASH}
    return {**template, "metadata": {**meta, "labels": labels}}


def _revision(item: Json) -> int:
    text = str(((item.get("metadata") or {}).get("annotations") or {}).get(REVISION, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _images(template: Json) -> dict[str, str]:
    return {str(item.get("name")): str(item.get("image")) for item in at_path(template, "spec.containers") or ()}


def _without_images(template: Json) -> Json:
    spec = template.get("spec") or {}
    bare = [{key: value for key, value in item.items() if key != "image"} for item in spec.get("containers") or ()]
    return {**template, "spec": {**spec, "containers": bare}}
