"""Change what a workload's containers ask for, in its template: a rolling change of all its pods."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from core.actions import checks, containers
from core.actions.aiming import CatalogueAction, possible, rights
from core.actions.containers import Sizing
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.values import Json, at_path


class SetRequests(CatalogueAction):
    """Give the containers of a Deployment, StatefulSet or DaemonSet other CPU and memory requests, and other limits where named.

    Every pod is replaced by the workload's own rolling update. Undone by putting the old texts back, which is one more rolling update.
    """

    kind: Literal["set_requests"] = "set_requests"
    sizings: tuple[Sizing, ...] = Field(min_length=1, max_length=20, description="one entry per container that changes")

    targets: ClassVar = ("Deployment", "StatefulSet", "DaemonSet")
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = True
    rights: ClassVar = rights("patch", ("apps", "deployments"), ("apps", "statefulsets"), ("apps", "daemonsets"))

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        containers.distinct(self.sizings)
        return self

    def request(self, live: Live) -> ApiRequest:
        workload = self.standing(live)
        possible(not at_path(workload, "spec.paused"), "the rollout is paused: a new template would reach no pod")
        containers.as_seen(_pod_spec(workload), self.sizings)
        containers.in_order(_pod_spec(workload), self.sizings)
        return self._template(containers.patch(_pod_spec(workload), self.sizings))

    def inverse(self, live: Live) -> ApiRequest:
        return self._template(containers.patch(_pod_spec(live.object), self.sizings, back=True))

    def _template(self, pod_spec: Json) -> ApiRequest:
        return self.strategic({"spec": {"template": {"spec": pod_spec}}})

    def changes(self, live: Live) -> tuple[Change, ...]:
        return containers.changes(_pod_spec(live.object), self.sizings, "spec.template.spec")

    def check(self, live: Live, guards: Guards) -> Check:
        """A minute to settle at least: memory that is too small shows itself under load, not at the start."""
        signals = (Signal.ROLLOUT_COMPLETE, Signal.RESTARTS_STEADY, checks.ready(checks.replicas(live.object)))
        return checks.check(self.target, *signals, guards=guards, settle=60, watch=900)

    def pods_touched(self, live: Live) -> int:
        return checks.replicas(live.object)

    def sentence(self) -> str:
        return f"set requests of {self.target.qualified}: {containers.said(self.sizings)}"


def _pod_spec(workload: Json) -> Json:
    return at_path(workload, "spec.template.spec") or {}
