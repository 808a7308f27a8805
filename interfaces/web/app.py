"""The web application: every door joined, every error a problem document."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from importlib import metadata

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from core.domain.errors import Day2Error
from interfaces.web import problems
from interfaces.web.house import House
from interfaces.web.limits import BodyLimit
from interfaces.web.table import DOORS


def build(house: House, doors: Iterable[Callable[[FastAPI, House], None]] = DOORS) -> FastAPI:
    """Nothing is opened here: the house holds what is open, and `house.living` what goes on while the application serves."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for living in house.living:
                await stack.enter_async_context(living())
            yield

    version = metadata.version("day2ops")
    app = FastAPI(title="day2ops", version=version, docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.house = house
    app.add_exception_handler(Day2Error, problems.answer)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, problems.invalid)
    app.add_middleware(BodyLimit)
    app.add_api_route("/healthz", _alive, include_in_schema=False)
    for join in doors:
        join(app, house)
    return app


async def _alive() -> dict[str, str]:
    """The process answers; whether the rest does is `day2 doctor`."""
    return {"status": "ok"}


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  it is registered for these alone
    return problems.problem(error.status_code, str(error.detail), headers=error.headers)
