"""An organisation's own automation, asked over HTTPS: is this machine off, and could there be another?

Each request is signed: `Day2-Signature: t=<Unix seconds>,v1=<HMAC-SHA-256 over "t.body">`, hex, with a secret that both sides hold. A
replacement carries an `Idempotency-Key`, so that asking again after a lost answer asks once. Answers: `{"power": "on|off|unknown", "said":
"..."}` and `{"accepted": true, "said": "..."}`.
"""

import contextlib
import hashlib
import hmac
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import httpx
import msgspec

from core.cluster.machines import Machine, Power
from core.cluster.objects import Node
from core.domain.clock import Clock
from core.domain.errors import Refused, Unavailable
from core.domain.values import bounded, canonical

SECONDS = 10.0
LONGEST_ANSWER = 64 * 1024


class _Powered(msgspec.Struct):
    power: Power
    said: str = ""


class _Accepted(msgspec.Struct):
    accepted: bool
    said: str = ""


class WebhookMachines:
    """The client is owned by the caller. `secret` signs; without one every other process could ask in our name."""

    def __init__(self, client: httpx.AsyncClient, url: str, secret: bytes, clock: Clock) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._secret = secret
        self._clock = clock

    async def behind(self, cluster: str, node: Node) -> Machine | None:
        answer = await self._ask("power", {"cluster": cluster, **_named(node)}, {})
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        found = _read(answer, _Powered)
        return Machine(found.power, bounded(found.said, 120))

    async def replace(self, cluster: str, node: Node, key: str) -> str:
        answer = await self._ask("replace", {"cluster": cluster, **_named(node)}, {"Idempotency-Key": key})
        found = _read(answer, _Accepted)
        if not found.accepted:
            raise Refused((bounded(found.said, 200) or "the provider will not replace it",))
        return bounded(found.said, 200) or "accepted"

    async def _ask(self, verb: str, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
        content = canonical(body)
        signed = {
            "Day2-Signature": signature(self._secret, content, int(self._clock.now().timestamp())),
            "Content-Type": "application/json",
        }
        try:
            answer = await self._client.post(f"{self._url}/{verb}", content=content, headers=signed | headers, timeout=SECONDS)
        except httpx.HTTPError as error:
            raise Unavailable("the provider of machines", 5.0, reason=type(error).__name__) from error
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise Unavailable("the provider of machines", 5.0, reason=f"HTTP {answer.status_code}")
        if answer.is_error and answer.status_code != HTTPStatus.NOT_FOUND:
            raise Refused((f"the provider of machines answered HTTP {answer.status_code}",))
        return answer


@contextlib.asynccontextmanager
async def opened(url: str, secret: bytes, clock: Clock) -> AsyncIterator[WebhookMachines]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield WebhookMachines(client, url, secret, clock)


def signature(secret: bytes, body: bytes, at: int) -> str:
    """What the other side computes again, and refuses where it differs or the time is long past."""
    return f"t={at},v1={hmac.new(secret, f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def _named(node: Node) -> dict[str, Any]:
    meta = node.metadata
    return {"node": meta.name, "uid": meta.uid, "providerID": node.spec.provider_id, "labels": dict(meta.labels)}


def _read(answer: httpx.Response, form: Any) -> Any:
    if answer.status_code == HTTPStatus.NOT_FOUND:
        raise Refused(("the provider knows no such machine",))
    if len(answer.content) > LONGEST_ANSWER:
        raise Refused(("the provider's answer is too long",))
    try:
        return msgspec.json.decode(answer.content, type=form)
    except msgspec.DecodeError as error:
        raise Refused((f"the provider's answer cannot be read: {bounded(str(error), 100)}",)) from error
