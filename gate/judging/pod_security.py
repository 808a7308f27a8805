"""Would a pod be admitted at a level of the Pod Security Standards? The judge's own check over running pods: warnings are no API object.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ (controls that read the pod spec; Windows fields are not used).
"""

from collections.abc import Iterator

from core.domain.values import Json, at_path

LEVELS = ("privileged", "baseline", "restricted")
_BASELINE_CAPABILITIES = frozenset(
    (
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    )
)
_RESTRICTED_VOLUMES = frozenset(
    ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret")
)
_SAFE_SYSCTLS = frozenset(
    (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
    )
)
_SELINUX_TYPES = frozenset(("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"))


def admitted(pod: Json, level: str) -> bool:
    """Whether the level takes the pod. An unknown level takes nothing."""
    if level in ("", "privileged"):
        return True
    if level not in LEVELS:
        return False
    spec = pod.get("spec") or {}
    return not any(_baseline(spec)) and (level == "baseline" or not any(_restricted(spec)))


def _containers(spec: Json) -> list[Json]:
    return [item for section in ("containers", "initContainers", "ephemeralContainers") for item in spec.get(section) or ()]


def _baseline(spec: Json) -> Iterator[bool]:
    """Each true one is a violation."""
    yield any(spec.get(field) for field in ("hostNetwork", "hostPID", "hostIPC"))
    yield any("hostPath" in volume for volume in spec.get("volumes") or ())
    yield any(item.get("name") not in _SAFE_SYSCTLS for item in at_path(spec, "securityContext.sysctls") or ())
    for context in (spec.get("securityContext") or {}, *(item.get("securityContext") or {} for item in _containers(spec))):
        yield bool(context.get("privileged"))
        yield not set(at_path(context, "capabilities.add") or ()) <= _BASELINE_CAPABILITIES
        yield context.get("procMount") not in (None, "Default")
        yield at_path(context, "seccompProfile.type") == "Unconfined" or at_path(context, "appArmorProfile.type") == "Unconfined"
        selinux = context.get("seLinuxOptions") or {}
        yield selinux.get("type", "") not in _SELINUX_TYPES or bool(selinux.get("user") or selinux.get("role"))
    yield any(port.get("hostPort") for item in _containers(spec) for port in item.get("ports") or ())


def _restricted(spec: Json) -> Iterator[bool]:
    pod = spec.get("securityContext") or {}
    yield any(not (set(volume) - {"name"}) <= _RESTRICTED_VOLUMES for volume in spec.get("volumes") or ())
    for item in _containers(spec):
        context = item.get("securityContext") or {}
        yield context.get("allowPrivilegeEscalation") is not False
        yield context.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True
        yield context.get("runAsUser", pod.get("runAsUser")) == 0
        yield (at_path(context, "seccompProfile.type") or at_path(pod, "seccompProfile.type")) not in ("RuntimeDefault", "Localhost")
        yield "ALL" not in (at_path(context, "capabilities.drop") or ())
        yield not set(at_path(context, "capabilities.add") or ()) <= {"NET_BIND_SERVICE"}
