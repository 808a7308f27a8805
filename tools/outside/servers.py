"""Asking MCP servers of others, each call in a connection of its own. It offers them nothing: no sampling, no elicitation, no roots.

A server is a URL with a bearer token from a file, or a program of this machine that is started with the bare environment.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import ClientTransport, StdioTransport, StreamableHttpTransport
from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.domain.errors import InvalidInput, Unavailable
from core.domain.outside import OutsideTool
from core.domain.values import bounded

LONGEST = 65_536
MOST_TOOLS = 200


class Server(BaseModel):
    """Where a server is. One of `url` and `command`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(default="", pattern=r"^(https?://[^\s@]+)?$")
    token_file: Path | None = None
    command: tuple[str, ...] = ()
    seconds: float = Field(default=5.0, gt=0, le=60)

    @model_validator(mode="after")
    def _one(self) -> "Server":
        if bool(self.url) == bool(self.command):
            raise ValueError("a server has a `url` or a `command`: one of them")
        return self


class McpServers:
    """Implements `core.domain.outside.OutsideTools`."""

    def __init__(self, servers: Mapping[str, Server], environment: Mapping[str, str]) -> None:
        self._servers, self._environment = servers, dict(environment)

    async def tools(self, server: str) -> tuple[OutsideTool, ...]:
        found = await self._asked(server, lambda client: client.list_tools())
        return tuple(
            OutsideTool(
                tool.name,
                tool.description or "",
                dict(tool.input_schema or {}),
                bool(tool.annotations and tool.annotations.read_only_hint),
            )
            for tool in found[:MOST_TOOLS]
        )

    async def call(self, server: str, tool: str, arguments: dict[str, str]) -> str:
        found = await self._asked(server, lambda client: client.call_tool(tool, arguments, raise_on_error=False))
        text = "\n".join(str(block.text) for block in found.content if getattr(block, "type", "") == "text")[:LONGEST]
        if found.is_error:
            raise Unavailable(f"the tool {bounded(server, 40)}/{bounded(tool, 60)}", 5.0, reason=bounded(text, 120))
        return text

    async def _asked(self, name: str, ask: Any) -> Any:
        server = self._servers.get(name)
        if server is None:
            raise InvalidInput(f"no MCP server {bounded(name, 40)!r}", mend=f"one of: {', '.join(sorted(self._servers)) or 'none'}")
        try:
            async with asyncio.timeout(server.seconds), Client(self._transport(server), timeout=server.seconds) as client:
                return await ask(client)
        except (Exception, asyncio.CancelledError) as error:  # whatever a foreign server made of its answer: it is not there
            if isinstance(error, asyncio.CancelledError) and (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise Unavailable(f"the MCP server {name}", 5.0, reason=bounded(f"{type(error).__name__}: {error}", 120)) from error

    def _transport(self, server: Server) -> ClientTransport:
        if server.command:
            return StdioTransport(server.command[0], list(server.command[1:]), env=self._environment, keep_alive=False)
        token = server.token_file.expanduser().read_text(encoding="ascii").strip() if server.token_file else ""
        return StreamableHttpTransport(server.url, headers={"Authorization": f"Bearer {token}"} if token else None)
