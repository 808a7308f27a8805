"""Errors as RFC 9457 problem details: what the caller must do decides the status, and `mend` says how."""

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.domain import errors
from core.domain.errors import Day2Error
from core.domain.values import bounded

MEDIA_TYPE = "application/problem+json"
STATUS: tuple[tuple[type[Day2Error], int], ...] = (
    (errors.NotFound, 404),
    (errors.InvalidInput, 400),
    (errors.NotAuthenticated, 401),
    (errors.NotAuthorised, 403),
    (errors.Refused, 403),
    (errors.Conflict, 409),
    (errors.Busy, 409),
    (errors.BudgetSpent, 429),
    (errors.Unavailable, 503),
    (errors.OutcomeUnknown, 503),
    (errors.Corrupt, 500),
    (Day2Error, 500),
)
"""The first row that fits."""


def status(error: Day2Error) -> int:
    return next(code for kind, code in STATUS if isinstance(error, kind))


def problem(code: int, title: str, *, detail: str = "", mend: str = "", headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    body = {"type": "about:blank", "title": title, "status": code, "detail": detail, "mend": mend} | more
    return JSONResponse({name: value for name, value in body.items() if value != ""}, code, headers=headers, media_type=MEDIA_TYPE)


async def invalid(_request: Request, error: Exception) -> Response:
    """Arguments that FastAPI could not read: which, and why; never what was sent."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  it is registered for these alone
    found = [
        {"at": bounded(".".join(str(part) for part in item["loc"]), 120), "says": bounded(str(item["msg"]), 200)} for item in error.errors()
    ]
    said = "; ".join(f"{item['at']}: {item['says']}" for item in found[:5])
    return problem(422, "InvalidInput", detail=bounded(said, 600), mend="see /api/v1/openapi.json", errors=found[:50])


async def answer(_request: Request, error: Exception) -> Response:
    """The handler of every error that the platform raises on purpose."""
    assert isinstance(error, Day2Error)  # noqa: S101  it is registered for these alone
    headers = {}
    if isinstance(error, errors.Unavailable):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    if isinstance(error, errors.NotAuthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="day2"'
    name = type(error).__name__
    return problem(status(error), name, detail=str(error), mend=error.mend, headers=headers)
