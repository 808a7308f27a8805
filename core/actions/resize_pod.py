"""Resize a running pod in place, through its `resize` subresource.

What the API server and the kubelet accept: https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/ .
The owner's template is another action: without it the next rollout undoes this one.
"""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from core.actions import checks, containers
from core.actions.aiming import CatalogueAction, possible, rights, seen
from core.actions.containers import Sizing
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.values import Json, at_path

_STEP_PER_CENT = 30
"""The largest cut of a memory limit in one step: the kubelet only tries, and the container may be killed for it."""


class ResizePod(CatalogueAction):
    """Change CPU and memory of a running pod's containers without a restart.

    Refused where it could not stay in place: the QoS class would change, a container asks for a restart at a resize, the pod is static,
    a resize is still under way, or a memory limit would fall by more than 30 %.
    """

    kind: Literal["resize_pod"] = "resize_pod"
    sizings: tuple[Sizing, ...] = Field(min_length=1, max_length=20, description="one entry per container that changes")

    targets: ClassVar = ("Pod",)
    risk: ClassVar = Risk.LOW
    reversible: ClassVar = True
    rights: ClassVar = rights("patch", ("", "pods"), subresource="resize")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        containers.distinct(self.sizings)
        return self

    def request(self, live: Live) -> ApiRequest:
        pod = self.standing(live)
        seen("the pod's phase", "Running", at_path(pod, "status.phase"))
        containers.as_seen(pod["spec"], self.sizings)
        _in_place(pod, self.sizings)
        containers.in_order(pod["spec"], self.sizings)
        return self.strategic({"spec": containers.patch(pod["spec"], self.sizings)}, subresource="resize")

    def inverse(self, live: Live) -> ApiRequest:
        return self.strategic({"spec": containers.patch(live.object["spec"], self.sizings, back=True)}, subresource="resize")

    def changes(self, live: Live) -> tuple[Change, ...]:
        return containers.changes(live.object["spec"], self.sizings, "spec")

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        return checks.check(self.target, Signal.RESIZE_DONE, Signal.RESTARTS_STEADY, guards=guards, settle=30, watch=300)

    @override
    def pods_touched(self, live: Live) -> int:
        return 0

    def sentence(self) -> str:
        return f"resize {self.target.qualified} in place: {containers.said(self.sizings)}"


def _in_place(pod: Json, sizings: tuple[Sizing, ...]) -> None:
    """Raises Refused for what the API server or the kubelet would not do in place."""
    spec = pod["spec"]
    annotations = pod["metadata"].get("annotations") or {}
    possible("kubernetes.io/config.mirror" not in annotations, "a static pod belongs to its node: it cannot be resized through the API")
    pending = {item.get("type") for item in at_path(pod, "status.conditions") or () if item.get("status") == "True"}
    possible(not pending & {"PodResizePending", "PodResizeInProgress"}, "a resize of this pod is still under way")
    before, after = containers.qos_class(spec), containers.qos_class(containers.resized(spec, sizings))
    possible(before == after, f"the QoS class would change from {before} to {after}, which a running pod cannot")
    statuses = [*(at_path(pod, "status.containerStatuses") or ()), *(at_path(pod, "status.initContainerStatuses") or ())]
    reported = {item.get("name") for item in statuses if item.get("resources")}
    for sizing in sizings:
        container = containers.find(spec, sizing.container).container
        _stays_up(container, sizing)
        possible(sizing.container in reported, f"the node does not report resources of {sizing.container}: it cannot resize in place")


def _stays_up(container: Json, sizing: Sizing) -> None:
    policies = {item.get("resourceName"): item.get("restartPolicy") for item in container.get("resizePolicy") or ()}
    for field in sizing.moving():
        possible(
            policies.get(field.resource) != "RestartContainer",
            f"container {sizing.container} asks for a restart when its {field.resource} changes: set the workload's requests instead",
        )
    old, new = sizing.from_sizes.memory_limit_mib, sizing.to_sizes.memory_limit_mib
    enough = old is None or new is None or new * 100 >= old * (100 - _STEP_PER_CENT)
    possible(enough, f"container {sizing.container}: a memory limit falls by at most {_STEP_PER_CENT} % in one step")
