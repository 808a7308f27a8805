"""Suspend a Job: its pods go, and what they hold (the GPUs of a gang that never starts) is free for others."""

from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from core.actions import checks
from core.actions.aiming import CatalogueAction, possible, rights, seen
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.values import Json, at_path

_QUEUE = "kueue.x-k8s.io/queue-name"


class SuspendJob(CatalogueAction):
    """Stop a Job's pods and keep the Job. Undone by letting it run again; what its pods had computed without saving is lost.

    A finished Job is refused, and so is one that a queue (Kueue) suspends and releases by its own rules.
    """

    kind: Literal["suspend_job"] = "suspend_job"
    from_parallelism: int = Field(ge=0, le=100_000, description="pods that the proposer saw the Job ask for")

    targets: ClassVar = ("Job",)
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = True
    rights: ClassVar = rights("patch", ("batch", "jobs"))

    def request(self, live: Live) -> ApiRequest:
        job = self.standing(live)
        true = {item.get("type") for item in at_path(job, "status.conditions") or () if item.get("status") == "True"}
        possible(not true & {"Complete", "Failed"}, "the Job has ended")
        possible(_QUEUE not in (job["metadata"].get("labels") or {}), "a queue decides when this Job runs: ask the queue")
        seen("suspend", False, bool(at_path(job, "spec.suspend")))
        seen("parallelism", self.from_parallelism, _parallelism(job))
        return self.strategic({"spec": {"suspend": True}})

    def inverse(self, live: Live) -> ApiRequest:
        return self.strategic({"spec": {"suspend": at_path(live.object, "spec.suspend")}})

    def changes(self, live: Live) -> tuple[Change, ...]:
        return (Change(path="spec.suspend", old=at_path(live.object, "spec.suspend"), new=True),)

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        return checks.check(self.target, Signal.PODS_GONE, settle=10, watch=300)

    def pods_touched(self, live: Live) -> int:
        return int(at_path(live.object, "status.active") or 0)

    def sentence(self) -> str:
        return f"suspend {self.target.qualified}: its {self.from_parallelism} pods go, the Job stays"


def _parallelism(job: Json) -> int:
    asked = at_path(job, "spec.parallelism")
    return 1 if asked is None else int(asked)
