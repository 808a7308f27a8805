"""Cut pods of a workload off the network: one NetworkPolicy that allows nothing. The only kind that makes an object.

Its name is the action's own, so that only one can ever be ours; it belongs to the workload, so that it goes with it.
"""

from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from core.actions import checks
from core.actions.aiming import CatalogueAction, possible, rights
from core.cluster.kinds import KINDS
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest, Right, Verb
from core.domain.check import Check, Signal
from core.domain.values import Json, at_path

_KIND = KINDS["NetworkPolicy"]


class CutNetwork(CatalogueAction):
    """Let the pods of a workload talk to nobody, or be reached by nobody, as far as the cluster's network plugin holds to policies.

    Undone by deleting exactly the policy that was made.
    """

    kind: Literal["cut_network"] = "cut_network"
    directions: tuple[Literal["Ingress", "Egress"], ...] = Field(min_length=1, max_length=2, description="what is cut: to them, from them")

    targets: ClassVar = ("Deployment", "StatefulSet", "DaemonSet")
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = True
    rights: ClassVar = (*rights("create", (_KIND.group, _KIND.resource)), Right(verb="delete", group=_KIND.group, resource=_KIND.resource))
    moves_generation: ClassVar = False

    @property
    def policy(self) -> str:
        return f"day2-cut-{self.id}"

    def request(self, live: Live) -> ApiRequest:
        selector = at_path(self.standing(live), "spec.selector")
        possible(selector, "it selects no pods of its own")
        owner = {"apiVersion": KINDS[self.target.kind].api_version, "kind": self.target.kind}
        meta = {
            "name": self.policy,
            "namespace": self.target.namespace,
            "labels": {"day2.dev/action": self.id},
            "ownerReferences": [{**owner, "name": self.target.name, "uid": self.target.uid}],
        }
        spec = {"podSelector": selector, "policyTypes": list(dict.fromkeys(self.directions))}
        return self._on("create", {"apiVersion": _KIND.api_version, "kind": _KIND.name, "metadata": meta, "spec": spec})

    def inverse(self, live: Live) -> ApiRequest:  # noqa: ARG002 - its name says it all
        """Whoever sends it adds the uid and the version of what was made, which nobody knows before."""
        return self._on("delete", {"apiVersion": "v1", "kind": "DeleteOptions"})

    def _on(self, verb: Verb, body: Json) -> ApiRequest:
        place = {"group": _KIND.group, "version": _KIND.version, "resource": _KIND.resource, "namespace": self.target.namespace}
        return ApiRequest(verb=verb, **place, name=self.policy, content_type="application/json", body=body)

    def pinned(self, live_object: Json) -> Json:
        return {"spec.selector": at_path(live_object, "spec.selector")}

    @override
    def changes(self, live: Live) -> tuple[Change, ...]:
        return (Change(path=f"networkpolicy/{self.policy}", old=None, new=f"no {' and no '.join(self.directions)}"),)

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        return checks.check(self.target, Signal.RESTARTS_STEADY, settle=30, watch=300)

    def pods_touched(self, live: Live) -> int:
        return checks.replicas(live.object)

    def sentence(self) -> str:
        return f"cut {self.target.qualified} off the network ({', '.join(self.directions)})"
