"""A Grafana dashboard for day2's own metrics, generated from their table, so that no panel asks for a series that nobody shows.

`deploy/chart/files/dashboard.json` is its text. A counter is shown by its increase, a histogram by its quantiles, a gauge as it is.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from core.domain.values import Json
from runtime.services.measuring import METRICS, Metric

WIDTH, HEIGHT, COLUMNS = 8, 7, 3
UID = "day2ops"
SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
QUANTILES = (0.5, 0.95)


class Row(NamedTuple):
    """A heading of the dashboard, with the metrics under it."""

    title: str
    metrics: tuple[str, ...]


ROWS: tuple[Row, ...] = (
    Row(
        "What a person must look at",
        (
            "day2_emergency_stop",
            "day2_guard_altered",
            "day2_audit_chain_broken",
            "day2_approvals_pending",
            "day2_approvals_oldest_seconds",
            "day2_alerts_standing",
            "day2_alert_failures",
            "day2_budget_interceptions_total",
            "day2_agent_lease_seconds_remaining",
        ),
    ),
    Row(
        "What was decided and done",
        (
            "day2_verdicts_total",
            "day2_actions_total",
            "day2_actions_open",
            "day2_rollbacks_total",
            "day2_approval_wait_seconds",
            "day2_verification_duration_seconds",
        ),
    ),
    Row(
        "What was seen, and what it is worth",
        (
            "day2_findings",
            "day2_checks_not_run",
            "day2_runs_total",
            "day2_runs_assessed_total",
            "day2_savings_per_month",
            "day2_llm_cost_usd_total",
        ),
    ),
    Row("The processes themselves", ("day2_audit_records_total", "day2_build_info")),
)
SINGLE = frozenset(
    {"day2_emergency_stop", "day2_guard_altered", "day2_audit_chain_broken", "day2_approvals_oldest_seconds", "day2_build_info"}
)
"""One number says it; a line over time would not say more."""


def document() -> Json:
    """For Grafana's import, or its sidecar. The data source is chosen in it."""
    return {
        "uid": UID,
        "title": "day2ops",
        "tags": ["day2ops"],
        "timezone": "utc",
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}]},
        "panels": _panels({metric.name: metric for metric in METRICS}),
    }


def _panels(known: Mapping[str, Metric]) -> list[Json]:
    found: list[Json] = []
    top = 0
    for row in ROWS:
        found.append(
            {"id": len(found) + 1, "type": "row", "title": row.title, "gridPos": {"x": 0, "y": top, "w": 24, "h": 1}, "panels": []}
        )
        top += 1
        for place, name in enumerate(row.metrics):
            at = {"x": place % COLUMNS * WIDTH, "y": top + place // COLUMNS * HEIGHT, "w": WIDTH, "h": HEIGHT}
            found.append({"id": len(found) + 1, "gridPos": at, **_panel(known[name])})
        top += -(-len(row.metrics) // COLUMNS) * HEIGHT
    return found


def _panel(metric: Metric) -> Json:
    return {
        "type": "stat" if metric.name in SINGLE else "timeseries",
        "title": metric.help.rstrip("."),
        "description": f"{metric.name}, shown by the {metric.by}",
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": unit(metric)}, "overrides": []},
        "targets": [{"refId": chr(ord("A") + place), **query} for place, query in enumerate(queries(metric))],
    }


def unit(metric: Metric) -> str:
    """As Grafana calls it."""
    if "usd" in metric.name or metric.name == "day2_savings_per_month":
        return "currencyUSD" if "usd" in metric.name else "none"
    return "s" if "seconds" in metric.name else "short"


def queries(metric: Metric) -> Sequence[Json]:
    """What Prometheus is asked. An increase within a quarter of an hour, because actions are rare and a rate per second says nothing."""
    legend = " ".join(f"{{{{{label}}}}}" for label in metric.labels) or metric.name
    if metric.type == "histogram":
        return [
            {"expr": f"histogram_quantile({part}, sum by (le) (increase({metric.name}_bucket[6h])))", "legendFormat": f"{part:.0%} within"}
            for part in QUANTILES
        ]
    by = f" by ({', '.join(metric.labels)})" if metric.labels else ""
    if metric.type == "counter":
        return [{"expr": f"sum{by} (increase({metric.name}[15m]))", "legendFormat": legend}]
    return [{"expr": f"max{by} ({metric.name})", "legendFormat": legend}]
