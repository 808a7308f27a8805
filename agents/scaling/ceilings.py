"""SCA-102: an autoscaler that stands at its highest bound while the load asks for more. Called by the table of this agent."""

from collections.abc import Iterator
from typing import Any

from agents.desk import Desk
from agents.reporting import found, seen
from agents.workloads import SYSTEM_NAMESPACES
from core.cluster.objects import Autoscaler
from core.domain.finding import Finding, Severity

CODE = "SCA-102"
TOLERANCE_PERCENT = 110  # of the target; the HPA itself does not act within a tenth


def detect(desk: Desk) -> Iterator[Finding]:
    for autoscaler in sorted(desk.snapshot.of("HorizontalPodAutoscaler"), key=lambda item: (item.metadata.namespace, item.metadata.name)):
        if autoscaler.metadata.namespace not in SYSTEM_NAMESPACES and (excess := excess_percent(autoscaler)):
            yield _finding(desk, autoscaler, excess)


def excess_percent(autoscaler: Autoscaler) -> int:
    """The load in percent of the target while at the highest bound; 0 where that is not so."""
    spec, status = autoscaler.spec, autoscaler.status
    if spec.max_replicas < 1 or status.current_replicas < spec.max_replicas or not is_limited(autoscaler):
        return 0
    ratios = [ratio for metric in spec.metrics for current in status.current_metrics or () if (ratio := _ratio(metric, current))]
    highest = max(ratios, default=0)
    return highest if highest >= TOLERANCE_PERCENT else 0


def is_limited(autoscaler: Autoscaler) -> bool:
    return any(
        condition.type == "ScalingLimited" and condition.status == "True" and condition.reason == "TooManyReplicas"
        for condition in autoscaler.status.conditions
    )


def needed(autoscaler: Autoscaler, excess: int) -> int:
    """Replicas at which the load is back at the target."""
    return -(-autoscaler.status.current_replicas * excess // 100)


def _ratio(metric: dict[str, Any], current: dict[str, Any]) -> int:
    """Current over wanted utilisation in percent, for one resource metric; 0 where they are not of the same resource."""
    wanted, shown = metric.get("resource"), current.get("resource")
    if not isinstance(wanted, dict) or not isinstance(shown, dict) or wanted.get("name") != shown.get("name"):
        return 0
    target, value = _percent(wanted.get("target")), _percent(shown.get("current"))
    return value * 100 // target if target else 0


def _percent(part: object) -> int:
    value = part.get("averageUtilization") if isinstance(part, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _finding(desk: Desk, autoscaler: Autoscaler, excess: int) -> Finding:
    spec, status = autoscaler.spec, autoscaler.status
    name = spec.scale_target_ref.name
    return found(
        desk,
        CODE,
        Severity.HIGH,
        desk.snapshot.target("HorizontalPodAutoscaler", autoscaler),
        f"{name} stands at its bound of {spec.max_replicas} replicas with {excess} % of its target load",
        f"The load asks for {needed(autoscaler, excess)} replicas; until the bound moves, every pod carries too much.",
        seen(
            desk,
            "HorizontalPodAutoscaler",
            autoscaler,
            "status.currentReplicas",
            f"{status.current_replicas} of at most {spec.max_replicas}",
        ),
        seen(desk, "HorizontalPodAutoscaler", autoscaler, "status.currentMetrics", f"{excess} % of the target"),
        seen(desk, "HorizontalPodAutoscaler", autoscaler, "status.conditions[ScalingLimited]", "True: TooManyReplicas"),
    )
