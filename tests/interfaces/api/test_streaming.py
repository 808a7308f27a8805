"""The stream over a real server: resumed by the last id, ended with its token, and no burden where nobody reads."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import uvicorn

from core.domain.access import Role
from interfaces.api import streaming
from interfaces.api.routes import BASE, STREAM
from tests.interfaces.api.conftest import Api

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


@pytest.fixture
async def url(api: Api) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(api.app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


def record(api: Api, event: str, subject: str) -> None:
    api.ports.ledger.record(role="controller", event=event, subject=subject, body={"by": "oidc:ana"}, at=AT)


@contextlib.asynccontextmanager
async def following(api: Api, url: str, headers: dict[str, str] | None = None, **params: Any) -> AsyncIterator[AsyncIterator[str]]:
    known = {"Authorization": api.of(Role.VIEWER).headers["Authorization"]} | (headers or {})
    async with httpx.AsyncClient(timeout=20) as client, client.stream("GET", url + BASE + STREAM, headers=known, params=params) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield answer.aiter_lines()


async def events(lines: AsyncIterator[str], count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            line = await anext(lines)
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
    return found


async def left(api: Api, followers: int) -> None:
    async with asyncio.timeout(60):
        while api.ports.beyond.events.followers > followers:  # noqa: ASYNC110  its own count is what is asked about
            await asyncio.sleep(0.02)


async def test_who_comes_back_gets_what_came_meanwhile_and_then_what_comes(api: Api, url: str) -> None:
    for number in range(3):
        record(api, "run.started", f"run-{number}")
    async with following(api, url, after=0) as lines:
        first = await events(lines, 1)
    assert first[0]["subject"] == "run-0"
    async with following(api, url, {"Last-Event-ID": first[0]["id"]}) as lines:
        assert [event["subject"] for event in await events(lines, 2)] == ["run-1", "run-2"]
        record(api, "run.finished", "run-0")
        (event,) = await events(lines, 1)
    assert (event["type"], event["source"]) == ("dev.day2.run.finished.v1", "http://day2.test")


async def test_a_stream_ends_when_its_token_is_revoked(api: Api, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BEAT_SECONDS", 0.05)
    async with following(api, url) as lines:
        assert await anext(lines) == ": begun"
        (token,) = api.ports.beyond.tokens.all()
        api.ports.beyond.tokens.revoke(token.name, by="local:me", at=AT)
        async with asyncio.timeout(20):
            rest = [line async for line in lines]
    assert not any(line.startswith("data:") for line in rest)
    await left(api, 0)


async def test_who_never_reads_is_dropped_and_others_go_on(api: Api, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "PATIENCE_SECONDS", 0.2)
    host, port = url.removeprefix("http://").split(":")
    token = api.of(Role.VIEWER).headers["Authorization"]
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(f"GET {BASE}{STREAM}?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode())
    await reader.readuntil(b"begun")
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    body = {"text": "word " * 700}
    for number in range(2500):  # more than the sockets between both hold
        api.ports.ledger.record(role="controller", event="run.started", subject=f"run-{number}", body=body, at=AT)
    async with following(api, url, after=2490) as lines:
        assert (await events(lines, 1))[0]["subject"] == "run-2490"
        await left(api, 1)
        record(api, "run.finished", "run-0")
        assert (await events(lines, 10))[-1]["type"] == "dev.day2.run.finished.v1"
    writer.close()


@pytest.mark.parametrize("told", ["x", "-1", "1" * 17, "%F0"])
async def test_an_id_that_is_none_is_refused(api: Api, told: str) -> None:
    answer = await api.of(Role.VIEWER).get(BASE + STREAM, headers={"Last-Event-ID": told})
    assert (answer.status_code, answer.json()["title"]) == (400, "InvalidInput")
