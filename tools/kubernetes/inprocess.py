"""The HTTP client's twin: its requests are answered by a function in this process. Reader and writers work on it unchanged.

`ConnectionRefusedError` is a server that cannot be reached, any other `ConnectionError` a connection that broke after the request was
sent, and `TimeoutError` an answer that did not come.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import httpx


class Asked(NamedTuple):
    """One request. Header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Answered(NamedTuple):
    """One response; `body` is JSON."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


Answer = Callable[[Asked], Awaitable[Answered]]


class _InProcess(httpx.AsyncBaseTransport):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = Asked(request.method, request.url.path, dict(request.url.params), dict(request.headers), await request.aread())
        try:
            found = await self._answer(asked)
        except ConnectionRefusedError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error), request=request) from error
        except ConnectionError as error:
            raise httpx.ReadError(str(error), request=request) from error
        return httpx.Response(found.status, headers=dict(found.headers), content=found.body, request=request)


def connect(answer: Answer) -> httpx.AsyncClient:
    """A client that no network stands behind."""
    return httpx.AsyncClient(transport=_InProcess(answer), base_url="http://cluster.test", trust_env=False)
