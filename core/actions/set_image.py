"""Give a workload's containers other images, each fixed by its digest: what was judged is what runs."""

from typing import ClassVar, Literal

from pydantic import Field

from core.actions import checks, containers
from core.actions.aiming import CatalogueAction, moved, possible, rights, seen
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.values import Json, Value, at_path


class ImageChange(Value):
    """One container, from the text that the proposer saw to an image by digest."""

    container: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
    from_image: str = Field(min_length=1, max_length=512)
    to_image: str = Field(max_length=512, pattern=r"^[a-z0-9][-a-zA-Z0-9._:/]*@sha256:[0-9a-f]{64}$")


class SetImage(CatalogueAction):
    """Run other images in the containers of a Deployment, StatefulSet or DaemonSet: a rolling change of all its pods.

    Undone by the old texts, which is one more rolling change.
    """

    kind: Literal["set_image"] = "set_image"
    images: tuple[ImageChange, ...] = Field(min_length=1, max_length=20, description="one entry per container that changes")

    targets: ClassVar = ("Deployment", "StatefulSet", "DaemonSet")
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = True
    rights: ClassVar = rights("patch", ("apps", "deployments"), ("apps", "statefulsets"), ("apps", "daemonsets"))

    def request(self, live: Live) -> ApiRequest:
        workload = self.standing(live)
        possible(not at_path(workload, "spec.paused"), "the rollout is paused: a new template would reach no pod")
        for item in self.images:
            change = self._change(item, at_path(workload, "spec.template.spec") or {})
            seen(f"the image of {item.container}", item.from_image, change.old)
            possible(item.from_image != item.to_image, f"{item.container} already runs this image")
        return self._images(live.object, back=False)

    def inverse(self, live: Live) -> ApiRequest:
        return self._images(live.object, back=True)

    def _images(self, workload: Json, *, back: bool) -> ApiRequest:
        body: dict[str, list[Json]] = {}
        for item in self.images:
            section, container = containers.find(at_path(workload, "spec.template.spec") or {}, item.container)
            body.setdefault(section, []).append({"name": item.container, "image": container.get("image") if back else item.to_image})
        return self.strategic({"spec": {"template": {"spec": body}}})

    def changes(self, live: Live) -> tuple[Change, ...]:
        return moved(*(self._change(item, at_path(live.object, "spec.template.spec") or {}) for item in self.images))

    def _change(self, item: ImageChange, pod_spec: Json) -> Change:
        section, container = containers.find(pod_spec, item.container)
        path = f"spec.template.spec.{section}[{item.container}].image"
        return Change(path=path, old=container.get("image"), new=item.to_image)

    def check(self, live: Live, guards: Guards) -> Check:
        signals = (Signal.ROLLOUT_COMPLETE, Signal.RESTARTS_STEADY, checks.ready(checks.replicas(live.object)))
        return checks.check(self.target, *signals, guards=guards, settle=30, watch=900)

    def pods_touched(self, live: Live) -> int:
        return checks.replicas(live.object)

    def sentence(self) -> str:
        images = "; ".join(f"{item.container} {item.from_image[-60:]} -> {item.to_image[-80:]}" for item in self.images)
        return f"set images of {self.target.qualified}: {images}"
