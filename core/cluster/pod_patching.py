"""The smallest change of a pod or template that makes it pass a level of the Pod Security Standards. Used by the security agent.

A strategic merge patch for the template, by the field that each broken check names. What no setting mends, a volume that the pod mounts, is
left to a person and said. A patched pod may still not work: a program that needs what was taken away says so at its next start.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from core.cluster.objects import Container
from core.cluster.pod_security import APPARMOR, CONFINED, NEWEST, SAFE_CAPABILITIES, Secured, Violation, unconfined, violations
from core.domain.values import Json

_BY_HAND = frozenset(("hostPathVolumes", "restrictedVolumes"))
_DEFAULT: Json = {"type": "RuntimeDefault"}
_PROBES = (("livenessProbe", "liveness_probe"), ("readinessProbe", "readiness_probe"), ("startupProbe", "startup_probe"))
_KINDS = (("containers", "containers"), ("initContainers", "init_containers"), ("ephemeralContainers", "ephemeral_containers"))


class Patch(NamedTuple):
    """`body` is empty where there is nothing to set; `left` is what it does not mend."""

    body: Json
    left: tuple[Violation, ...]


def patch(pod: Secured, level: str, minor: int = NEWEST) -> Patch:
    """What to lay over this pod or template. A container is named by its name, so that the order of containers does not matter."""
    broken = violations(pod, level, minor)
    writing = _Writing(pod, minor)
    for violation in broken:
        if violation.check not in _BY_HAND:
            writing.mend(violation)
    return Patch(writing.body(), tuple(item for item in broken if item.check in _BY_HAND))


class _Writing:
    """The patch as it grows: settings of the pod, of its context, and of each container by name."""

    def __init__(self, pod: Secured, minor: int) -> None:
        self._pod, self._minor = pod, minor
        self._annotations: Json = {}
        self._spec: Json = {}
        self._context: Json = {}
        self._containers: dict[str, Json] = {}
        self._known: dict[str, Container] = {item.name: item for _, place in _KINDS for item in getattr(pod.spec, place)}

    def mend(self, violation: Violation) -> None:
        check, where = violation.check, violation.where
        match check:
            case "hostNamespaces":
                self._spec[violation.what.rpartition(" ")[2]] = None
            case "sysctls":
                self._context["sysctls"] = self._safe_sysctls()
            case "hostPorts":
                ports = self._known[where].ports
                self._of(where)["ports"] = [{"containerPort": port.container_port, "hostPort": None} for port in ports if port.host_port]
            case "hostProbesAndHostLifecycle":
                self._of(where).update(_without_hosts(self._known[where]))
            case "appArmorProfile":
                self._mend_app_armor(where)
            case "seLinuxOptions":
                name = next(word for word in ("type", "user", "role") if f"SELinux {word}" in violation.what)
                self._context_of(where).setdefault("seLinuxOptions", {})[name] = None
            case "seccompProfile_baseline" | "seccompProfile_restricted":
                self._mend_seccomp(where)
            case "capabilities_baseline" | "capabilities_restricted":
                self._mend_capabilities(check, where)
            case "runAsNonRoot":
                self._mend_root(where)
            case _:
                setting, value = _SETTINGS[check]
                self._context_of(where)[setting] = value

    def body(self) -> Json:
        spec = dict(self._spec)
        if self._context:
            spec["securityContext"] = self._context
        for wire, place in _KINDS:
            rows = [
                {"name": item.name, **self._containers[item.name]}
                for item in getattr(self._pod.spec, place)
                if item.name in self._containers
            ]
            if rows:
                spec[wire] = rows
        meta = {"metadata": {"annotations": self._annotations}} if self._annotations else {}
        return meta | ({"spec": spec} if spec else {})

    def _of(self, container: str) -> Json:
        return self._containers.setdefault(container, {})

    def _context_of(self, where: str) -> Json:
        """The security context in the patch, of a container or of the pod."""
        found: Json = self._of(where).setdefault("securityContext", {}) if where else self._context
        return found

    def _safe_sysctls(self) -> Any:
        """The list is replaced as a whole: those that break nothing stay."""
        context = self._pod.spec.security_context
        unsafe = {item.what for item in violations(self._pod, "baseline", self._minor) if item.check == "sysctls"}
        return [one for one in (context.sysctls if context else ()) if f"sets {one.get('name')}" not in unsafe] or None

    def _mend_app_armor(self, where: str) -> None:
        key = f"{APPARMOR}{where}"
        if where and unconfined(self._pod.metadata.annotations.get(key, "")):
            self._annotations[key] = None
        container = self._known.get(where)
        context = (container.security_context if container else None) if where else self._pod.spec.security_context
        if context is not None and context.app_armor_profile is not None and context.app_armor_profile.type not in CONFINED:
            self._context_of(where)["appArmorProfile"] = dict(_DEFAULT)

    def _mend_seccomp(self, where: str) -> None:
        """For the pod where no container says it: one line instead of one each."""
        own = self._known[where].security_context if where else None
        if where and own is not None and own.seccomp_profile is not None:
            self._context_of(where)["seccompProfile"] = dict(_DEFAULT)
        else:
            self._context["seccompProfile"] = dict(_DEFAULT)

    def _mend_root(self, where: str) -> None:
        own = self._known[where].security_context if where else None
        if where and own is not None and own.run_as_non_root is False:
            self._context_of(where)["runAsNonRoot"] = True
        else:
            self._context["runAsNonRoot"] = True

    def _mend_capabilities(self, check: str, where: str) -> None:
        context = self._known[where].security_context
        added: Iterable[str] = context.capabilities.add if context is not None and context.capabilities is not None else ()
        allowed = _kept(check, added)
        now: Json = {}
        if tuple(allowed) != tuple(added):
            now["add"] = allowed or None
        dropped = context.capabilities.drop if context is not None and context.capabilities is not None else ()
        if check == "capabilities_restricted" and "ALL" not in dropped:
            now["drop"] = ["ALL"]
        self._context_of(where)["capabilities"] = now


def _kept(check: str, added: Iterable[str]) -> list[str]:
    allowed = SAFE_CAPABILITIES if check == "capabilities_baseline" else frozenset(("NET_BIND_SERVICE",))
    return [name for name in added if name in allowed]


def _without_hosts(container: Container) -> Json:
    found: Json = {}
    for wire, place in _PROBES:
        if (probe := getattr(container, place)) is not None and (handlers := _handlers(probe)):
            found[wire] = handlers
    hooks = {name: handlers for name, hook in (container.lifecycle or {}).items() if (handlers := _handlers(hook))}
    return found | ({"lifecycle": hooks} if hooks else {})


def _handlers(place: Any) -> Json:
    named = ("httpGet", "tcpSocket")
    return {
        kind: {"host": None} for kind in named if isinstance(place, dict) and isinstance(place.get(kind), dict) and place[kind].get("host")
    }


_SETTINGS: dict[str, tuple[str, Any]] = {
    "privileged": ("privileged", None),
    "procMount": ("procMount", None),
    "procMount_restricted": ("procMount", None),
    "windowsHostProcess": ("windowsOptions", {"hostProcess": None}),
    "allowPrivilegeEscalation": ("allowPrivilegeEscalation", False),
    "runAsUser": ("runAsUser", None),
}
"""Checks that one setting mends: its name, and the value; None takes it away."""
