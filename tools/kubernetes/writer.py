"""Sends writes, always as somebody else: the executor has no write rights of its own.

Used by the executor (`ImpersonatingWriter`) and the judge (`PreviewWriter`).

The permit travels as `Impersonate-Extra-day2.dev%2Fpermit` (KEP-5284 refuses keys without a domain). An answer that leaves it open whether
the write was stored is `OutcomeUnknown`: the caller reads back. Refusals echo the headers in some servers, so messages are cut and the
permit is removed from them.
"""

import re
from http import HTTPStatus
from urllib.parse import quote

import httpx
import msgspec

from core.domain.api_request import ApiRequest
from core.domain.errors import OutcomeUnknown, Refused, Unavailable
from core.domain.values import Json
from tools.kubernetes import transport

PERMIT_HEADER = "Impersonate-Extra-day2.dev%2Fpermit"
_AGENT = re.compile(r"[a-z][a-z0-9-]{0,40}")
_WEBHOOK_DOWN = "failed calling webhook"
_METHODS = {"patch": "PATCH", "create": "POST", "delete": "DELETE"}


class ImpersonatingWriter:
    """Writes as `day2:agent:<agent>` with the permit in the extras."""

    def __init__(self, client: httpx.AsyncClient, *, field_manager: str = "day2ops") -> None:
        self._client = client
        self._manager = field_manager

    async def send(self, request: ApiRequest, *, agent: str, permit: str, dry_run: bool = False) -> Json:
        if not permit:
            raise Refused(("a write without a permit",))
        headers = {"Impersonate-User": f"day2:agent:{_checked(agent)}", PERMIT_HEADER: permit}
        return await _send(self._client, request, headers, dry_run=dry_run, manager=f"{self._manager}-{agent}")


class PreviewWriter:
    """Dry-runs as `day2:preview:<agent>`."""

    def __init__(self, client: httpx.AsyncClient, *, field_manager: str = "day2ops") -> None:
        self._client = client
        self._manager = field_manager

    async def preview(self, request: ApiRequest, *, agent: str) -> Json:
        headers = {"Impersonate-User": f"day2:preview:{_checked(agent)}"}
        return await _send(self._client, request, headers, dry_run=True, manager=f"{self._manager}-{agent}")


def _checked(agent: str) -> str:
    """An empty or odd name would send no identity, and the request would run as ourselves (CVE-2026-23990)."""
    if not _AGENT.fullmatch(agent):
        raise Refused((f"{agent[:60]!r} is no agent name",))
    return agent


async def _send(client: httpx.AsyncClient, request: ApiRequest, headers: dict[str, str], *, dry_run: bool, manager: str) -> Json:
    params, body = _dressed(request, dry_run=dry_run, manager=manager)
    path = (
        request.path.replace(request.name, quote(request.name, safe="")) if quote(request.name, safe="") != request.name else request.path
    )
    if request.makes:
        path = path.rpartition("/")[0]  # what is made has its name in the body
    try:
        response = await client.request(
            _METHODS[request.verb],
            path,
            params=params,
            content=msgspec.json.encode(body),
            headers=headers | {"Content-Type": request.content_type},
        )
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise transport.unreachable(client, error) from error
    except httpx.HTTPError as error:
        if dry_run:
            raise transport.unreachable(client, error) from error
        raise OutcomeUnknown(f"the connection broke after the request was sent ({type(error).__name__})") from error
    _judge_answer(_without(headers.get(PERMIT_HEADER, ""), response), request, dry_run=dry_run)
    answer: Json = msgspec.json.decode(response.content)
    return answer


def _dressed(request: ApiRequest, *, dry_run: bool, manager: str) -> tuple[dict[str, str], object]:
    """Query and body. A DELETE ignores the query's dryRun when it has a body, so it goes into the body; it stands in the query too, because
    the server's audit log shows nothing else, and a try must not look like a write there."""
    if request.verb == "delete":
        body = dict(request.body) if isinstance(request.body, dict) else {}
        return ({"dryRun": "All"}, body | {"dryRun": ["All"]}) if dry_run else ({}, body)
    return {"fieldManager": manager} | ({"dryRun": "All"} if dry_run else {}), request.body


def _without(permit: str, response: httpx.Response) -> httpx.Response:
    """A refusal may repeat what it refuses; the permit never leaves here."""
    if response.is_success or not permit or permit.encode() not in response.content:
        return response
    kept = {name: response.headers[name] for name in ("Retry-After",) if name in response.headers}
    return httpx.Response(response.status_code, headers=kept, content=response.content.replace(permit.encode(), b"(permit)"))


def _judge_answer(response: httpx.Response, request: ApiRequest, *, dry_run: bool) -> None:
    code = response.status_code
    if code < HTTPStatus.BAD_REQUEST:
        return
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        raise Unavailable(
            "the API server", float(response.headers.get("Retry-After") or 1), reason=transport.status_of(response).message[:200]
        )
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # asked before anything is stored, so nothing was
        unasked = _WEBHOOK_DOWN in transport.status_of(response).message
        reason = f"HTTP {code}, {_WEBHOOK_DOWN}" if unasked else f"HTTP {code}"
        if dry_run or unasked:
            raise Unavailable("the API server", 2.0, reason=reason)
        raise OutcomeUnknown(f"the API server answered {reason} after the request was sent")
    if code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise Refused((f"{request.resource}/{request.name} is not there any more",))
    transport.raise_for(response, right=str(request.right))
