"""The Pod Security Standards as pure functions of a pod: every check, each as it was at a version from 1.25 on. Used by the security agent.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/, and `k8s.io/pod-security-admission/policy` at v0.37.2 for what
changed when. All kinds of containers are looked at, ephemeral ones too. A volume of an unknown sort is none that restricted allows. Levels,
versions and ids are those of the admission plug-in, so that a finding and a refusal speak of the same thing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from typing import Any, Literal, NamedTuple, Protocol

from core.cluster.objects import Container, Meta, PodSpec, SecurityContext, Volume

Level = Literal["privileged", "baseline", "restricted"]
LEVELS: tuple[Level, ...] = ("privileged", "baseline", "restricted")
"""From the loosest to the strictest."""
OLDEST, NEWEST = 25, 37
"""Minor versions of Kubernetes 1 that are known here. `latest` is the newest."""


class Secured(Protocol):
    """A pod or a pod template."""

    @property
    def metadata(self) -> Meta: ...

    @property
    def spec(self) -> PodSpec: ...


class Violation(NamedTuple):
    """One broken check. `where` is a container's name, or empty for the pod."""

    check: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.check}: {f'container {self.where} ' if self.where else ''}{self.what}"


class Check(NamedTuple):
    """One row of the standards: at which level it begins, and between which minor versions it holds as it is here.

    `instead_of` names the check of baseline that restricted replaces by this stricter one.
    """

    id: str
    level: Level
    look: Callable[[Secured, int], Iterator[Violation]]
    since: int = OLDEST
    instead_of: str = ""


def rank(level: str) -> int:
    """0 for privileged up to 2 for restricted. A namespace without a label, or with one that is no level, enforces nothing: 0."""
    return LEVELS.index(level) if level in LEVELS else 0


def strictest(pods: Iterable[Secured], minor: int = NEWEST) -> Level:
    """The strictest level that every one of these meets. Replicas that share what is looked at are looked at once."""
    best: Level = "restricted"
    every = tuple(pods)  # kept until the end: an id stands for one object only as long as that lives
    known: set[tuple[object, ...]] = set()
    for pod in every:
        if (shape := _shape(pod)) in known:
            continue
        known.add(shape)
        level = meets(pod, minor)
        if rank(level) < rank(best):
            best = level
        if best == "privileged":
            break
    return best


def meets(pod: Secured, minor: int = NEWEST) -> Level:
    """The strictest level that this pod meets at a version."""
    if next(_broken(pod, "baseline", minor), None) is not None:
        return "privileged"
    return "baseline" if next(_broken(pod, "restricted", minor), None) is not None else "restricted"


def _shape(pod: Secured) -> tuple[object, ...]:
    """Everything that the checks read of a pod, by identity: pods of one page share their equal parts (`core.cluster.sharing`)."""
    spec = pod.spec
    containers = tuple(
        (
            id(one.security_context),
            id(one.ports),
            id(one.liveness_probe),
            id(one.readiness_probe),
            id(one.startup_probe),
            id(one.lifecycle),
        )
        for one in _containers(pod)
    )
    volumes = tuple((_harmless(volume), volume.host_path is None) for volume in spec.volumes)
    own = (spec.host_network, spec.host_pid, spec.host_ipc, spec.host_users, id(spec.os), id(spec.security_context))
    return (*own, id(pod.metadata.annotations), containers, volumes)


def violations(pod: Secured, level: str, minor: int = NEWEST) -> tuple[Violation, ...]:
    """What the level would refuse in this pod; nothing for privileged."""
    return tuple(_broken(pod, level, minor)) if rank(level) else ()


def _broken(pod: Secured, level: str, minor: int) -> Iterator[Violation]:
    for check in checks(level, min(max(minor, OLDEST), NEWEST)):
        yield from check.look(pod, minor)


@cache
def checks(level: str, minor: int) -> tuple[Check, ...]:
    """The rows that hold at a level and version: restricted is baseline and more, some of it in a stricter form."""
    known = [check for check in CHECKS if check.since <= minor and (check.level == "baseline" or level == "restricted")]
    replaced = {check.instead_of for check in known}
    return tuple(check for check in known if check.id not in replaced)


SAFE_CAPABILITIES = frozenset(
    (
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
        "SETUID", "SYS_CHROOT",
    )
)  # fmt: skip
"""What baseline lets a container add: what a container runtime gives by default."""
_SYSCTLS: Mapping[str, int] = {
    name: since
    for since, names in {
        OLDEST: "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range "
        "net.ipv4.ip_unprivileged_port_start",
        27: "net.ipv4.ip_local_reserved_ports",
        29: "net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes",
        32: "net.ipv4.tcp_rmem net.ipv4.tcp_wmem",
        37: "net.ipv4.tcp_slow_start_after_idle net.ipv4.tcp_notsent_lowat",
    }.items()
    for name in names.split()
}
"""Safe sysctls, and the minor version since when they count as safe."""
_SELINUX_TYPES: Mapping[str, int] = {
    "": OLDEST,
    "container_t": OLDEST,
    "container_init_t": OLDEST,
    "container_kvm_t": OLDEST,
    "container_engine_t": 31,
}
_USER_NAMESPACES = 35
"""Since when a pod in a user namespace (hostUsers false) may run as root in it."""
CONFINED = frozenset(("RuntimeDefault", "Localhost"))
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_HANDLERS = ("httpGet", "tcpSocket")
_NOTHING = SecurityContext()


def _containers(pod: Secured) -> Iterator[Container]:
    return chain(pod.spec.init_containers, pod.spec.containers, pod.spec.ephemeral_containers)


def _contexts(pod: Secured) -> Iterator[tuple[str, SecurityContext]]:
    """The pod's own, and each container's; what is not set is left out."""
    if pod.spec.security_context is not None:
        yield "", pod.spec.security_context
    for container in _containers(pod):
        if container.security_context is not None:
            yield container.name, container.security_context


def _windows(pod: Secured) -> bool:
    return bool(pod.spec.os) and (pod.spec.os or {}).get("name") == "windows"


def _own_users(pod: Secured, minor: int) -> bool:
    return minor >= _USER_NAMESPACES and pod.spec.host_users is False


def _host_namespaces(pod: Secured, _: int) -> Iterator[Violation]:
    spec = pod.spec
    for wanted, name in ((spec.host_network, "hostNetwork"), (spec.host_pid, "hostPID"), (spec.host_ipc, "hostIPC")):
        if wanted:
            yield Violation("hostNamespaces", "", f"sets {name}")


def _host_paths(pod: Secured, _: int) -> Iterator[Violation]:
    for volume in pod.spec.volumes:
        if volume.host_path is not None:
            yield Violation("hostPathVolumes", "", f"volume {volume.name} is a directory of the node")


def _host_ports(pod: Secured, _: int) -> Iterator[Violation]:
    for container in _containers(pod):
        for port in container.ports:
            if port.host_port:
                yield Violation("hostPorts", container.name, f"takes port {port.host_port} of the node")


def _host_processes(pod: Secured, _: int) -> Iterator[Violation]:
    for where, context in _contexts(pod):
        if context.windows_options is not None and context.windows_options.get("hostProcess") is True:
            yield Violation("windowsHostProcess", where, "is a process of its Windows node")


def _privileged(pod: Secured, _: int) -> Iterator[Violation]:
    for container in _containers(pod):
        if container.security_context is not None and container.security_context.privileged:
            yield Violation("privileged", container.name, "is privileged")


def _app_armor(pod: Secured, _: int) -> Iterator[Violation]:
    for where, context in _contexts(pod):
        if context.app_armor_profile is not None and context.app_armor_profile.type not in CONFINED:
            yield Violation("appArmorProfile", where, f"has AppArmor profile {context.app_armor_profile.type}")
    for key, value in pod.metadata.annotations.items():
        if key.startswith(APPARMOR) and unconfined(value):
            yield Violation("appArmorProfile", key.removeprefix(APPARMOR), f"has AppArmor profile {value}")


def unconfined(value: str) -> bool:
    """Of an AppArmor annotation: an empty one says nothing."""
    return bool(value) and value != "runtime/default" and not value.startswith("localhost/")


def _se_linux(pod: Secured, minor: int) -> Iterator[Violation]:
    for where, context in _contexts(pod):
        options = context.se_linux_options
        if options is None:
            continue
        if _SELINUX_TYPES.get(options.get("type", ""), NEWEST + 1) > minor:
            yield Violation("seLinuxOptions", where, f"has SELinux type {options['type']}")
        for name in ("user", "role"):
            if options.get(name):
                yield Violation("seLinuxOptions", where, f"sets an SELinux {name}")


def _seccomp(pod: Secured, _: int) -> Iterator[Violation]:
    for where, context in _contexts(pod):
        if context.seccomp_profile is not None and context.seccomp_profile.type not in CONFINED:
            yield Violation("seccompProfile_baseline", where, f"has seccomp profile {context.seccomp_profile.type}")


def _sysctls(pod: Secured, minor: int) -> Iterator[Violation]:
    for sysctl in (pod.spec.security_context or _NOTHING).sysctls:
        if _SYSCTLS.get(str(sysctl.get("name")), NEWEST + 1) > minor:
            yield Violation("sysctls", "", f"sets {sysctl.get('name')}")


def _capabilities(pod: Secured, _: int) -> Iterator[Violation]:
    for container in _containers(pod):
        capabilities = container.security_context.capabilities if container.security_context is not None else None
        if capabilities is not None and not SAFE_CAPABILITIES.issuperset(capabilities.add):
            extra = ", ".join(sorted(set(capabilities.add) - SAFE_CAPABILITIES))
            yield Violation("capabilities_baseline", container.name, f"adds {extra}")


def _proc_mount(pod: Secured, minor: int) -> Iterator[Violation]:
    if not _own_users(pod, minor):
        yield from _any_proc_mount(pod, "procMount")


def _proc_mount_always(pod: Secured, _: int) -> Iterator[Violation]:
    yield from _any_proc_mount(pod, "procMount_restricted")


def _any_proc_mount(pod: Secured, check: str) -> Iterator[Violation]:
    for container in _containers(pod):
        mount = container.security_context.proc_mount if container.security_context is not None else ""
        if mount and mount != "Default":
            yield Violation(check, container.name, f"has procMount {mount}")


def _hosts(pod: Secured, _: int) -> Iterator[Violation]:
    for container in _containers(pod):
        lifecycle = container.lifecycle or {}
        probes = (container.liveness_probe, container.readiness_probe, container.startup_probe)
        asked = (*probes, lifecycle.get("postStart"), lifecycle.get("preStop"))
        for place in asked:
            if place is not None and (host := _host_of(place)):
                yield Violation("hostProbesAndHostLifecycle", container.name, f"has a probe or hook that names host {host}")


def _host_of(place: Any) -> str:
    for kind in _HANDLERS:
        handler = place.get(kind) if isinstance(place, dict) else None
        if isinstance(handler, dict) and handler.get("host"):
            return str(handler["host"])
    return ""


def _volumes(pod: Secured, _: int) -> Iterator[Violation]:
    for volume in pod.spec.volumes:
        if not _harmless(volume):
            yield Violation("restrictedVolumes", "", f"volume {volume.name} is of a sort that restricted does not allow")


def _harmless(volume: Volume) -> bool:
    return (
        volume.config_map is not None
        or volume.secret is not None
        or volume.projected is not None
        or volume.empty_dir is not None
        or volume.persistent_volume_claim is not None
        or volume.downward_api is not None
        or volume.csi is not None
        or volume.ephemeral is not None
        or volume.image is not None
    )


def _escalation(pod: Secured, _: int) -> Iterator[Violation]:
    for container in _containers(pod) if not _windows(pod) else ():
        if (container.security_context or _NOTHING).allow_privilege_escalation is not False:
            yield Violation("allowPrivilegeEscalation", container.name, "does not forbid it")


def _non_root(pod: Secured, minor: int) -> Iterator[Violation]:
    if _own_users(pod, minor):
        return
    by_pod = (pod.spec.security_context or _NOTHING).run_as_non_root
    if by_pod is False:
        yield Violation("runAsNonRoot", "", "sets runAsNonRoot to false")
    for container in _containers(pod):
        own = (container.security_context or _NOTHING).run_as_non_root
        if own is False or (own is None and not by_pod):
            yield Violation("runAsNonRoot", container.name, "may run as root")


def _user(pod: Secured, minor: int) -> Iterator[Violation]:
    for where, context in _contexts(pod) if not _own_users(pod, minor) else ():
        if context.run_as_user == 0:
            yield Violation("runAsUser", where, "runs as user 0")


def _seccomp_set(pod: Secured, _: int) -> Iterator[Violation]:
    if _windows(pod):
        return
    by_pod = (pod.spec.security_context or _NOTHING).seccomp_profile
    if by_pod is not None and by_pod.type not in CONFINED:
        yield Violation("seccompProfile_restricted", "", f"has seccomp profile {by_pod.type}")
    for container in _containers(pod):
        own = (container.security_context or _NOTHING).seccomp_profile
        if own is not None and own.type not in CONFINED:
            yield Violation("seccompProfile_restricted", container.name, f"has seccomp profile {own.type}")
        elif own is None and (by_pod is None or by_pod.type not in CONFINED):
            yield Violation("seccompProfile_restricted", container.name, "has no seccomp profile")


def _dropped(pod: Secured, _: int) -> Iterator[Violation]:
    for container in _containers(pod) if not _windows(pod) else ():
        capabilities = (container.security_context or _NOTHING).capabilities
        if capabilities is None or "ALL" not in capabilities.drop:
            yield Violation("capabilities_restricted", container.name, "does not drop ALL")
        if capabilities is not None and (extra := sorted(set(capabilities.add) - {"NET_BIND_SERVICE"})):
            yield Violation("capabilities_restricted", container.name, f"adds {', '.join(extra)}")


CHECKS: tuple[Check, ...] = (
    Check("appArmorProfile", "baseline", _app_armor),
    Check("capabilities_baseline", "baseline", _capabilities),
    Check("hostNamespaces", "baseline", _host_namespaces),
    Check("hostPathVolumes", "baseline", _host_paths),
    Check("hostPorts", "baseline", _host_ports),
    Check("hostProbesAndHostLifecycle", "baseline", _hosts, since=34),
    Check("privileged", "baseline", _privileged),
    Check("procMount", "baseline", _proc_mount),
    Check("seLinuxOptions", "baseline", _se_linux),
    Check("seccompProfile_baseline", "baseline", _seccomp),
    Check("sysctls", "baseline", _sysctls),
    Check("windowsHostProcess", "baseline", _host_processes),
    Check("allowPrivilegeEscalation", "restricted", _escalation),
    Check("capabilities_restricted", "restricted", _dropped, instead_of="capabilities_baseline"),
    Check("procMount_restricted", "restricted", _proc_mount_always, since=35, instead_of="procMount"),
    Check("restrictedVolumes", "restricted", _volumes, instead_of="hostPathVolumes"),
    Check("runAsNonRoot", "restricted", _non_root),
    Check("runAsUser", "restricted", _user),
    Check("seccompProfile_restricted", "restricted", _seccomp_set, instead_of="seccompProfile_baseline"),
)
"""The standards, in the order of their ids, baseline first."""
