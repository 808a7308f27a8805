"""ResourceQuotas and LimitRanges: what a namespace has used, and what they refuse. Quotas count as the quota controller does.

Source of the words: k8s.io/apiserver/pkg/admission/plugin/resourcequota and kubernetes/plugin/pkg/admission/limitranger.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, Protocol

from core.cluster import quantities
from simulator.controllers import scheduling
from simulator.controllers.cluster import PODS, QUOTAS, Cluster, Json
from simulator.resources import Resource, resource
from simulator.store import Store

RANGES = resource("", "limitranges")
_COUNTED = ("pods", "count/pods")


def reconcile(cluster: Cluster) -> datetime | None:
    return cluster.each(cluster.all(QUOTAS), _report)


def _report(cluster: Cluster, quota: Json) -> None:
    hard = quota["spec"].get("hard") or {}
    used = _used(cluster, quota["metadata"]["namespace"])
    shown = {key: _text(key, used[key]) for key in hard if _is_of_pods(key)}
    cluster.set_status(QUOTAS, quota, {"hard": hard, "used": {**dict.fromkeys(hard, "0"), **shown}})


class Objects(Protocol):
    """Where limits look: a cluster as controllers see it, or a store."""

    @property
    def store(self) -> Store: ...
    def all(self, row: Resource) -> list[Json]: ...


class OfStore(NamedTuple):
    """A store, where there is no controller's cluster."""

    store: Store

    def all(self, row: Resource) -> list[Json]:
        return self.store.list(row)


def exceeded(cluster: Objects, pod: Json) -> str:
    """Why the namespace's quotas keep the pod out; empty when they do not."""
    namespace = pod["metadata"]["namespace"]
    quotas = [quota for quota in cluster.all(QUOTAS) if quota["metadata"]["namespace"] == namespace]
    if not quotas:
        return ""
    used, wanted = _used(cluster, namespace), _asked(pod)
    for quota in quotas:
        hard = {key: text for key, text in (quota["spec"].get("hard") or {}).items() if _is_of_pods(key)}
        silent = sorted(key for key in hard if key not in _COUNTED and key not in wanted)
        if silent:
            names = ",".join(each["name"] for each in pod["spec"]["containers"])
            return f"failed quota: {quota['metadata']['name']}: must specify {','.join(f'{key} for: {names}' for key in silent)}"
        over = sorted(key for key, text in hard.items() if used[key] + wanted[key] > _amount(key, text))
        if over:
            listed = {
                word: ",".join(f"{key}={_text(key, amounts[key])}" for key in over) for word, amounts in (("asked", wanted), ("used", used))
            }
            limited = ",".join(f"{key}={hard[key]}" for key in over)
            return f"exceeded quota: {quota['metadata']['name']}, requested: {listed['asked']}, used: {listed['used']}, limited: {limited}"
    return ""


def outside(cluster: Objects, pod: Json) -> str:
    """Why the namespace's limit ranges keep the pod out."""
    for found in cluster.all(RANGES):
        if found["metadata"]["namespace"] == pod["metadata"]["namespace"]:
            for limit in found["spec"].get("limits", ()):
                if limit["type"] == "Container":
                    for why in _beyond(limit, pod):
                        return why
    return ""


def _beyond(limit: Json, pod: Json) -> Iterator[str]:
    for container in pod["spec"]["containers"]:
        resources = container.get("resources", {})
        for key, text in (limit.get("max") or {}).items():
            asked = resources.get("limits", {}).get(key) or resources.get("requests", {}).get(key)
            which = "limit" if resources.get("limits", {}).get(key) else "request"
            if asked is not None and scheduling.amount(key, asked) > scheduling.amount(key, text):
                yield f"maximum {key} usage per Container is {text}, but {which} is {asked}"
        for key, text in (limit.get("min") or {}).items():
            asked = resources.get("requests", {}).get(key)
            if asked is not None and scheduling.amount(key, asked) < scheduling.amount(key, text):
                yield f"minimum {key} usage per Container is {text}, but request is {asked}"


# -- amounts ----------------------------------------------------------------------------------------------------------


def _is_of_pods(key: str) -> bool:
    """What pods use; objects by count are not kept here."""
    return key in (*_COUNTED, "cpu", "memory") or key.startswith(("requests.", "limits."))


def _used(cluster: Objects, namespace: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for pod in cluster.store.list(PODS, namespace):
        if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            total.update(_asked(pod))
    return total


def _asked(pod: Json) -> Counter[str]:
    total: Counter[str] = Counter(dict.fromkeys(_COUNTED, 1))
    for container in pod["spec"]["containers"]:
        for kind in ("requests", "limits"):
            for key, text in container.get("resources", {}).get(kind, {}).items():
                total[f"{kind}.{key}"] += scheduling.amount(key, str(text))
                if kind == "requests":
                    total[key] += scheduling.amount(key, str(text))
    return total


def _bare(key: str) -> str:
    return key.removeprefix("requests.").removeprefix("limits.")


def _amount(key: str, text: str) -> int:
    return scheduling.amount(_bare(key), str(text))


def _text(key: str, amount: int) -> str:
    shown = {"cpu": quantities.cpu_text, "memory": quantities.memory_text}.get(_bare(key), str)
    return shown(amount) if amount else "0"
