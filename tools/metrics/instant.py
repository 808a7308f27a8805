"""Instant queries over plain httpx: for judge and executor, whose lock group is small."""

import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from core.cluster.queries import Query, Sample, Series
from core.domain.errors import InvalidInput, Unavailable
from tools.metrics import answers

T = TypeVar("T")
LARGEST_ANSWER = 64 * 2**20


class PlainMetrics:
    """`url` is the base of the Prometheus HTTP API. Redirects are not followed; loopback takes no proxy."""

    def __init__(self, url: str, *, ca_file: Path | None = None, token: str = "", timeout_seconds: float = 20.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(f"{url!r} is no address of a Prometheus", mend="set prometheus.url to something like http://prometheus:9090")
        loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            verify=ssl.create_default_context(cafile=str(ca_file)) if ca_file else True,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=timeout_seconds,
            trust_env=not loopback,
        )

    async def instant(self, query: Query, at: datetime) -> tuple[Sample, ...]:
        return await self._ask("/api/v1/query", {"query": query.promql(), "time": f"{at.timestamp():.3f}"}, answers.samples)

    async def range(self, query: Query, start: datetime, end: datetime, step_seconds: int) -> tuple[Series, ...]:
        form = {"query": query.promql(), "start": f"{start.timestamp():.3f}", "end": f"{end.timestamp():.3f}", "step": str(step_seconds)}
        return await self._ask("/api/v1/query_range", form, answers.series)

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, path: str, form: dict[str, str], read: Callable[[list[dict[str, Any]]], T]) -> T:
        try:
            response = await self._client.post(path, data=form)
        except httpx.HTTPError as error:
            raise Unavailable("Prometheus", 5.0, reason=type(error).__name__, mend="check prometheus.url: day2 doctor") from error
        if response.status_code != httpx.codes.OK or len(response.content) > LARGEST_ANSWER:
            raise Unavailable("Prometheus", 5.0, reason=f"HTTP {response.status_code}, {len(response.content)} bytes")
        try:
            return read(msgspec.json.decode(response.content)["data"]["result"])
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unavailable("Prometheus", 5.0, reason="the answer has no result") from error
