"""Defaults of pods and of pod templates. Called by `defaults`.

A pod gets more than a template: requests from limits, priority, service account, the two tolerations that admission adds.
"""

from collections.abc import Callable
from typing import Any

from simulator.quantities import canonical

Json = dict[str, Any]
_POD_FIELDS: tuple[tuple[str, Any], ...] = (
    ("priority", 0),
    ("preemptionPolicy", "PreemptLowerPriority"),
    ("serviceAccountName", "default"),
)
_CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")
_LIFE_TOLERATIONS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def fill_pod(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    for container in _containers(spec):
        _requests_from_limits(container)
    fill_spec(spec)
    spec.setdefault("enableServiceLinks", True)


def admit_pod(obj: Json) -> None:
    """Priority, service account and tolerations as admission adds them, and the first status."""
    spec = obj["spec"]
    for field, value in _POD_FIELDS:
        spec.setdefault(field, value)
    spec["serviceAccount"] = spec["serviceAccountName"]
    _tolerate_short_absence(spec)
    status = obj.setdefault("status", {})
    status.setdefault("phase", "Pending")
    status.setdefault("qosClass", qos_class(spec))


def fill_spec(spec: Json) -> None:
    """Defaults of a pod spec, also inside a template."""
    for field, value in (
        ("restartPolicy", "Always"),
        ("terminationGracePeriodSeconds", 30),
        ("dnsPolicy", "ClusterFirst"),
        ("schedulerName", "default-scheduler"),
    ):
        spec.setdefault(field, value)
    if not spec.get("securityContext"):
        spec["securityContext"] = {}
    if "serviceAccountName" in spec:
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    for container in _containers(spec):
        _fill_container(container)
    for volume in spec.get("volumes") or ():
        _fill_volume(volume)


def qos_class(spec: Json) -> str:
    """Guaranteed, Burstable or BestEffort, by CPU and memory of all containers."""
    asked = False
    guaranteed = True
    for container in _containers(spec):
        resources = container.get("resources") or {}
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        for name in ("cpu", "memory"):
            asked = asked or name in requests or name in limits
            guaranteed = guaranteed and name in limits and requests.get(name, limits[name]) == limits[name]
    if not asked:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def quantity(amount: Any, spell: Callable[[str], str]) -> Any:
    """An amount in canonical spelling; what is no quantity stays as it is, for validation to refuse."""
    if isinstance(amount, bool) or not isinstance(amount, str | int | float):
        return amount
    try:
        return spell(str(amount))
    except ValueError:
        return amount


def _containers(spec: Json) -> list[Json]:
    listed = [each for field in _CONTAINER_LISTS for each in spec.get(field) or ()]
    return [each for each in listed if isinstance(each, dict)]


def _fill_container(container: Json) -> None:
    container.setdefault("imagePullPolicy", _pull_policy(str(container.get("image", ""))))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    resources = container.setdefault("resources", {})
    for side in ("requests", "limits"):
        for name, amount in (resources.get(side) or {}).items():
            resources[side][name] = quantity(amount, canonical)
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(container.get(probe), dict):
            _fill_probe(container[probe])
    for variable in container.get("env") or ():
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference:
            reference.setdefault("apiVersion", "v1")


def _pull_policy(image: str) -> str:
    last = image.rpartition("/")[2]
    tagged = "@" in last or (":" in last and not last.endswith(":latest"))
    return "IfNotPresent" if tagged else "Always"


def _fill_probe(probe: Json) -> None:
    for field, value in (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)):
        probe.setdefault(field, value)
    if isinstance(probe.get("httpGet"), dict):
        probe["httpGet"].setdefault("path", "/")
        probe["httpGet"].setdefault("scheme", "HTTP")


def _fill_volume(volume: Json) -> None:
    for kind in ("configMap", "secret", "projected", "downwardAPI"):
        if isinstance(volume.get(kind), dict):
            volume[kind].setdefault("defaultMode", 420)
    if isinstance(volume.get("hostPath"), dict):
        volume["hostPath"].setdefault("type", "")


def _requests_from_limits(container: Json) -> None:
    resources = container.get("resources") or {}
    limits = resources.get("limits") or {}
    missing = {name: amount for name, amount in limits.items() if name not in (resources.get("requests") or {})}
    if missing:
        resources["requests"] = {**(resources.get("requests") or {}), **missing}


def _tolerate_short_absence(spec: Json) -> None:
    tolerations = spec.get("tolerations") or []
    for key in _LIFE_TOLERATIONS:
        if not any(_tolerates(each, key) for each in tolerations):
            tolerations = [*tolerations, {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]
    spec["tolerations"] = tolerations


def _tolerates(toleration: Json, key: str) -> bool:
    return toleration.get("key") in (key, None) and toleration.get("effect") in ("NoExecute", None)
