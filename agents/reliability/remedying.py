"""From this agent's findings to proposals: more memory, another pod, a cordoned node, a restart. Called by the table."""

import math

from msgspec import structs

from agents.desk import Desk
from agents.proposing import propose
from agents.reliability import memory, sick_nodes, stale_config, wedged_pods
from agents.remedies import Remedy, cordon, delete, let_go, resize, restart, size, uncordon, unfence
from agents.reporting import counted
from agents.sizes import requested
from agents.workloads import home, workload_at
from core.actions.clear_finalizers import ClearFinalizers
from core.actions.containers import Sizes
from core.cluster.capacity import accepts
from core.cluster.objects import Node, PodSpec
from core.domain.finding import Finding
from core.domain.proposal import Proposal

GROWTH = 1.5
GROWTH_KILLED = 2
"""A container that was killed asked for more than its limit, and nobody saw how much."""
STEP_MIB = 32
MOST_SICK_SHARE, MOST_SICK = 0.2, 3  # of the nodes; more than that is no matter of single nodes
LEAST_LEFT = 2


def resize_one(desk: Desk, finding: Finding) -> Proposal | None:
    """In place, where one running pod alone is near its limit and was not killed yet."""
    group = _pressed(desk, finding)
    if len({each.pod.metadata.uid for each in group}) != 1 or (any(each.killed for each in group) and finding.subject.kind != "Pod"):
        return None
    pod = group[0].pod
    if pod.status.phase != "Running":
        return None
    remedy = resize(desk, finding, pod, _more(group))
    why = (
        f"{finding.title}. Resized in place the pod keeps running; its template still has the old size, so the next rollout takes it back."
    )
    return _with_more(desk, finding, remedy, group, why)


def raise_memory(desk: Desk, finding: Finding) -> Proposal | None:
    """In the template, for a workload."""
    workload = workload_at(desk.snapshot, finding.subject.uid)
    group = _pressed(desk, finding)
    if workload is None or not group:
        return None
    remedy = size(desk, finding, workload, _more(group))
    return _with_more(desk, finding, remedy, group, f"{finding.title}. Every pod of {workload.name} has the same limit.")


def _pressed(desk: Desk, finding: Finding) -> list[memory.Pressed]:
    return next((group for subject, group in memory.groups(desk) if subject.uid == finding.subject.uid), [])


def _more(group: list[memory.Pressed]) -> dict[str, Sizes]:
    """Limit x 1.5, twice where it was killed. A request that stood at its limit goes with it."""
    found: dict[str, Sizes] = {}
    for each in group:
        limit = _stepped(each.limit_mib * (GROWTH_KILLED if each.killed else GROWTH))
        request = requested(each.container).memory_mib
        found[each.container.name] = Sizes(memory_mib=limit if request >= each.limit_mib else each.limit_mib, memory_limit_mib=limit)
    return found


def _stepped(mib: float) -> int:
    return math.ceil(mib / STEP_MIB) * STEP_MIB


def _with_more(desk: Desk, finding: Finding, remedy: Remedy, group: list[memory.Pressed], why: str) -> Proposal:
    first = group[0]
    limit = _more(group)[first.container.name].memory_limit_mib
    expect = f"memory limit of {first.container.name} from {first.limit_mib} to {limit} MiB; no kill for memory within 15 minutes"
    return propose(desk, finding, *remedy, why=why, expect=expect)


def replace_pod(desk: Desk, finding: Finding) -> Proposal | None:
    """One at a time: the one that is stuck the longest."""
    workload = workload_at(desk.snapshot, finding.subject.uid)
    stuck = wedged_pods.wedged(desk, workload) if workload is not None else ()
    if workload is None or not stuck:
        return None
    siblings = counted(wedged_pods.answering_siblings(workload, stuck[0]), "sibling")
    return propose(
        desk,
        finding,
        *delete(desk, finding, stuck[0]),
        why=f"{finding.title}. {siblings} of the same template run well: it is this pod, not the revision.",
        expect=f"{workload.name} back to {counted(workload.replicas, 'ready replica')}; the pod's own state is lost",
    )


def cordon_sick(desk: Desk, finding: Finding) -> Proposal | None:
    """One node of few. Where many are sick at once, the cause is elsewhere, and no new pod would find a place."""
    nodes = desk.snapshot.nodes
    sick = [node for node in nodes if sick_nodes.illness_of(desk, node) is not None or node.spec.unschedulable]
    node = next((node for node in nodes if node.metadata.uid == finding.subject.uid), None)
    most = max(1, min(MOST_SICK, int(len(nodes) * MOST_SICK_SHARE)))
    if node is None or len(sick) > most or len(nodes) - len(sick) < LEAST_LEFT:
        return None
    return propose(
        desk,
        finding,
        *cordon(desk, finding, node),
        why=f"{finding.title}. {len(nodes) - len(sick)} of {len(nodes)} nodes are well and take its place for new pods.",
        expect="no new pod lands there; those that run there stay",
    )


def _well(desk: Desk, finding: Finding) -> Node | None:
    """The node that the finding is about, unless something is wrong with it."""
    node = next((node for node in desk.snapshot.nodes if node.metadata.uid == finding.subject.uid), None)
    return None if node is None or sick_nodes.illness_of(desk, node) is not None else node


def open_node(desk: Desk, finding: Finding) -> Proposal | None:
    """The node that was cordoned and forgotten. Whoever closed it may have had a reason, so a person says yes."""
    node = _well(desk, finding)
    if node is None:
        return None
    return propose(
        desk,
        finding,
        *uncordon(desk, finding, node),
        why=f"{finding.title}. No condition of it is bad, and nothing says why it was closed.",
        expect="new pods land there again; those that run elsewhere stay",
    )


def lift_fence(desk: Desk, finding: Finding) -> Proposal | None:
    """Pods may run there again. Not while the node is ill: it may be off again in a minute."""
    node = _well(desk, finding)
    if node is None:
        return None
    return propose(
        desk,
        finding,
        *unfence(desk, finding, node),
        why=f"{finding.title}. Its kubelet answers, so the machine is on; what was attached to it is elsewhere by now.",
        expect="pods may run and stay there again; those that went elsewhere stay",
    )


def release_pod(desk: Desk, finding: Finding) -> Proposal | None:
    """The pod that has been leaving the longest and that somebody's finalizer holds. Its node must answer, or it may still be running."""
    well = {node.metadata.name for node in desk.snapshot.nodes if sick_nodes.illness_of(desk, node) is None}
    subject = finding.subject
    held = [
        pod
        for pod in desk.snapshot.pods
        if pod.metadata.deletion_timestamp is not None
        and pod.metadata.finalizers
        and subject.uid in (pod.metadata.uid, home(desk.snapshot, pod)[1].metadata.uid)
        and (not pod.spec.node_name or pod.spec.node_name in well)
    ]
    for pod in sorted(held, key=lambda pod: (pod.metadata.deletion_timestamp or desk.now, pod.metadata.name)):
        remedy = let_go(desk, finding, "Pod", pod)
        if remedy is not None:
            return propose(
                desk,
                finding,
                *remedy,
                why=f"{finding.title}. Whoever set the finalizer did not take it away; what it stood for is left behind.",
                expect=f"{pod.metadata.name} is gone, and its name and place are free",
            )
    return None


def empty_namespace(desk: Desk, finding: Finding) -> Proposal | None:
    """What keeps a namespace from going: the object in it that somebody's finalizer has held the longest."""
    name = finding.subject.name
    held = [
        (kind, item)
        for kind in ClearFinalizers.targets
        for item in desk.snapshot.of(kind)
        if item.metadata.namespace == name and item.metadata.deletion_timestamp is not None and item.metadata.finalizers
    ]
    for kind, item in sorted(held, key=lambda each: (each[1].metadata.deletion_timestamp, each[0], each[1].metadata.name)):
        remedy = let_go(desk, finding, kind, item)
        if remedy is not None:
            return propose(
                desk,
                finding,
                *remedy,
                why=f"{finding.title}. {kind} {item.metadata.name} is still in it, held by {', '.join(item.metadata.finalizers)}.",
                expect=f"{kind.lower()}/{item.metadata.name} is gone; the namespace goes once nothing else is left",
            )
    return None


def open_place(desk: Desk, finding: Finding) -> Proposal | None:
    """For pods that only closed nodes would take: one of those, where it is well. A person decides, because somebody closed it."""
    workload = workload_at(desk.snapshot, finding.subject.uid)
    if workload is None:
        return None
    spec = workload.item.spec.template.spec
    closed = [node for node in desk.snapshot.nodes if node.spec.unschedulable and sick_nodes.illness_of(desk, node) is None]
    takes = [node for node in closed if _takes(node, spec)]
    if not takes:
        return None
    node = min(takes, key=lambda node: node.metadata.name)
    return propose(
        desk,
        finding,
        *uncordon(desk, finding, node),
        why=f"{finding.title}. {node.metadata.name} would take them, is well, and was closed.",
        expect=f"the pods of {workload.name} that wait find a node; those that run elsewhere stay",
    )


def _takes(node: Node, spec: PodSpec) -> bool:
    """By selector and taints, its own closing left aside."""
    taints = tuple(taint for taint in node.spec.taints if taint.key != sick_nodes.CORDONED)
    return accepts(structs.replace(node, spec=structs.replace(node.spec, taints=taints)), spec)


def restart_stale(desk: Desk, finding: Finding) -> Proposal | None:
    workload = workload_at(desk.snapshot, finding.subject.uid)
    if workload is None:
        return None
    names = ", ".join(sorted(stale_config.config_maps(workload.item.spec.template.spec)))
    return propose(
        desk,
        finding,
        *restart(desk, finding, workload),
        why=f"{finding.title}. Environment variables out of {names} are read once, when a container starts.",
        expect=f"{workload.replicas} pods start anew in the steps of the workload's own update strategy, with the values of now",
    )
