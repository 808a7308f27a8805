"""The webhook of Alertmanager, payload version 4, as alerts of ours: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config

Fields that we do not know are left alone; texts are redacted, cut and kept as data. Labels say where it hurts.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from core.domain.incidents import Handed, Place
from core.domain.values import bounded, digest
from core.policy.redaction import redact_data
from runtime.services.offering import Wanted

MOST_ALERTS = 10_000
MOST_LABELS = 64
LONGEST_NAME, LONGEST_VALUE, LONGEST_SUMMARY, LONGEST_TEXT = 120, 253, 400, 2000
LONGEST_READ = 600
"""Of a label's name or value: more is not looked at, and not remembered."""
AHEAD, BEHIND = timedelta(minutes=5), timedelta(days=30)
"""How far a sender's clock is believed."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Go's zero time is of the year 1: an alert that fires ends then."""


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs its zone")
    return NEVER if value.year < NEVER.year else value if value.year > 9000 else value.astimezone(UTC)


When = Annotated[datetime, AfterValidator(_aware)]


class Lenient(Wanted):
    """Fields that a later Alertmanager adds are no mistake."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Alert(Lenient):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: When = Field(alias="startsAt")
    ends_at: When = Field(default=NEVER, alias="endsAt")
    generator_url: str = Field(default="", alias="generatorURL")
    fingerprint: str = Field(min_length=1, max_length=64)


class Notification(Lenient):
    version: Literal["4"] = Field(description="of the payload; Alertmanager sends 4 since 2017")
    group_key: str = Field(alias="groupKey", min_length=1, description="of the group of alerts")
    truncated_alerts: int = Field(default=0, ge=0, le=10**9, alias="truncatedAlerts", description="alerts that max_alerts left out")
    receiver: str = ""
    alerts: tuple[Alert, ...] = Field(max_length=MOST_ALERTS)


def handed(told: Notification, now: datetime) -> list[Handed]:
    return [_one(told, alert, now) for alert in told.alerts]


def _one(told: Notification, alert: Alert, now: datetime) -> Handed:
    labels = _safe(alert.labels)
    starts = min(max(alert.starts_at, now - BEHIND), now + AHEAD)
    ends = min(max(alert.ends_at, starts), now + AHEAD) if alert.ends_at > NEVER else now
    fires = alert.status == "firing" and (alert.ends_at == NEVER or alert.ends_at > now)  # an end that is past is an end
    summary, description = (alert.annotations.get(name, "")[:LONGEST_TEXT] for name in ("summary", "description"))
    return Handed(
        key=digest([told.group_key, alert.fingerprint, alert.starts_at.isoformat()]),
        name=labels.get("alertname", "") or "unnamed",
        severity=_SEVERITIES.get(labels.get("severity", "").casefold(), "medium"),
        place=place_of(labels),
        starts_at=starts,
        ends_at=None if fires else ends,
        summary=_summary(summary or description),
        labels=labels,
        group=bounded(told.group_key, 200),
        truncated=told.truncated_alerts,
        until=min(alert.ends_at, now + BEHIND) if fires and alert.ends_at > NEVER else None,
    )


def _safe(labels: Mapping[str, str]) -> dict[str, str]:
    return dict(_safe_one(name[:LONGEST_READ], value[:LONGEST_READ]) for name, value in sorted(labels.items())[:MOST_LABELS])


@lru_cache(maxsize=8192)
def _safe_one(name: str, value: str) -> tuple[str, str]:
    """The same labels come again and again, on this alert and on others."""
    ((safe, clean),) = redact_data({bounded(name, LONGEST_NAME): bounded(value, LONGEST_VALUE)}).items()
    return safe, bounded(str(clean), LONGEST_VALUE)


@lru_cache(maxsize=1024)
def _summary(text: str) -> str:
    return bounded(str(redact_data(text)), LONGEST_SUMMARY)


_SEVERITIES = {
    **dict.fromkeys(("critical", "page", "emergency", "p0", "p1"), "critical"),
    **dict.fromkeys(("error", "high", "major", "p2"), "high"),
    **dict.fromkeys(("info", "none", "low", "debug", "p4", "p5"), "low"),
}
_HASH = "[bcdfghjklmnpqrstvwxz2456789]"
"""The letters that Kubernetes makes names of."""
_POD = re.compile(rf"-{_HASH}{{6,10}}-{_HASH}{{5}}$|-{_HASH}{{5}}$|-[0-9]{{1,4}}$")
_JOB = re.compile(r"-[0-9]{6,10}$")
_WORKLOADS = (
    "deployment",
    "statefulset",
    "daemonset",
    "cronjob",
    "job_name",
    "horizontalpodautoscaler",
    "workload",
    "pod",
    "service",
    "app",
)
_OF_NODES = ("node-exporter", "kubelet")


def place_of(labels: Mapping[str, str]) -> Place:
    """Where it hurts, as far as the labels say: a node, a workload in a namespace, a namespace, or nothing but the alert's name."""
    cluster = labels.get("cluster", "")
    namespace = labels.get("exported_namespace") or labels.get("namespace", "")
    node = labels.get("node") or labels.get("instance", "").rsplit(":", 1)[0]
    if node and (not namespace or labels.get("job") in _OF_NODES):
        return Place(cluster, "", f"node/{node}")
    if not namespace:
        return Place(cluster, "", f"alert/{labels.get('alertname', '')}")
    return Place(cluster, namespace, _workload(labels))


def _workload(labels: Mapping[str, str]) -> str:
    name, value = next(((name, labels[name]) for name in _WORKLOADS if labels.get(name)), ("", ""))
    if name == "pod":
        return _POD.sub("", value)
    return _JOB.sub("", value) if name == "job_name" else value
