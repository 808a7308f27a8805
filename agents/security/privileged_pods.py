"""SEC-102: bare pods that reach into the node. Called by the table of this agent."""

from collections.abc import Iterator

from agents.desk import Desk
from agents.reporting import found, moment, seen
from agents.workloads import SYSTEM_NAMESPACES, age, leaving
from core.cluster.objects import Pod, PodSpec
from core.cluster.snapshot import controller
from core.domain.finding import Finding, Severity

CODE = "SEC-102"
MIRROR = "kubernetes.io/config.mirror"  # a static pod: the node's own file would bring it back


def detect(desk: Desk) -> Iterator[Finding]:
    for pod in sorted(desk.snapshot.pods, key=lambda pod: (pod.metadata.namespace, pod.metadata.name)):
        if is_bare(pod) and not leaving(pod) and (reach := reaches(pod.spec)):
            yield _finding(desk, pod, reach)


def is_bare(pod: Pod) -> bool:
    meta = pod.metadata
    return meta.namespace not in SYSTEM_NAMESPACES and controller(meta) is None and MIRROR not in meta.annotations


def reaches(spec: PodSpec) -> tuple[str, ...]:
    """How a pod leaves its box, as field paths."""
    host = ((spec.host_pid, "hostPID"), (spec.host_ipc, "hostIPC"), (spec.host_network, "hostNetwork"))
    privileged = (
        f"containers[{container.name}].securityContext.privileged"
        for container in (*spec.init_containers, *spec.containers)
        if container.security_context is not None and container.security_context.privileged
    )
    return (*(name for wanted, name in host if wanted), *privileged)


def _finding(desk: Desk, pod: Pod, reach: tuple[str, ...]) -> Finding:
    days = age(pod.metadata, desk.now).days
    short = ", ".join(path.rpartition(".")[2] for path in reach)
    return found(
        desk,
        CODE,
        Severity.HIGH,
        desk.snapshot.target("Pod", pod),
        f"bare pod {pod.metadata.name} is {short} and has run for {days} days; nothing owns it",
        f"Whoever enters it owns node {pod.spec.node_name or '(none)'} and every secret on it, and no workload would miss it.",
        *(seen(desk, "Pod", pod, f"spec.{path}", "true") for path in reach),
        seen(desk, "Pod", pod, "metadata.ownerReferences", "none"),
        seen(desk, "Pod", pod, "metadata.creationTimestamp", moment(pod.metadata.creation_timestamp)),
    )
