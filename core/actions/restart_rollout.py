"""Replace all pods of a workload by its own rolling update, as `kubectl rollout restart` does.

The annotation carries the action's id: the same action sent twice changes nothing the second time.
"""

from typing import ClassVar, Literal

from typing_extensions import override

from core.actions import checks
from core.actions.aiming import CatalogueAction, possible, rights
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.values import Json, at_path

ANNOTATION = "day2.dev/restart"


class RestartRollout(CatalogueAction):
    """Start every pod of a Deployment, StatefulSet or DaemonSet anew, in the steps that its update strategy allows.

    There is no way back: an undo would be one more restart.
    """

    kind: Literal["restart_rollout"] = "restart_rollout"

    targets: ClassVar = ("Deployment", "StatefulSet", "DaemonSet")
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = False
    rights: ClassVar = rights("patch", ("apps", "deployments"), ("apps", "statefulsets"), ("apps", "daemonsets"))

    def request(self, live: Live) -> ApiRequest:
        workload = self.standing(live)
        possible(not at_path(workload, "spec.paused"), "the rollout is paused: a restart would reach no pod")
        possible(at_path(workload, "spec.updateStrategy.type") != "OnDelete", "its update strategy OnDelete restarts nothing")
        possible(_restarted(workload) != self.id, "this restart was already written")
        return self.strategic({"spec": {"template": {"metadata": {"annotations": {ANNOTATION: self.id}}}}})

    @override
    def inverse(self, live: Live) -> None:
        return None

    def changes(self, live: Live) -> tuple[Change, ...]:
        return (Change(path=f"spec.template.metadata.annotations[{ANNOTATION}]", old=_restarted(live.object), new=self.id),)

    def check(self, live: Live, guards: Guards) -> Check:
        signals = (Signal.ROLLOUT_COMPLETE, Signal.RESTARTS_STEADY, checks.ready(checks.replicas(live.object)))
        return checks.check(self.target, *signals, guards=guards, settle=30, watch=900)

    def pods_touched(self, live: Live) -> int:
        return checks.replicas(live.object)

    def sentence(self) -> str:
        return f"restart all pods of {self.target.qualified}, in its own steps"


def _restarted(workload: Json) -> str | None:
    annotations = at_path(workload, "spec.template.metadata.annotations") or {}
    return annotations.get(ANNOTATION)
