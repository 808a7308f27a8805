"""What people must know, with who was told of it."""

from collections.abc import Sequence

from core.domain.alert import Alert
from interfaces.rendering.envelopes import Json, envelope, plain
from interfaces.rendering.tables import Column

COLUMNS = (
    Column("ALERT", "alertname"),
    Column("SEVERITY", "severity"),
    Column("SINCE", "startsAt"),
    Column("SUMMARY", "summary"),
    Column("TOLD", lambda item: ", ".join(item["told"]) or "nobody"),
    Column("DESCRIPTION", "description", wide=True),
    Column("KEY", "key", wide=True),
)


def listed(found: Sequence[tuple[Alert, tuple[str, ...]]]) -> Json:
    return envelope("AlertList", items=[_item(alert, told) for alert, told in found])


def _item(alert: Alert, told: Sequence[str]) -> Json:
    return {
        "alertname": alert.name,
        "severity": alert.severity,
        "grave": alert.grave,
        "startsAt": plain(alert.starts_at),
        "summary": alert.summary,
        "description": alert.description,
        "labels": dict(alert.labels),
        "told": list(told),
        "key": alert.key,
    }
