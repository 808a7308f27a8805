"""Prometheus through prometheus-api-client: for agents, who ask for history.

The client is synchronous and has no default timeout and three silent retries of the query that just hurt the server; both are set here.
"""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from prometheus_api_client import PrometheusApiClientException, PrometheusConnect
from urllib3.util.retry import Retry

from core.cluster.queries import Query, Sample, Series
from core.domain.errors import InvalidInput, Unavailable
from tools.metrics import answers

TIMEOUT_SECONDS = 30


class PrometheusMetrics:
    """Queries run in a worker thread each; the caller bounds how many at once."""

    def __init__(self, url: str, *, ca_file: Path | None = None, token: str = "") -> None:
        host = urlsplit(url).hostname
        if urlsplit(url).scheme not in ("http", "https") or not host:
            raise InvalidInput(f"{url!r} is no address of a Prometheus", mend="set prometheus.url to something like http://prometheus:9090")
        session = requests.Session()
        session.trust_env = host not in ("localhost", "127.0.0.1", "::1")
        session.verify = str(ca_file) if ca_file else True
        self._session = session
        headers = {"Authorization": f"Bearer {token}"} if token else None
        self._client = PrometheusConnect(
            url=url.rstrip("/"), headers=headers, session=session, timeout=TIMEOUT_SECONDS, retry=Retry(0), method="POST"
        )

    def close(self) -> None:
        self._session.close()

    async def instant(self, query: Query, at: datetime) -> tuple[Sample, ...]:
        rows = await self._ask(self._client.custom_query, query=query.promql(), params={"time": f"{at.timestamp():.3f}"})
        return answers.samples(rows)

    async def range(self, query: Query, start: datetime, end: datetime, step_seconds: int) -> tuple[Series, ...]:
        rows = await self._ask(
            self._client.custom_query_range, query=query.promql(), start_time=start, end_time=end, step=f"{step_seconds}s"
        )
        return answers.series(rows)

    async def _ask(self, method: Any, **arguments: Any) -> list[dict[str, Any]]:
        try:
            return list(await asyncio.to_thread(method, **arguments))
        except (PrometheusApiClientException, requests.RequestException, ValueError) as error:
            raise Unavailable("Prometheus", 5.0, reason=type(error).__name__, mend="check prometheus.url: day2 doctor") from error
