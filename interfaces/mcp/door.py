"""MCP over streamable HTTP at `/mcp`: by a bearer token only. A browser's session opens nothing here, so no page can use it."""

from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from fastmcp.server.dependencies import get_http_request
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from core.domain.access import Caller
from core.domain.errors import Day2Error, NotAuthenticated
from interfaces.mcp.server import build
from interfaces.web import problems
from interfaces.web.house import House

PATH = "/mcp"
CALLER = "day2.caller"


class Authenticated:
    """Lets nobody further who is not known; keeps who it is beside the request."""

    def __init__(self, inner: ASGIApp, house: House) -> None:
        self._inner, self._house = inner, house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            try:
                if "authorization" not in request.headers:
                    raise NotAuthenticated("MCP takes a bearer token", mend="send Authorization: Bearer TOKEN")
                scope[CALLER] = (await self._house.caller(request))._replace(door="mcp")
            except Day2Error as error:
                await (await problems.answer(request, error))(scope, receive, send)
                return
        await self._inner(scope, receive, send)


async def caller() -> Caller:
    """Who sent the request that is answered now."""
    found = get_http_request().scope.get(CALLER)
    if not isinstance(found, Caller):
        raise NotAuthenticated("nobody is known to have sent this")
    return found


def join(app: FastAPI, house: House) -> None:
    served = build(house.offers, caller, url=house.url).http_app(path="/", stateless_http=True, json_response=True)

    def living() -> AbstractAsyncContextManager[object]:
        return served.router.lifespan_context(served)

    house.living.append(living)
    app.mount(PATH, Authenticated(served, house))
