"""The routes of `routes.py` as FastAPI knows them: arguments from path, query and body, one call of a service, its document to answer."""

import inspect
import math
import re
from collections.abc import Callable, Coroutine
from functools import cache, partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, FastAPI, Header, Path, Query
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import Field, ValidationError, create_model
from pydantic.fields import FieldInfo
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.domain.access import Caller
from interfaces.api import documenting, idempotency, paging, streaming
from interfaces.api.routes import BASE, ROUTES, STREAM, Route
from interfaces.rendering import offered
from interfaces.rendering.envelopes import Json
from interfaces.web.house import House
from interfaces.web.limits import Rate
from runtime.services.offering import Offer, Wanted

KEY = r"^[\x21-\x7e]{1,200}$"
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def join(app: FastAPI, house: House) -> None:
    """The door's entry in the table of doors."""
    rate = Rate(house.settings.web.requests_per_minute)
    beyond = house.offers.ports.beyond
    house.living.extend([beyond.desk.living, partial(beyond.deliveries.living, house.url)])
    router = APIRouter(prefix=BASE)
    for route in ROUTES:
        offer = house.offers.named(route.offer)
        router.add_api_route(
            route.path,
            endpoint(house, route, offer),
            methods=[route.method],
            name=route.offer,
            operation_id=route.offer.replace(".", "_"),
            summary=offer.says,
            tags=[route.tag],
            status_code=route.status,
            response_class=JSONResponse,
            responses=documenting.responses(route),
            route_class_override=_guarded(house, rate, route, offer),
        )
    router.add_api_route(
        STREAM,
        partial(streaming.stream, house),
        methods=["GET"],
        name="events.stream",
        operation_id="events_stream",
        summary="The same events as they happen, as server-sent events. Resumable by Last-Event-ID.",
        tags=["events"],
        response_class=Response,
        responses=documenting.stream_responses(),
        route_class_override=_guarded(house, rate, None),
    )
    router.add_api_route(
        "/openapi.json",
        partial(_described, cache(partial(documenting.document, app, [*router.routes], house.url))),
        methods=["GET"],
        include_in_schema=False,
        route_class_override=_guarded(house, rate, None),
    )
    app.include_router(router)


async def _described(document: Callable[[], Json]) -> Response:
    """Made when it is first asked for: to describe the routes takes most of the time in which they are joined."""
    return JSONResponse(document())


def _guarded(house: House, rate: Rate, route: Route | None, offer: Offer[Any] | None = None) -> type[APIRoute]:
    """Before anything is read: who calls, whether it is too often, and whether what they send can be read at all."""

    class Guarded(APIRoute):
        def get_route_handler(self) -> Handler:
            handle = super().get_route_handler()

            async def guarded(request: Request) -> Response:
                caller = await house.caller(request)
                if not (route and route.unmetered) and (seconds := rate.wait(caller.by)):
                    raise HTTPException(429, "too many requests", headers={"Retry-After": str(math.ceil(seconds))})
                if request.method == "POST" and not _is_json(request):
                    raise HTTPException(415, "send application/json")
                if route and offer and route.at_once and "idempotency-key" not in request.headers:
                    return await _answer(house, route, offer, caller, await _read(request, offer), None)
                request.state.caller = caller
                return await handle(request)

            return guarded

    return Guarded


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


async def _read(request: Request, offer: Offer[Any]) -> Wanted:
    """The body as the service takes it. Raises what FastAPI raises."""
    try:
        found: Wanted = offer.takes.model_validate_json(await request.body())
    except ValidationError as error:
        raise RequestValidationError([{**item, "loc": ("body", *item["loc"])} for item in error.errors(include_input=False)]) from error
    return found


def endpoint(house: House, route: Route, offer: Offer[Any]) -> Callable[..., Coroutine[Any, Any, Response]]:
    """A function with the signature that FastAPI reads arguments and their documentation from."""
    in_path = [name for name in offer.takes.model_fields if re.search(rf"{{{name}(:path)?}}", route.path)]
    form = arguments(offer.takes, in_path, paged=route.place is not None)

    async def answer(request: Request, **given: Any) -> Response:
        caller: Caller = request.state.caller
        rest: Wanted | None = given.pop("wanted", None)
        key: str | None = given.pop("idempotency_key", None)
        do = partial(_answer, house, route, offer, caller, _wanted(route, offer, given, rest, caller, key or ""), rest)
        if not key or not offer.writes:
            return await do()
        ports = house.offers.ports
        return await idempotency.once(ports.beyond.answers, ports.clock, caller.by, key, request, do)

    answer.__signature__ = _signature(route, offer, form, in_path)  # type: ignore[attr-defined]
    return answer


def _wanted(route: Route, offer: Offer[Any], given: Json, rest: Wanted | None, caller: Caller, key: str) -> Wanted | Json:
    """What the service is called with. What FastAPI read whole is not read again."""
    named = route.named_by_key and key and not getattr(rest, "id", "")
    if rest is not None and isinstance(rest, offer.takes) and not given and not named:
        return rest
    fields = given | ({name: getattr(rest, name) for name in type(rest).model_fields} if rest is not None else {})
    if named:
        fields["id"] = idempotency.run_id(caller.by, key)
    if route.place is not None:
        fields = {name: value for name, value in fields.items() if name not in ("limit", "cursor")}
        if (own := offer.takes.model_fields.get("limit")) is not None:
            fields["limit"] = _most(own)
    return fields


async def _answer(house: House, route: Route, offer: Offer[Any], caller: Caller, wanted: Wanted | Json, rest: Any) -> Response:
    found = await house.offers.call(caller, offer.name, wanted)
    document = offered.DOCUMENTS[offer.name](found, house.offers.ports)
    if route.place is not None and isinstance(wanted, dict):
        whole, of = document["items"], paging.name_of(offer.name, wanted)
        cut = paging.page(whole, route.place, descending=route.descending, cursor=rest.cursor, limit=rest.limit, of=of)
        document |= {"items": cut.items, "next": cut.next}
        if len(whole) == wanted.get("limit"):
            document["metadata"]["truncated"] = True
    headers = {"Cache-Control": "no-store"}
    if route.kind == "Asked":
        headers["Location"] = f"{BASE}/runs/{document['id']}"
    return JSONResponse(document, route.status, headers=headers)


def arguments(takes: type[Wanted], in_path: list[str], *, paged: bool) -> type[Wanted] | None:
    """What a service takes, without what the path says; a list is asked for in pages. None where nothing is left."""
    left: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in takes.model_fields.items()
        if name not in in_path and not (paged and name == "limit")
    }
    if paged:
        left["limit"] = (int, Field(default=paging.USUAL, ge=1, le=paging.MOST, description="items of a page"))
        left["cursor"] = (str, Field(default="", max_length=1000, description="`next` of the page before; empty: the first page"))
    if not left:
        return None
    if not in_path and not paged:
        return takes
    made: type[Wanted] = create_model(takes.__name__, __base__=Wanted, **left)
    return made


def _most(field: FieldInfo) -> int:
    """The largest value that this argument may have."""
    return next(int(limit) for item in field.metadata if (limit := getattr(item, "le", None)) is not None)


def _signature(route: Route, offer: Offer[Any], form: type[Wanted] | None, in_path: list[str]) -> inspect.Signature:
    keyword = inspect.Parameter.KEYWORD_ONLY
    found = [inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)]
    for name in in_path:
        about = offer.takes.model_fields[name].description or ""
        found.append(inspect.Parameter(name, keyword, annotation=Annotated[str, Path(max_length=300, description=about)]))
    if form is not None:
        where = Query() if route.method == "GET" else Body()
        found.append(inspect.Parameter("wanted", keyword, annotation=Annotated[form, where]))
    if offer.writes:
        about = "the same key within 24 hours is one effect and one answer"
        header = Header(alias="Idempotency-Key", pattern=KEY, description=about)
        found.append(inspect.Parameter("idempotency_key", keyword, default=None, annotation=Annotated[str | None, header]))
    return inspect.Signature(found)
