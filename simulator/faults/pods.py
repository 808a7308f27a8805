"""Faults in what a pod runs: image, command, variables, configuration, secrets, init containers, probes, memory."""

from typing import Any

from simulator.faults.fault import Fault, blames, restarted, rollout, strict
from simulator.faults.ground import Ground, Home
from simulator.faults.writes import Write, create, delete, made, patch

Json = dict[str, Any]
BACK = ("rollback_rollout",)
ANY = ("middle", "taker", "worker")
SETS = ("store",)


def _image(tag: str) -> Any:
    return lambda _, home: (rollout(home, image=f"{home.repository}:{tag}"),)


def _probe(kind: str, **more: Any) -> Json:
    base: Json = {"periodSeconds": 5, "failureThreshold": 3, "timeoutSeconds": 1}
    return {f"{kind}Probe": {**base, **more}}


def _http(path: str, port: int | str) -> Json:
    return {"httpGet": {"path": path, "port": port}}


def _init(command: list[str] | None = None, image: str = "registry.example/setup:v1.0.0") -> Any:
    resources = {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "32Mi"}}

    def inject(_: Ground, home: Home) -> tuple[Write, ...]:
        setup = {"name": "setup", "image": image, "resources": resources, "securityContext": strict()}
        return (rollout(home, pod={"initContainers": [{**setup, **({"command": command} if command else {})}]}),)

    return inject


def _variable(**source: Any) -> Any:
    return lambda _, home: (rollout(home, env=[{"name": "FEATURE", **source}]),)


def _volume(**source: Any) -> Any:
    mounts = [{"name": "extra", "mountPath": "/extra"}]
    return lambda _, home: (rollout(home, pod={"volumes": [{"name": "extra", **source}]}, volumeMounts=mounts),)


def _named(kind: str, **more: Any) -> Json:
    return {"valueFrom": {f"{kind}KeyRef": more}}


def _gone(kind: str, tail: str) -> Any:
    return lambda _, home: (delete(kind, home.namespace, f"{home.name}{tail}"), restarted(home, after=30))


def _other_key(_: Ground, home: Home) -> tuple[Write, ...]:
    secret = made("Secret", f"{home.name}-database", home.namespace, stringData={"address": "postgres://store"}, type="Opaque")
    return delete("Secret", home.namespace, f"{home.name}-database"), create(secret, after=1), restarted(home, after=30)


def _edited(_: Ground, home: Home) -> tuple[Write, ...]:
    return (patch("ConfigMap", home.namespace, f"{home.name}-config", {"data": {"LOG_LEVEL": "debug"}}),)


def _less_memory(_: Ground, home: Home) -> tuple[Write, ...]:
    small = {"requests": {"memory": "128Mi"}, "limits": {"memory": "128Mi"}}
    return (rollout(home, resources=small),)


def _nightly(_: Ground, home: Home) -> tuple[Write, ...]:
    return (rollout(home, command=["sh", "-c", "exit 3"]), patch("CronJob", home.namespace, home.name, _QUICK))


_QUICK = {"spec": {"jobTemplate": {"spec": {"backoffLimit": 0}}}}


FAULTS = (
    # images
    Fault(id="image-missing", family="image", befalls=ANY, inject=_image("missing"), cause=blames("REL-105"), mends=BACK, on_rig=True),
    Fault(id="image-crashes", family="image", befalls=ANY, inject=_image("crash"), cause=blames("REL-101"), mends=BACK, on_rig=True),
    Fault(
        id="image-name-invalid",
        family="image",
        befalls=ANY,
        inject=lambda _, home: (rollout(home, image=f"{home.repository}:v2:latest"),),
        cause=blames("REL-105"),
        mends=BACK,
    ),
    Fault(id="image-other-architecture", family="image", befalls=ANY, inject=_image("arm64"), cause=blames("REL-113"), mends=BACK),
    Fault(id="image-missing-of-a-set", family="image", befalls=SETS, inject=_image("missing"), cause=blames("REL-117"), on_rig=True),
    Fault(id="image-crashes-of-a-set", family="image", befalls=SETS, inject=_image("crash"), cause=blames("REL-108"), on_rig=True),
    Fault(id="image-missing-of-daemons", family="image", befalls=("agent",), inject=_image("missing"), cause=blames("REL-117")),
    Fault(id="image-never-ready", family="image", befalls=ANY, inject=_image("unready"), cause=blames("REL-133", "REL-103"), mends=BACK),
    # commands
    Fault(
        id="command-not-in-image",
        family="command",
        befalls=ANY,
        inject=lambda _, home: (rollout(home, command=["/opt/serve"]),),
        cause=blames("REL-112"),
        mends=BACK,
    ),
    Fault(
        id="command-not-on-path",
        family="command",
        befalls=ANY,
        inject=lambda _, home: (rollout(home, command=["servve", "--port=8080"]),),
        cause=blames("REL-112"),
        mends=BACK,
    ),
    Fault(
        id="command-fails",
        family="command",
        befalls=ANY,
        inject=lambda _, home: (rollout(home, command=["sh", "-c", "exit 2"]),),
        cause=blames("REL-101"),
        mends=BACK,
    ),
    Fault(
        id="command-ends",
        family="command",
        befalls=("worker",),
        inject=lambda _, home: (rollout(home, command=["/bin/true"]),),
        cause=blames("REL-144"),
        mends=BACK,
    ),
    Fault(
        id="command-sleeps",
        family="command",
        befalls=("middle", "taker"),
        inject=lambda _, home: (rollout(home, command=["sleep", "infinity"]),),
        cause=blames("REL-114"),
        mends=BACK,
    ),
    # variables, configuration, secrets
    Fault(
        id="variable-gone",
        family="env",
        befalls=("taker",),
        inject=lambda _, home: (rollout(home, env=[{"name": "DATABASE_URL", "$patch": "delete"}]),),
        cause=blames("REL-101"),
        mends=BACK,
    ),
    Fault(
        id="variable-of-missing-map",
        family="env",
        befalls=ANY,
        inject=_variable(**_named("configMap", name="features", key="on")),
        cause=blames("REL-110"),
        mends=BACK,
    ),
    Fault(
        id="variable-of-missing-key",
        family="env",
        befalls=("taker",),
        inject=lambda _, home: (
            rollout(home, env=[{"name": "FEATURE", **_named("configMap", name=f"{home.name}-config", key="FEATURES")}]),
        ),
        cause=blames("REL-110"),
        mends=BACK,
    ),
    Fault(
        id="variable-of-unknown-service",
        family="env",
        befalls=("front", "middle"),
        inject=lambda _, home: (rollout(home, env=[{"name": "SEARCH_URL", "value": f"http://serach.{home.namespace}.svc:80/"}]),),
        cause=blames("REL-147"),
        on_rig=True,
    ),
    Fault(
        id="secret-of-variable-missing",
        family="secret",
        befalls=ANY,
        inject=_variable(**_named("secret", name="api-token", key="token")),
        cause=blames("REL-110"),
        mends=BACK,
    ),
    Fault(id="secret-deleted", family="secret", befalls=("taker",), inject=_gone("Secret", "-database"), cause=blames("REL-110")),
    Fault(id="secret-key-renamed", family="secret", befalls=("taker",), inject=_other_key, cause=blames("REL-110")),
    Fault(
        id="secret-of-volume-missing",
        family="secret",
        befalls=ANY,
        inject=_volume(secret={"secretName": "tls"}),
        cause=blames("REL-121"),
        mends=BACK,
    ),
    Fault(id="config-deleted", family="config", befalls=("taker",), inject=_gone("ConfigMap", "-config"), cause=blames("REL-110")),
    Fault(
        id="config-of-volume-missing",
        family="config",
        befalls=ANY,
        inject=_volume(configMap={"name": "rules"}),
        cause=blames("REL-121"),
        mends=BACK,
    ),
    Fault(
        id="config-edited-under-running-pods",
        family="config",
        befalls=("taker",),
        inject=_edited,
        cause=blames("REL-106"),
        mends=("restart_rollout",),
        on_rig=True,
    ),
    # init containers
    Fault(id="init-crashes", family="init", befalls=ANY, inject=_init(["false"]), cause=blames("REL-101", "REL-109"), mends=BACK),
    Fault(id="init-hangs", family="init", befalls=ANY, inject=_init(["sleep", "infinity"]), cause=blames("REL-109"), mends=BACK),
    Fault(
        id="init-image-missing",
        family="init",
        befalls=ANY,
        inject=_init(image="registry.example/setup:missing"),
        cause=blames("REL-105"),
        mends=BACK,
    ),
    # probes
    Fault(
        id="readiness-path-wrong",
        family="probe",
        befalls=("middle", "taker"),
        inject=lambda _, home: (rollout(home, **_probe("readiness", **_http("/redy", "http"))),),
        cause=blames("REL-115", "REL-133"),
        mends=BACK,
    ),
    Fault(
        id="readiness-port-wrong",
        family="probe",
        befalls=("middle", "taker"),
        inject=lambda _, home: (rollout(home, **_probe("readiness", **_http("/ready", 9090))),),
        cause=blames("REL-115", "REL-133"),
        mends=BACK,
    ),
    Fault(
        id="probe-port-unnamed",
        family="probe",
        befalls=("middle", "taker"),
        inject=lambda _, home: (rollout(home, **_probe("readiness", **_http("/ready", "web"))),),
        cause=blames("REL-116"),
        mends=BACK,
    ),
    Fault(
        id="liveness-path-wrong",
        family="probe",
        befalls=ANY,
        inject=lambda _, home: (rollout(home, **_probe("liveness", **_http("/alive", "http"))),),
        cause=blames("REL-114"),
        mends=BACK,
    ),
    Fault(
        id="startup-probe-impatient",
        family="probe",
        befalls=ANY,
        inject=lambda _, home: (rollout(home, **_probe("startup", **_http("/started", "http"), failureThreshold=1, periodSeconds=2)),),
        cause=blames("REL-114"),
        mends=BACK,
    ),
    Fault(
        id="readiness-command-fails",
        family="probe",
        befalls=SETS,
        inject=lambda _, home: (rollout(home, readinessProbe={"httpGet": None, "exec": {"command": ["false"]}, "periodSeconds": 5}),),
        cause=blames("REL-103", "REL-136", "REL-115"),
    ),
    # memory
    Fault(
        id="memory-limit-too-small",
        family="resources",
        befalls=ANY,
        inject=_less_memory,
        cause=blames("REL-102"),
        mends=("set_requests", *BACK),
        on_rig=True,
    ),
    # jobs
    Fault(
        id="cron-job-fails",
        family="jobs",
        befalls=("nightly",),
        inject=_nightly,
        cause=blames("REL-141"),
        wait_seconds=2700,
    ),
)
