"""What an experiment is judged and played on: full objects as they stood at one look. Filled by `runtime.laboratory`, and by tests."""

from collections.abc import Mapping
from typing import NamedTuple

from core.cluster.kinds import KINDS
from core.domain.target import Target
from core.domain.values import Json, at_path

ZONE = "topology.kubernetes.io/zone"
OPEN = ("day2.dev/chaos", "allowed")
SYSTEM = ("kube-system", "kube-public", "kube-node-lease", "day2-system", "day2-agents")


class Scene(NamedTuple):
    """`workloads` are those that the target may mean; `other` and `config` what the fault names besides; `pods` those of the target.

    `running` is the id of another experiment that has not ended, `budget` percent of the error budget (None: promised, not measured).
    """

    cluster: str
    namespace: Json | None
    workloads: tuple[Json, ...]
    pods: tuple[Json, ...] = ()
    nodes: tuple[Json, ...] = ()
    budgets: tuple[Json, ...] = ()
    policies: tuple[Json, ...] = ()
    autoscaled: bool = False
    other: Json | None = None
    config: Json | None = None
    running: str = ""
    budget: int | None = 100

    @property
    def workload(self) -> Json:
        return self.workloads[0]


def target(cluster: str, item: Json) -> Target:
    """The pinned reference of a full object."""
    kind = KINDS[item["kind"]]
    meta = item["metadata"]
    return Target(
        cluster=cluster, group=kind.group, kind=kind.name, namespace=meta.get("namespace", ""), name=meta["name"], uid=meta["uid"]
    )


def name(item: Json) -> str:
    return str(item["metadata"]["name"])


def labels(item: Json) -> Mapping[str, str]:
    return at_path(item, "metadata.labels") or {}


def opened(item: Json | None) -> bool:
    """Whether its owners let experiments in."""
    return item is not None and labels(item).get(OPEN[0]) == OPEN[1]


def ready(pod: Json) -> bool:
    conditions = at_path(pod, "status.conditions") or ()
    said = any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)
    return said and not at_path(pod, "metadata.deletionTimestamp")


def replicas(workload: Json) -> int:
    if workload["kind"] == "DaemonSet":
        return int(at_path(workload, "status.desiredNumberScheduled") or 0)
    asked = at_path(workload, "spec.replicas")
    return 1 if asked is None else int(asked)


def zone(scene: Scene, pod: Json) -> str:
    """Of its node; the node itself where it says no zone."""
    node = str(at_path(pod, "spec.nodeName") or "")
    found = next((item for item in scene.nodes if name(item) == node), None)
    return str(labels(found).get(ZONE, node)) if found else node
