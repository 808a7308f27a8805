"""How a change of a workload's template is rolled out: how many pods may be missing meanwhile, and how many stand beside the old ones.

As the controllers have it: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
"""

import math
from typing import Any

from core.cluster.placing import Amounts
from core.domain.values import Json, at_path
from gate import workloads
from gate.judging import amounts

_STRATEGY = {"Deployment": "strategy", "StatefulSet": "updateStrategy", "DaemonSet": "updateStrategy"}


def steps(before: Json, after: Json | None) -> tuple[int, int]:
    """Pods that may be missing, and pods that come on top besides growth. Where some may be missing the old ones make room."""
    if after is None or before.get("kind") not in _STRATEGY or workloads.template(before) == workloads.template(after):
        return 0, 0
    missing, surge = _strategy(before)
    return missing, 0 if missing else surge


def whole(live: Json, *, rolling: bool | None) -> Amounts:
    """What all pods that the object asks for hold together, those on top among them while a rollout is under way: they grow with it."""
    beside = _strategy(live)[1] if rolling and live.get("kind") in _STRATEGY else 0
    return amounts.size(workloads.template(live)).times((amounts.replicas(live) or 0) + beside)


def _strategy(live: Json) -> tuple[int, int]:
    """Pods that may be missing, and that may stand on top."""
    count, strategy = amounts.replicas(live) or 0, at_path(live, f"spec.{_STRATEGY[live['kind']]}") or {}
    if strategy.get("type") == "Recreate":
        return count, 0
    rolling = strategy.get("rollingUpdate") or {}
    lone = live["kind"] != "Deployment"
    missing = _share(rolling.get("maxUnavailable", 1 if lone else "25%"), count, math.floor)
    surge = _share(rolling.get("maxSurge", 0 if lone else "25%"), count, math.ceil)
    return min(missing if missing or surge else 1, count), surge


def _share(value: Any, count: int, rounded: Any) -> int:
    """A number, or a percentage of `count`."""
    return int(rounded(count * int(value.rstrip("%")) / 100)) if isinstance(value, str) else int(value)
