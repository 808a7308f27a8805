"""The part of Alertmanager's API v2 that a client tells: alerts in, alerts and status out, in the cluster's virtual time.

Mounted under /alertmanager. It groups, routes and notifies nobody; what it holds is what the platform team would see.
Reference: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

import json
import re
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.clock import VirtualClock, stamp

Json = dict[str, Any]
RESOLVE_TIMEOUT = timedelta(minutes=5)
"""After which an alert without an end is over."""
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class InvalidAlertError(ValueError):
    """What Alertmanager answers 400 for."""


class Alertmanager:
    """Alerts by their labels; the same labels are the same alert."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._kept: dict[str, Json] = {}

    def app(self) -> Starlette:
        alerts = Route("/api/v2/alerts", self._alerts, methods=["GET", "POST"])
        return Starlette(routes=[alerts, Route("/api/v2/status", self._status), Route("/-/ready", self._ready)])

    def take(self, told: Json) -> None:
        """Raises InvalidAlertError."""
        labels = {name: value for name, value in _texts(told.get("labels")).items() if value}
        if not labels:
            raise InvalidAlertError("at least one label pair required")
        if wrong := [name for name in labels if not _LABEL_NAME.fullmatch(name)]:
            raise InvalidAlertError(f"invalid label set: invalid name {wrong[0]!r}")
        now = self._clock.now()
        starts, ends = _time(told.get("startsAt")) or now, _time(told.get("endsAt")) or now + RESOLVE_TIMEOUT
        if starts > ends:
            raise InvalidAlertError("start time must be before end time")
        key = sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]
        self._kept[key] = {
            "annotations": _texts(told.get("annotations")),
            "labels": labels,
            "startsAt": stamp(starts),
            "endsAt": stamp(ends),
            "updatedAt": stamp(now),
            "fingerprint": key,
            "receivers": [{"name": "platform-team"}],
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        }

    def active(self) -> list[Json]:
        """What stands now, in the order of its labels."""
        now = self._clock.now()
        standing = [alert for alert in self._kept.values() if (_time(alert["endsAt"]) or now) > now]
        return sorted(standing, key=lambda alert: sorted(alert["labels"].items()))

    async def _alerts(self, request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(self.active())
        try:
            told = json.loads(await request.body())
            if not isinstance(told, list) or not all(isinstance(alert, dict) for alert in told):
                raise InvalidAlertError("an array of alerts is wanted")
            for alert in told:
                self.take(alert)
        except ValueError as error:
            return JSONResponse(str(error), 400)
        return Response(status_code=200)

    async def _status(self, _: Request) -> Response:
        return JSONResponse({"cluster": {"status": "disabled"}, "versionInfo": {"version": "0.31.0"}, "config": {"original": ""}})

    async def _ready(self, _: Request) -> Response:
        return Response("OK")


def _texts(told: Any) -> dict[str, str]:
    if not isinstance(told or {}, dict) or not all(isinstance(value, str) for value in (told or {}).values()):
        raise InvalidAlertError("labels and annotations are texts by name")
    return dict(told or {})


def _time(text: Any) -> datetime | None:
    """RFC 3339, or nothing for what was not given. Raises ValueError."""
    found = datetime.fromisoformat(text) if text else None
    if found is not None and found.tzinfo is None:
        raise InvalidAlertError("a time needs its zone")
    return found
