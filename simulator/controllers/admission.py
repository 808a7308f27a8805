"""What the pod security admission refuses, in its own words. `admitting` asks before a controller's pod is stored.

The checks are those of k8s.io/pod-security-admission/policy that a namespace label switches on, without AppArmor, SELinux and Windows.
"""

from collections.abc import Iterator
from typing import Any

from simulator.controllers.cluster import Json

ENFORCE = "pod-security.kubernetes.io/enforce"
_HOST = ("hostNetwork", "hostPID", "hostIPC")
_SAFE_CAPABILITIES = frozenset(
    {
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
        *("NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    }
)
_SAFE_VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"}
)
_CONFINED = ("RuntimeDefault", "Localhost")


def refusal(namespace: Json | None, pod: Json) -> str:
    """Why a namespace's enforced level keeps the pod out; empty when it does not."""
    level = (namespace or {}).get("metadata", {}).get("labels", {}).get(ENFORCE, "privileged")
    found = list(violations(level, pod["spec"]))
    return f'violates PodSecurity "{level}:latest": {", ".join(found)}' if found else ""


def violations(level: str, spec: Json) -> Iterator[str]:
    """What in a pod's spec is below a level (privileged, baseline, restricted)."""
    if level in ("baseline", "restricted"):
        yield from _baseline(spec)
    if level == "restricted":
        yield from _restricted(spec)


def _containers(spec: Json) -> list[Json]:
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def _context(container: Json) -> Json:
    found: Json = container.get("securityContext") or {}
    return found


def _named(containers: list[str]) -> str:
    quoted = ", ".join(f'"{name}"' for name in containers)
    return f"container{'s' if len(containers) > 1 else ''} {quoted}"


def _baseline(spec: Json) -> Iterator[str]:
    shared = [f"{key}=true" for key in _HOST if spec.get(key)]
    if shared:
        yield f"host namespaces ({', '.join(shared)})"
    privileged = [each["name"] for each in _containers(spec) if _context(each).get("privileged")]
    if privileged:
        yield f"privileged ({_named(privileged)} must not set securityContext.privileged=true)"
    for container in _containers(spec):
        added = set(_added(container)) - _SAFE_CAPABILITIES
        if added:
            who = _named([container["name"]])
            yield f"non-default capabilities ({who} must not include {_listed(added)} in securityContext.capabilities.add)"
    paths = [each["name"] for each in spec.get("volumes") or () if "hostPath" in each]
    if paths:
        yield f"hostPath volumes ({', '.join(paths)})"
    ports = [str(port["hostPort"]) for each in _containers(spec) for port in each.get("ports") or () if port.get("hostPort")]
    if ports:
        yield f"hostPort ({', '.join(ports)})"
    if any(_seccomp(each) == "Unconfined" for each in ({"securityContext": spec.get("securityContext")}, *_containers(spec))):
        yield "seccompProfile (must not be Unconfined)"


def _added(container: Json) -> list[str]:
    return list((_context(container).get("capabilities") or {}).get("add") or ())


def _listed(values: set[str]) -> str:
    return ", ".join(f'"{value}"' for value in sorted(values))


def _seccomp(holder: Json) -> Any:
    return (_context(holder).get("seccompProfile") or {}).get("type")


def _restricted(spec: Json) -> Iterator[str]:
    escalating = [each["name"] for each in _containers(spec) if _context(each).get("allowPrivilegeEscalation") is not False]
    if escalating:
        yield f"allowPrivilegeEscalation != false ({_named(escalating)} must set securityContext.allowPrivilegeEscalation=false)"
    kept = [each["name"] for each in _containers(spec) if not _drops_all(each)]
    if kept:
        yield f'unrestricted capabilities ({_named(kept)} must set securityContext.capabilities.drop=["ALL"])'
    odd = [each["name"] for each in spec.get("volumes") or () if not _SAFE_VOLUMES & each.keys()]
    if odd:
        yield f"restricted volume types ({', '.join(odd)})"
    pod = spec.get("securityContext") or {}
    root = [each["name"] for each in _containers(spec) if _context(each).get("runAsNonRoot", pod.get("runAsNonRoot")) is not True]
    if root:
        yield f"runAsNonRoot != true (pod or {_named(root)} must set securityContext.runAsNonRoot=true)"
    if any(holder.get("runAsUser") == 0 for holder in (pod, *map(_context, _containers(spec)))):
        yield "runAsUser=0 (must not set runAsUser=0)"
    open_ = [each["name"] for each in _containers(spec) if (_seccomp(each) or _seccomp({"securityContext": pod})) not in _CONFINED]
    if open_:
        yield f'seccompProfile (pod or {_named(open_)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'


def _drops_all(container: Json) -> bool:
    drops = (_context(container).get("capabilities") or {}).get("drop") or ()
    return "ALL" in drops and set(_added(container)) <= {"NET_BIND_SERVICE"}
