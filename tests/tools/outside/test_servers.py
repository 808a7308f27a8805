"""MCP servers of others by the real client, over HTTP and as programs: what they offer, what they answer, and how they fail."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn

from core.domain.errors import InvalidDocument, InvalidInput, Unavailable
from runtime.roles import outside
from tests.tools.outside import honest_server
from tools.outside.servers import McpServers, Server

PROGRAM = Path(honest_server.__file__)


@pytest.fixture(params=["http", "program"])
async def servers(request: pytest.FixtureRequest) -> AsyncIterator[McpServers]:
    environment = {"PATH": os.environ["PATH"]}
    if request.param == "program":
        yield McpServers({"runbooks": Server(command=(sys.executable, str(PROGRAM)), seconds=30)}, environment)
        return
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits 40 ms for its second packet
    server = uvicorn.Server(uvicorn.Config(honest_server.server().http_app(path="/mcp"), log_level="error"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    port = listening.getsockname()[1]
    yield McpServers({"runbooks": Server(url=f"http://127.0.0.1:{port}/mcp", seconds=30)}, environment)
    server.should_exit = True
    await serving


async def test_tools_say_what_they_are_and_the_same_tool_has_the_same_pin(servers: McpServers) -> None:
    found = {tool.name: tool for tool in await servers.tools("runbooks")}
    assert (found["lookup"].reads_only, found["restart"].reads_only) == (True, False)
    assert found["lookup"].description == "Finds the runbook of a workload."
    assert {tool.name: tool.pin for tool in await servers.tools("runbooks")} == {name: tool.pin for name, tool in found.items()}
    assert len({tool.pin for tool in found.values()}) == 3


async def test_an_answer_is_its_text_and_an_error_is_one(servers: McpServers) -> None:
    assert await servers.call("runbooks", "lookup", {"workload": "shop/web"}) == "RB-7 for shop/web"
    with pytest.raises(Unavailable, match="cannot be restarted"):
        await servers.call("runbooks", "restart", {"workload": "web"})
    with pytest.raises(Unavailable):
        await servers.call("runbooks", "nothing", {})


async def test_who_does_not_answer_in_time_or_at_all_is_unavailable() -> None:
    slow = McpServers({"slow": Server(command=(sys.executable, str(PROGRAM)), seconds=4)}, {"PATH": os.environ["PATH"]})
    with pytest.raises(Unavailable, match="the MCP server slow"):
        await slow.call("slow", "slow", {})
    gone = McpServers({"gone": Server(url="http://127.0.0.1:9/mcp", seconds=2), "none": Server(command=("/no/such/program",))}, {})
    for name in ("gone", "none"):
        with pytest.raises(Unavailable):
            await gone.tools(name)
    with pytest.raises(InvalidInput, match="no MCP server"):
        await gone.tools("elsewhere")


GOOD = """
servers:
  runbooks: {url: "https://mcp.example/mcp", token_file: token}
tools:
  - {server: runbooks, tool: lookup, agent: reliability, codes: [REL-101], arguments: {workload: "{name}"}, pin: PIN}
"""


def test_the_file_is_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "outside.yaml"
    path.write_text(GOOD.replace("PIN", "ab" * 32), encoding="utf-8")
    found = outside.read(path)
    assert found.tools[0].name == "runbooks/lookup"
    assert found.tools[0].codes == ("REL-101",)
    for bad, said in (("PIN", "pin"), ("servers: [", "no YAML"), ("servers: {a: {}}", "a `url` or a `command`"), ("more: 1", "more")):
        path.write_text(GOOD if bad == "PIN" else bad, encoding="utf-8")
        with pytest.raises(InvalidDocument, match=said):
            outside.read(path)
    with pytest.raises(InvalidInput, match="cannot read"):
        outside.read(tmp_path / "nowhere")
