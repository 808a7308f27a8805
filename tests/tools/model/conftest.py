"""A scripted OpenAI-compatible server on a free loopback port: it answers as a test says, and keeps what was sent to it."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.domain.request import RunBudget
from core.policy.redaction import redact
from tools.model.budget import Meter
from tools.model.openai import OpenAiModel

KEY = "sk-canary-0123456789abcdef"
Answering = Callable[[dict[str, Any]], Awaitable[Response]]


class Opinion(BaseModel):
    """What tests ask for."""

    agents: list[str]


def completion(content: str | None, *, refusal: str | None = None, finish: str = "stop", total_tokens: Any = 120) -> JSONResponse:
    message = {"role": "assistant", "content": content, "refusal": refusal}
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": total_tokens} if total_tokens is not None else None
    choice = {"index": 0, "finish_reason": finish, "message": message}
    return JSONResponse({"id": "c-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage})


async def _fits(_: dict[str, Any]) -> Response:
    return completion('{"agents": ["finops"]}')


@dataclass
class Endpoint:
    """`answering` is what a test sets; `seen` and `headers` are what came in."""

    url: str
    answering: Answering = _fits
    seen: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def answers(self, response: Response) -> None:
        async def give(_: dict[str, Any]) -> Response:
            return response

        self.answering = give

    @property
    def sent(self) -> str:
        """Everything that any call carried in its body."""
        return json.dumps(self.seen)

    def messages(self, number: int = -1) -> str:
        return "\n".join(str(message["content"]) for message in self.seen[number]["messages"])


@dataclass
class _Slot:
    endpoint: Endpoint | None = None


@pytest.fixture(scope="session")
def _server() -> Iterator[tuple[str, _Slot]]:
    slot = _Slot()

    async def chat(request: Request) -> Response:
        assert slot.endpoint is not None
        body = await request.json()
        slot.endpoint.seen.append(body)
        slot.endpoint.headers.append(dict(request.headers))
        return await slot.endpoint.answering(body)

    async def other(request: Request) -> Response:
        assert slot.endpoint is not None
        slot.endpoint.seen.append({"path": request.url.path})
        return PlainTextResponse("no", 404)

    routes = [Route("/v1/chat/completions", chat, methods=["POST"]), Route("/{path:path}", other, methods=["GET", "POST", "PUT", "PATCH"])]
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits 40 ms for its second packet
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="error", ws="none", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", slot
    server.should_exit = True
    server.force_exit = True
    thread.join(10)


@pytest.fixture
def endpoint(_server: tuple[str, _Slot]) -> Endpoint:
    url, slot = _server
    slot.endpoint = Endpoint(url)
    return slot.endpoint


@pytest.fixture
def budget() -> RunBudget:
    return RunBudget(tokens=20_000, model_calls=8, seconds=60, micro_usd=200_000)


Making = Callable[..., OpenAiModel]


@pytest.fixture
async def model(endpoint: Endpoint, budget: RunBudget) -> AsyncIterator[Making]:
    """Makes models of this endpoint, and closes them."""
    made: list[OpenAiModel] = []

    def make(wanted: RunBudget = budget, *, url: str = endpoint.url, seconds: int = 5, price: int = 2_000) -> OpenAiModel:
        meter = Meter(wanted, micro_usd_per_1k_tokens=price)
        made.append(OpenAiModel(base_url=url, name="m", key=KEY, meter=meter, redact=redact, seconds_per_call=seconds))
        return made[-1]

    yield make
    for item in made:
        await item.close()


@pytest.fixture
def scripted() -> Any:
    """The makers of this file, for tests that cannot import it."""

    class Scripted:
        Opinion = Opinion
        completion = staticmethod(completion)
        key = KEY

    return Scripted
