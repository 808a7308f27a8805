"""Pods of every shade between restricted and privileged, from a seed. Each setting is one that some check of the standards looks at."""

import random
from typing import Any

from core.domain.values import Json

CAPABILITIES = ("ALL", "CHOWN", "NET_BIND_SERVICE", "SYS_ADMIN", "NET_RAW", "KILL", "SETUID")
SYSCTLS = (
    "kernel.shm_rmid_forced", "net.ipv4.tcp_syncookies", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_rmem",     "net.ipv4.tcp_notsent_lowat", "net.ipv4.tcp_slow_start_after_idle", "net.core.somaxconn", "kernel.msgmax",
)  # fmt: skip
VOLUMES: tuple[Json, ...] = (
    {"emptyDir": {}},
    {"configMap": {"name": "a"}},
    {"secret": {"secretName": "a"}},
    {"projected": {"sources": [{"configMap": {"name": "a"}}]}},
    {"persistentVolumeClaim": {"claimName": "a"}},
    {"downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    {"csi": {"driver": "inline.example.com"}},
    {"ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}},
    {"image": {"reference": "registry.example/data:1"}},
    {"hostPath": {"path": "/var"}},
    {"nfs": {"server": "nfs.example", "path": "/"}},
    {"iscsi": {"targetPortal": "10.0.0.1:3260", "iqn": "iqn.2001-04.com.example:storage", "lun": 0}},
)


def pod(seed: int) -> Json:
    """Each seed has its own inclination to be careless: most settings are right in one pod and wrong in the next."""
    dice = random.Random(seed)
    careless = dice.choice((0.02, 0.08, 0.25, 0.6))
    if dice.random() < 0.08:
        return _windows(seed, dice, careless)
    own_users = dice.random() < 0.25
    spec: Json = {"containers": [_container("app", dice, careless, own_users)], "securityContext": _pod_context(dice, careless)}
    if dice.random() < 0.4:
        spec["initContainers"] = [_container("first", dice, careless, own_users)]
    if dice.random() < 0.5:
        sorts = dice.sample(VOLUMES[:9], k=2) if dice.random() > careless else dice.sample(VOLUMES, k=3)
        spec["volumes"] = [{"name": f"v{number}", **sort} for number, sort in enumerate(sorts)]
    if own_users:
        spec["hostUsers"] = False
    else:
        spec |= {name: True for name in ("hostNetwork", "hostPID", "hostIPC") if dice.random() < careless / 4}
    return _named(seed, spec, _annotations(dice, careless))


def _named(seed: int, spec: Json, annotations: dict[str, str]) -> Json:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"pod-{seed}", "annotations": annotations}, "spec": spec}


def _annotations(dice: random.Random, careless: float) -> dict[str, str]:
    if dice.random() >= careless / 2:
        return {}
    return {"container.apparmor.security.beta.kubernetes.io/app": dice.choice(("unconfined", "runtime/default", "localhost/mine"))}


def _maybe(dice: random.Random, context: dict[str, Any], careless: float, name: str, right: Any, *wrong: Any) -> None:
    """Right, wrong, or not said at all."""
    if dice.random() < careless:
        if (value := dice.choice((*wrong, None))) is not None:
            context[name] = value
    elif right is not None:
        context[name] = right


def _pod_context(dice: random.Random, careless: float) -> Json:
    context: Json = {}
    if dice.random() < 0.7:
        _maybe(dice, context, careless, "runAsNonRoot", True, False)
        _maybe(dice, context, careless, "seccompProfile", {"type": "RuntimeDefault"}, {"type": "Unconfined"})
    _maybe(dice, context, careless / 2, "runAsUser", dice.choice((None, 1000)), 0)
    _maybe(dice, context, careless / 2, "seLinuxOptions", None, *_se_linux())
    _maybe(dice, context, careless / 2, "appArmorProfile", None, {"type": "Unconfined"}, {"type": "RuntimeDefault"})
    if dice.random() < 0.3:
        names = dice.sample(SYSCTLS[:7] if dice.random() > careless else SYSCTLS, k=2)
        context["sysctls"] = [{"name": name, "value": "1"} for name in names]
    return context


def _se_linux() -> tuple[Json, ...]:
    kinds = ("container_t", "container_init_t", "container_engine_t", "spc_t")
    return (*({"type": kind} for kind in kinds), {"user": "system_u"}, {"role": "system_r"}, {"level": "s0:c1"})


def _container(name: str, dice: random.Random, careless: float, own_users: bool) -> Json:
    context: Json = {}
    _maybe(dice, context, careless, "allowPrivilegeEscalation", False, True)
    _maybe(dice, context, careless, "runAsNonRoot", dice.choice((None, True)), False)
    _maybe(dice, context, careless / 2, "runAsUser", dice.choice((None, 1000)), 0)
    _maybe(dice, context, careless, "seccompProfile", dice.choice((None, {"type": "RuntimeDefault"})), {"type": "Unconfined"})
    _maybe(dice, context, careless / 2, "appArmorProfile", None, {"type": "Unconfined"}, {"type": "Localhost", "localhostProfile": "a"})
    _maybe(dice, context, careless / 2, "seLinuxOptions", None, *_se_linux())
    capabilities: Json = {"drop": ["ALL"]}
    if dice.random() < careless:
        capabilities = {"drop": dice.sample(CAPABILITIES, k=1), "add": dice.sample(CAPABILITIES[1:], k=2)}
    elif dice.random() < 0.2:
        capabilities["add"] = ["NET_BIND_SERVICE"]
    if dice.random() > careless / 2:
        context["capabilities"] = capabilities
    if dice.random() < careless / 3 and context.get("allowPrivilegeEscalation") is not False:
        context["privileged"] = True
    if own_users and dice.random() < careless:
        context["procMount"] = dice.choice(("Unmasked", "Default"))
    found: Json = {"name": name, "image": "registry.example/app:1", "securityContext": context}
    if dice.random() < careless / 2:
        found["ports"] = [{"containerPort": 8080, "hostPort": dice.choice((0, 8080))}]
    host = {"host": "10.0.0.1"} if dice.random() < careless / 2 else {}
    probe = dice.choice(({"httpGet": {"port": 8080, "path": "/", **host}}, {"tcpSocket": {"port": 8080, **host}}))
    if dice.random() < 0.4 and name == "app":
        place = dice.choice(("livenessProbe", "readinessProbe", "startupProbe", "lifecycle"))
        found[place] = {dice.choice(("postStart", "preStop")): probe} if place == "lifecycle" else probe
    return found


def _windows(seed: int, dice: random.Random, careless: float) -> Json:
    """Linux settings are refused for them by the API server itself."""
    context: Json = {}
    _maybe(dice, context, careless, "runAsNonRoot", True, False)
    host = dice.random() < careless
    if host:
        context["windowsOptions"] = {"hostProcess": True, "runAsUserName": "NT AUTHORITY\\SYSTEM"}
    spec: Json = {"os": {"name": "windows"}, "containers": [{"name": "app", "image": "registry.example/app:1"}], "securityContext": context}
    return _named(seed, spec | ({"hostNetwork": True} if host else {}), {})
