"""Ask a pod to leave its node, as far as its disruption budgets allow: the API server decides that, at the very write.

The uid and the resourceVersion that were judged are preconditions of the deletion that the eviction asks for.
"""

from typing import ClassVar, Literal

from typing_extensions import override

from core.actions.aiming import rights
from core.actions.delete_pod import PodRemoval
from core.domain.action import Live
from core.domain.api_request import ApiRequest
from core.domain.values import Json


class EvictPod(PodRemoval):
    """Evict a pod (policy/v1), so that its controller makes a new one on another node. A budget that forbids it is waited for.

    There is no way back.
    """

    kind: Literal["evict_pod"] = "evict_pod"
    rights: ClassVar = rights("create", ("", "pods"), subresource="eviction")

    @override
    def request(self, live: Live) -> ApiRequest:
        meta = {"name": self.target.name, "namespace": self.target.namespace}
        body: Json = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta, "deleteOptions": self.options(live)}
        return self.deletion(body, "eviction")

    @override
    def sentence(self) -> str:
        return f"evict {self.target.qualified} ({self.afterwards})"
