"""Both transports by the official client: the whole product behind HTTP with a bearer token, and a process on standard input and output."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from core.domain.access import Caller, Role
from interfaces.mcp import door
from interfaces.web.__main__ import listener
from interfaces.web.app import build
from interfaces.web.callers import LocalToken
from interfaces.web.house import House
from runtime.services.offering import Offers
from runtime.services.offers.table import OFFERS
from runtime.settings import AccessSettings, Settings
from tests.contracts.doors import ports
from tests.contracts.simulated import simulated

TOKEN = "a-token-of-this-machine"


async def by_cookie(request: Any) -> Caller | None:
    """A session of the console, as a browser sends it by itself."""
    return Caller("oidc:ana", frozenset({Role.ADMIN}), "console") if "session" in request.cookies else None


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    house = House(
        Offers(OFFERS, ports(tmp_path)), Settings(), "http://console.example", ways=(by_cookie, LocalToken(TOKEN, AccessSettings(), "api"))
    )
    listening = listener("127.0.0.1:0")
    server = uvicorn.Server(uvicorn.Config(build(house, (door.join,)), log_level="error", lifespan="on"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving


async def test_over_http_with_a_bearer_token(url: str) -> None:
    async with (
        httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
        streamable_http_client(f"{url}/mcp/", http_client=http) as streams,
        ClientSession(streams[0], streams[1]) as session,
    ):
        await session.initialize()
        names = {tool.name for tool in (await session.list_tools()).tools}
        assert {"findings_list", "topology_get", "plans_submit"} <= names
        answer = await session.call_tool("agents_list", {})
        assert answer.structured_content is not None
        assert {row["name"] for row in answer.structured_content["items"]} == {"finops", "reliability", "scaling", "security"}


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer forged"}, {"Cookie": "session=1"}, {"Authorization": "Basic YTpi"}], ids=str
)
async def test_without_a_token_of_ours_nothing_is_said(url: str, headers: dict[str, str]) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{url}/mcp/", json=call, headers={"Accept": "application/json, text/event-stream", **headers})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "tools" not in answer.text


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_over_standard_input_and_output_on_a_simulated_cluster(tmp_path: Path) -> None:
    with simulated(tmp_path, "small") as cluster:
        settings = {
            "kubernetes": {"kubeconfig": str(cluster.kubeconfigs["admin"])},
            "prometheus": {"url": f"{cluster.url}/prometheus", "ca_file": str(cluster.ca)},
            "store": {"data_dir": str(tmp_path / "data")},
            "clock": cluster.url,
        }
        (tmp_path / "day2.yaml").write_text(json.dumps(settings), encoding="utf-8")
        started = StdioServerParameters(command=sys.executable, args=["-m", "interfaces.cli", "mcp", "serve"], cwd=str(tmp_path))
        async with stdio_client(started) as (reading, writing), ClientSession(reading, writing) as session:
            await session.initialize()
            found = await session.call_tool("findings_scan", {"agents": ["reliability"]})
            assert found.structured_content is not None
            assert found.structured_content["kind"] == "FindingList"
            nodes = await session.call_tool("topology_get", {})
            assert nodes.structured_content is not None
            assert nodes.structured_content["items"]
            distances = await session.call_tool("latency_list", {})
            assert distances.structured_content is not None
            assert distances.structured_content["unknown"] == ""
            asked = await session.call_tool("questions_ask", {"text": "what is wrong?"})
            assert asked.structured_content is not None
            assert asked.structured_content["stage"] == "waiting"
