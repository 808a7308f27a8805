"""Out of a snapshot of the cluster: who lives on a node, under which budgets, and what of an episode's workloads is not back. Pure."""

from collections.abc import Iterator
from datetime import datetime

from agents.reliability.healing.episode import Episode, Stage
from agents.reliability.healing.seeing import Tenant, pool_of, readiness
from agents.workloads import ready
from core.cluster.graph import Graph
from core.cluster.objects import Node, Pod
from core.cluster.snapshot import Snapshot, controller
from core.domain.target import Target

KINDS = ("Namespace", "Node", "Pod", "PodDisruptionBudget", "Deployment", "StatefulSet", "ReplicaSet", "DaemonSet")
_MIRROR = "kubernetes.io/config.mirror"
MOST_OWNERS = 100


def node_of(snapshot: Snapshot, uid: str) -> Node | None:
    return next((node for node in snapshot.nodes if node.metadata.uid == uid), None)


def tenants(snapshot: Snapshot, node: str) -> tuple[Tenant, ...]:
    """The pods of a node by namespace and name."""
    pods = sorted((pod for pod in snapshot.pods if pod.spec.node_name == node), key=lambda pod: (pod.metadata.namespace, pod.metadata.name))
    graph = Graph(snapshot)
    return tuple(_tenant(snapshot, graph, pod) for pod in pods)


def _tenant(snapshot: Snapshot, graph: Graph, pod: Pod) -> Tenant:
    """Of several budgets that cover the pod, the one that allows least counts."""
    owner = controller(pod.metadata)
    budget = min(graph.budgets_of(pod), key=lambda each: int(each.status.disruptions_allowed), default=None)
    finished = pod.status.phase in ("Succeeded", "Failed")
    return Tenant(
        pod=snapshot.target("Pod", pod),
        owner=f"{owner.kind}/{owner.name}" if owner else "",
        stays=finished or _MIRROR in pod.metadata.annotations or (owner is not None and owner.kind in ("DaemonSet", "Node")),
        going=pod.metadata.deletion_timestamp is not None,
        ready=ready(pod) or finished,
        budget=f"{budget.metadata.namespace}/{budget.metadata.name}" if budget else "",
        allowed=budget.status.disruptions_allowed if budget else None,
        idle=budget is not None and budget.status.current_healthy == 0,
    )


def owners(snapshot: Snapshot, node: str) -> tuple[Target, ...]:
    """The workloads of the pods that can leave, each once."""
    found: dict[str, Target] = {}
    moving = {tenant.pod.uid for tenant in tenants(snapshot, node) if not tenant.stays}
    for pod in snapshot.pods:
        if pod.metadata.uid in moving and (above := snapshot.workload_of(pod)) is not None:
            found[above[1].metadata.uid] = snapshot.target(*above)
    return tuple(sorted(found.values(), key=lambda target: target.qualified))[:MOST_OWNERS]


def short(snapshot: Snapshot, wanted: tuple[Target, ...]) -> Iterator[str]:
    """Those of the workloads that have fewer ready pods than they ask for. One that people deleted meanwhile is nobody's loss."""
    for target in wanted:
        item = snapshot.find(target.kind, target.namespace, target.name)
        if item is None or item.metadata.uid != target.uid or target.kind not in ("Deployment", "StatefulSet", "ReplicaSet"):
            continue
        asked = 1 if item.spec.replicas is None else item.spec.replicas
        if item.status.ready_replicas < asked:
            yield f"{target.qualified} has {item.status.ready_replicas} of {asked} ready"


def fresh(snapshot: Snapshot, episode: Episode, pool_label: str) -> tuple[str, ...]:
    """Nodes of the pool that came up since the sick one was released."""
    since = episode.at(Stage.RELEASED)
    return tuple(node.metadata.name for node in snapshot.nodes if since and _is_fresh(node, since, episode.pool, pool_label))


def _is_fresh(node: Node, since: datetime, pool: str, pool_label: str) -> bool:
    made = node.metadata.creation_timestamp
    return bool(made and made >= since and pool_of(node.metadata.labels, pool_label) == pool and readiness(node) == "True")
