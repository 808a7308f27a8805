"""The Pod Security Standards as pure functions of a pod's spec. Used by the security agent, and by the judge for its facts.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ and the checks of `k8s.io/pod-security-admission/policy`.
The slim objects do not carry AppArmor, SELinux, Windows options, lifecycle hooks and ephemeral containers: those checks are not made here,
and the API server's own dry-run has the last word. A volume of an unknown sort counts as a violation of restricted.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Literal, NamedTuple

from core.cluster.objects import Container, PodSpec, SecurityContext, Volume

Level = Literal["privileged", "baseline", "restricted"]
LEVELS: tuple[Level, ...] = ("privileged", "baseline", "restricted")
"""From the loosest to the strictest."""

_CAPABILITIES = frozenset(
    (
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
        "SETUID", "SYS_CHROOT",
    )
)  # fmt: skip
_SYSCTLS = frozenset(
    (
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem",
    )
)  # fmt: skip
_CONFINED = frozenset(("RuntimeDefault", "Localhost"))
_PROBE_HANDLERS = ("httpGet", "tcpSocket")
_NOTHING = SecurityContext()


class Violation(NamedTuple):
    """One broken check. `where` is a container's name, or empty for the pod."""

    check: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.check}: {f'container {self.where} ' if self.where else ''}{self.what}"


def rank(level: str) -> int:
    """0 for privileged up to 2 for restricted. A namespace without a label, or with one that is no level, enforces nothing: 0."""
    return LEVELS.index(level) if level in LEVELS else 0


def strictest(specs: Iterable[PodSpec]) -> Level:
    """The strictest level that every one of these pods meets."""
    best: Level = "restricted"
    for spec in specs:
        level = meets(spec)
        if rank(level) < rank(best):
            best = level
        if best == "privileged":
            break
    return best


def meets(spec: PodSpec) -> Level:
    """The strictest level that this pod meets."""
    if next(_baseline(spec), None) is not None:
        return "privileged"
    return "baseline" if next(_restricted(spec), None) is not None else "restricted"


def violations(spec: PodSpec, level: str) -> tuple[Violation, ...]:
    """What the level would refuse in this pod; nothing for privileged."""
    if rank(level) == 0:
        return ()
    return tuple(_baseline(spec)) if level == "baseline" else (*_baseline(spec), *_restricted(spec))


def _containers(spec: PodSpec) -> Iterator[Container]:
    return chain(spec.init_containers, spec.containers)


def _baseline(spec: PodSpec) -> Iterator[Violation]:
    yield from _host_namespaces(spec)
    for volume in spec.volumes:
        if volume.host_path is not None:
            yield Violation("hostPath", "", f"volume {volume.name} is a directory of the node")
    pod = spec.security_context or _NOTHING
    yield from _kernel(pod, "")
    for sysctl in pod.sysctls:
        if sysctl.get("name") not in _SYSCTLS:
            yield Violation("sysctls", "", f"sets {sysctl.get('name')}")
    for container in _containers(spec):
        yield from _baseline_container(container)


def _host_namespaces(spec: PodSpec) -> Iterator[Violation]:
    for wanted, name in ((spec.host_network, "hostNetwork"), (spec.host_pid, "hostPID"), (spec.host_ipc, "hostIPC")):
        if wanted:
            yield Violation("hostNamespaces", "", f"sets {name}")


def _kernel(context: SecurityContext, where: str) -> Iterator[Violation]:
    """What pod and container share: the seccomp profile must not be switched off."""
    if context.seccomp_profile is not None and context.seccomp_profile.type == "Unconfined":
        yield Violation("seccompProfile", where, "is Unconfined")


def _baseline_container(container: Container) -> Iterator[Violation]:
    context = container.security_context or _NOTHING
    if context.privileged:
        yield Violation("privileged", container.name, "is privileged")
    if context.proc_mount not in ("", "Default"):
        yield Violation("procMount", container.name, f"has procMount {context.proc_mount}")
    extra = sorted(set(context.capabilities.add) - _CAPABILITIES) if context.capabilities else []
    if extra:
        yield Violation("capabilities", container.name, f"adds {', '.join(extra)}")
    yield from _kernel(context, container.name)
    for port in container.ports:
        if port.host_port:
            yield Violation("hostPorts", container.name, f"takes port {port.host_port} of the node")
    for probe in (container.liveness_probe, container.readiness_probe):
        if probe and _names_a_host(probe):
            yield Violation("hostProbes", container.name, "has a probe that names a host")


def _names_a_host(probe: dict[str, Any]) -> bool:
    for kind in _PROBE_HANDLERS:
        handler = probe.get(kind)
        if isinstance(handler, dict) and handler.get("host"):
            return True
    return False


def _restricted(spec: PodSpec) -> Iterator[Violation]:
    """What restricted asks beyond baseline."""
    for volume in spec.volumes:
        if not _restricted_volume(volume):
            yield Violation("restrictedVolumes", "", f"volume {volume.name} is of a sort that restricted does not allow")
    pod = spec.security_context or _NOTHING
    if pod.run_as_user == 0:
        yield Violation("runAsUser", "", "runs as user 0")
    for container in _containers(spec):
        yield from _restricted_container(container, pod)


def _restricted_volume(volume: Volume) -> bool:
    allowed = (volume.config_map, volume.secret, volume.persistent_volume_claim, volume.empty_dir, volume.projected)
    return any(source is not None for source in allowed)


def _restricted_container(container: Container, pod: SecurityContext) -> Iterator[Violation]:
    context = container.security_context or _NOTHING
    if context.allow_privilege_escalation is not False:
        yield Violation("allowPrivilegeEscalation", container.name, "does not forbid it")
    non_root = pod.run_as_non_root if context.run_as_non_root is None else context.run_as_non_root
    if not non_root:
        yield Violation("runAsNonRoot", container.name, "may run as root")
    if context.run_as_user == 0:
        yield Violation("runAsUser", container.name, "runs as user 0")
    profile = context.seccomp_profile or pod.seccomp_profile
    if profile is None or profile.type not in _CONFINED:
        yield Violation("seccompProfile", container.name, "has no seccomp profile")
    yield from _restricted_capabilities(container.name, context)


def _restricted_capabilities(name: str, context: SecurityContext) -> Iterator[Violation]:
    drop = context.capabilities.drop if context.capabilities else ()
    add = context.capabilities.add if context.capabilities else ()
    if "ALL" not in drop:
        yield Violation("capabilities", name, "does not drop ALL")
    if extra := sorted(set(add) - {"NET_BIND_SERVICE"}):
        yield Violation("capabilities", name, f"adds {', '.join(extra)}")
