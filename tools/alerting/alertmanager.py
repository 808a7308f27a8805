"""Alertmanager's API v2 (https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml), as Prometheus itself speaks it.

An alert that stands is sent again and again with an `endsAt` a little ahead, so that it ends by itself when we are gone for good; one that
is over is sent with the time at which it was found to be. Each Alertmanager of a cluster is told: they part the work among themselves.
"""

import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from core.domain.alert import Alert
from core.domain.errors import Unavailable
from core.domain.values import bounded

TIMEOUT_SECONDS = 5.0
POST, STATUS = "/api/v2/alerts", "/api/v2/status"
AT_LEAST = timedelta(minutes=4)
"""As Prometheus: an alert outlives three missed repetitions, and a restart of ours."""
MEND = "look at alerts.alertmanager and the Alertmanager there: day2 doctor"


class Alertmanagers:
    """One channel over all of them: it has heard when one has."""

    name = "alertmanager"
    only_grave = False

    def __init__(
        self, urls: Sequence[str], *, ca_file: Path | None = None, token_file: Path | None = None, again_seconds: float = 60
    ) -> None:
        self.again_seconds = again_seconds
        self._token_file = token_file
        verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=str(ca_file)) if ca_file else True
        self._clients = [_client(url.rstrip("/"), verify) for url in urls]

    async def tell(self, standing: Sequence[Alert], over: Sequence[Alert], at: datetime) -> None:
        until = at + max(timedelta(seconds=4 * self.again_seconds), AT_LEAST)
        body = [*(posted(alert, until) for alert in standing), *(posted(alert, at) for alert in over)]
        failures = [failure for client in self._clients if (failure := await self._post(client, body))]
        if len(failures) == len(self._clients):
            raise Unavailable("Alertmanager", 5.0, reason="; ".join(failures)[:200], mend=MEND)

    async def _post(self, client: httpx.AsyncClient, body: list[dict[str, Any]]) -> str:
        """Empty, or why it was not taken."""
        try:
            answer = await client.post(POST, json=body, headers=self._headers())
        except (httpx.HTTPError, OSError) as error:
            return type(error).__name__
        return "" if answer.is_success else f"HTTP {answer.status_code}"

    async def reachable(self) -> list[str]:
        """One sentence for each that does not answer, by its place in the settings: an address may hold what is nobody's business."""
        found = []
        for number, client in enumerate(self._clients, 1):
            try:
                answer = await client.get(STATUS, headers=self._headers())
            except (httpx.HTTPError, OSError) as error:
                found.append(f"Alertmanager {number} does not answer: {type(error).__name__}")
                continue
            if not answer.is_success:
                found.append(f"Alertmanager {number} answers HTTP {answer.status_code}")
        return found

    def _headers(self) -> dict[str, str]:
        """Read at each call: such files are rotated."""
        token = self._token_file.read_text(encoding="ascii").strip() if self._token_file else ""
        return {"Authorization": f"Bearer {token}"} if token else {}

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


def _client(url: str, verify: ssl.SSLContext | bool) -> httpx.AsyncClient:
    """Redirects are not followed; loopback takes no proxy."""
    loopback = httpx.URL(url).host in ("localhost", "127.0.0.1", "::1")
    return httpx.AsyncClient(base_url=url, verify=verify, timeout=TIMEOUT_SECONDS, trust_env=not loopback)


def posted(alert: Alert, ends_at: datetime) -> dict[str, Any]:
    """A PostableAlert. Labels are what it is deduplicated by, so nothing that changes is among them."""
    labels = {**alert.labels, "alertname": alert.name, "severity": alert.severity, "source": "day2ops"}
    annotations = {"summary": alert.summary, "description": alert.description}
    return {
        "labels": {name: bounded(value, 200) for name, value in labels.items() if value},
        "annotations": {name: value for name, value in annotations.items() if value},
        "startsAt": _stamp(min(alert.starts_at, ends_at)),
        "endsAt": _stamp(ends_at),
    }


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
