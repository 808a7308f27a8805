"""SEC-115: bare pods and jobs that hold a path of their node by which one owns it. Called by the table of this agent.

Templates of workloads are the business of SEC-106, and of pods that share the node's namespaces SEC-102 tells.
"""

from collections.abc import Iterator
from posixpath import normpath
from typing import Any

from agents.desk import Desk
from agents.reporting import found, seen
from agents.security.namespaces import excused
from agents.security.privileged_pods import is_bare, reaches
from agents.workloads import jobs, leaving
from core.cluster.objects import PodSpec, Volume
from core.domain.finding import Finding, Severity

CODE = "SEC-115"
OWNING = (
    "/etc",
    "/root",
    "/home",
    "/boot",
    "/dev",
    "/proc",
    "/sys",
    "/var/lib/kubelet",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/etcd",
    "/var/lib/rancher",
    "/var/run/docker.sock",
    "/var/run/containerd",
    "/var/run/crio",
    "/var/run/cri-dockerd.sock",
    "/run/docker.sock",
    "/run/containerd",
    "/run/crio",
    "/run/cri-dockerd.sock",
    "/run/k3s",
)
"""Who writes here, or speaks to these sockets, runs what he likes on the node, or reads the secrets of its pods."""
ABOVE = ("/", "/var", "/var/lib", "/var/run", "/run")


def owning(spec: PodSpec) -> tuple[str, ...]:
    """The paths among its volumes by which one owns the node, or reads what its other pods hold."""
    return tuple(path for volume in spec.volumes if (path := path_of(volume)) and owns(path))


def path_of(volume: Volume) -> str:
    path = (volume.host_path or {}).get("path")
    return normpath(path) if isinstance(path, str) and path.startswith("/") and "\0" not in path else ""


def owns(path: str) -> bool:
    """One of these paths, what is under it, or what has all of them under it."""
    path = f"/{path.lstrip('/')}"
    return path in ABOVE or any(path == each or path.startswith(f"{each}/") for each in OWNING)


def detect(desk: Desk) -> Iterator[Finding]:
    holding = (pod for pod in desk.snapshot.pods if pod.spec.volumes and is_bare(pod) and owning(pod.spec))
    for pod in sorted(holding, key=lambda pod: (pod.metadata.namespace, pod.metadata.name)):
        if not leaving(pod) and not reaches(pod.spec) and not _excused(desk, pod):
            yield from _finding(desk, "Pod", pod, pod.spec, "spec.volumes")
    for job, _ in jobs(desk.snapshot):
        if not _excused(desk, job):
            yield from _finding(desk, "Job", job, job.spec.template.spec, "spec.template.spec.volumes")


def _excused(desk: Desk, item: Any) -> bool:
    namespace = desk.snapshot.find("Namespace", "", item.metadata.namespace)
    return namespace is not None and excused(namespace)


def _finding(desk: Desk, kind: str, item: Any, spec: PodSpec, where: str) -> Iterator[Finding]:
    paths = owning(spec)
    if paths:
        yield found(
            desk,
            CODE,
            Severity.HIGH,
            desk.snapshot.target(kind, item),
            f"{kind.lower()} {item.metadata.name} holds {', '.join(paths[:3])} of its node",
            "Whoever enters it owns the node, or reads the secrets of every pod there.",
            seen(desk, kind, item, where, ", ".join(paths)),
        )
