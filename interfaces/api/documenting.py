"""The API as OpenAPI 3.1: what each route answers, also when it refuses. The documents have the schemas of `day2 schema`."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from interfaces.api.routes import Route
from interfaces.api.shapes import schema
from interfaces.rendering.envelopes import Json
from interfaces.web import problems

READS = {
    400: "what was asked for cannot be: `mend` says what can",
    401: "who calls is not known here",
    403: "who calls may not, or the answer is no",
    404: "nothing of this name is there",
    422: "arguments that do not fit: `errors` names each",
    429: "too often: wait for Retry-After seconds",
    503: "something that is needed does not answer: wait for Retry-After seconds",
}
WRITES = READS | {
    409: "it stands otherwise by now, or a request with this idempotency key is being answered",
    413: "too large",
    415: "not JSON",
}
PROBLEM: Json = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `title` names the kind of error, `mend` is what helps.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "mend": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {"at": {"type": "string"}, "says": {"type": "string"}}, "required": ["at", "says"]},
        },
    },
    "required": ["type", "title", "status"],
}
ABOUT = """Everything that people and agents of day2 ask, decide and did. All doors share one permission check, and none writes a cluster.

Lists come in pages: `next` is the cursor of the next one, null at the end. A write takes an `Idempotency-Key`.
Errors are problem documents (RFC 9457)."""


def responses(route: Route) -> dict[int | str, dict[str, Any]]:
    told = READS if route.method == "GET" else WRITES
    shown = schema(route.kind, paged=route.place is not None)
    good: dict[str, Any] = {"description": route.kind, "content": {"application/json": {"schema": shown}}}
    if route.kind == "Asked":
        good["headers"] = {"Location": {"description": "where it is shown", "schema": {"type": "string"}}}
    return {route.status: good, **_problems(told)}


def stream_responses() -> dict[int | str, dict[str, Any]]:
    about = "events without end: `id` is the place in the audit chain, `event` the type, `data` a CloudEvent in JSON"
    return {200: {"description": about, "content": {"text/event-stream": {"schema": {"type": "string"}}}}, **_problems(READS)}


def _problems(told: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    waits = {"Retry-After": {"description": "seconds", "schema": {"type": "string"}}}
    return {
        code: {"description": says, "content": content} | ({"headers": waits} if code in (429, 503) else {}) for code, says in told.items()
    }


def document(app: FastAPI, routes: Sequence[BaseRoute], url: str) -> Json:
    found: Json = get_openapi(
        title=f"{app.title} API", version="v1", openapi_version="3.1.0", description=ABOUT, routes=routes, servers=[{"url": url}]
    )
    parts = found.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "day2 token add, or console.token of the data folder"}
    }
    found["security"] = [{"token": []}]
    return found
