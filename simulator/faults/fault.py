"""One fault as a value: how it is done, to whom, what its cause is, and who may mend it. The table is made of these."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from simulator.faults.ground import Ground, Home
from simulator.faults.writes import MERGE, STRATEGIC, Write, patch

Json = dict[str, Any]
Writes = tuple[Write, ...]


class Cause(NamedTuple):
    """The object that is at fault, and the labels by which a finding on it names the right cause."""

    kind: str
    namespace: str
    name: str
    codes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`befalls` are the workloads of the ground that it may hit; the seed chooses. Each of `cause` is an incident of its own.

    `mends` are the kinds of action that may mend it, by name; without any, a person must. `on_rig`: real controllers or the pod's own spec
    make both cause and cure. `heals`: it passes by itself, and nothing is left to find. `moves` are workloads besides the victim whose
    pods the fault itself touches.
    """

    id: str
    family: str
    befalls: tuple[str, ...]
    inject: Callable[[Ground, Home], Writes]
    cause: Callable[[Ground, Home], tuple[Cause, ...]]
    mends: tuple[str, ...] = ()
    on_rig: bool = False
    heals: bool = False
    wait_seconds: int = 1500
    moves: Callable[[Ground, Home], tuple[Home, ...]] = lambda _, home: (home,)

    def victim(self, ground: Ground) -> Home:
        """The same seed chooses the same one."""
        digest = sha256(f"{ground.seed}/{self.id}".encode()).digest()
        found: Home = getattr(ground, self.befalls[digest[0] % len(self.befalls)])
        return found


def blames(*codes: str) -> Callable[[Ground, Home], tuple[Cause, ...]]:
    """The workload itself is at fault."""
    return lambda _, home: (Cause(home.kind, home.namespace, home.name, codes),)


def accuses(kind: str, *codes: str, name: str = "", tail: str = "") -> Callable[[Ground, Home], tuple[Cause, ...]]:
    """Another object of the victim's namespace: called like the victim, with `tail`, or by a `name` of its own."""
    return lambda _, home: (Cause(kind, home.namespace, name or f"{home.name}{tail}", codes),)


def nobody(_: Ground, __: Home) -> tuple[Cause, ...]:
    return ()


def rollout(home: Home, *, pod: Json | None = None, after: float = 0, **container: Any) -> Write:
    """A change of the template, as `kubectl patch` would send it. `container` changes the only container, `pod` the rest of the spec."""
    changed = {**(pod or {}), **({"containers": [{"name": home.container, **container}]} if container else {})}
    body = {"spec": {"template": {"spec": changed}}}
    if home.kind == "CronJob":
        body = {"spec": {"jobTemplate": body}}
    return patch(home.kind, home.namespace, home.name, body, how=STRATEGIC, after=after)


def scaled(home: Home, replicas: int, *, after: float = 0) -> Write:
    return patch(home.kind, home.namespace, home.name, {"spec": {"replicas": replicas}}, sub="scale", how=MERGE, after=after)


def restarted(home: Home, *, after: float = 0) -> Write:
    """As `kubectl rollout restart`: every pod is made anew."""
    note = {"kubectl.kubernetes.io/restartedAt": "2026-11-23T12:30:00Z"}
    return patch(home.kind, home.namespace, home.name, {"spec": {"template": {"metadata": {"annotations": note}}}}, after=after)


def strict(**more: Any) -> Json:
    """A container's security context that every level admits."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    } | more


def bare_pod(image: str = "registry.example/tool:v1.0.0", name: str = "main", **container: Any) -> Json:
    """The spec of a pod that a careful person would write."""
    resources = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}
    seccomp = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "containers": [{"name": name, "image": image, "resources": resources, "securityContext": strict(), **container}],
        "automountServiceAccountToken": False,
        "securityContext": seccomp,
    }
