"""How a change of a workload's template is rolled out: how many pods may be missing meanwhile, and how many stand beside the old ones.

As the controllers have it: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
"""

import math
from typing import Any

from core.domain.values import Json, at_path
from gate import workloads
from gate.judging import amounts

_STRATEGY = {"Deployment": "strategy", "StatefulSet": "updateStrategy", "DaemonSet": "updateStrategy"}


def steps(before: Json, after: Json | None) -> tuple[int, int]:
    """Pods that may be missing, and pods that come on top, growth among them. Where some may be missing the old ones make room."""
    count, new = amounts.replicas(before) or 0, amounts.replicas(after or {}) or 0
    grown = max(0, new - count)
    if after is None or before.get("kind") not in _STRATEGY or workloads.template(before) == workloads.template(after):
        return 0, grown
    strategy = at_path(before, f"spec.{_STRATEGY[before['kind']]}") or {}
    if strategy.get("type") == "Recreate":
        return count, grown
    rolling = strategy.get("rollingUpdate") or {}
    lone = before["kind"] != "Deployment"
    missing = _share(rolling.get("maxUnavailable", 1 if lone else "25%"), count, math.floor)
    surge = _share(rolling.get("maxSurge", 0 if lone else "25%"), count, math.ceil)
    missing = missing if missing or surge else 1
    return min(missing, count), grown + (0 if missing else surge)


def _share(value: Any, count: int, rounded: Any) -> int:
    """A number, or a percentage of `count`."""
    return int(rounded(count * int(value.rstrip("%")) / 100)) if isinstance(value, str) else int(value)
