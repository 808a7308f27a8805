"""An MCP server of somebody else, for tests: `python honest_server.py`, on standard input and output."""

import asyncio
import sys

from fastmcp import FastMCP
from mcp.types import ToolAnnotations


def server() -> FastMCP:
    made: FastMCP = FastMCP("runbooks")

    @made.tool(annotations=ToolAnnotations(read_only_hint=True))
    def lookup(workload: str) -> str:
        """Finds the runbook of a workload."""
        return f"RB-7 for {workload}"

    @made.tool
    def restart(workload: str) -> str:
        """Restarts it."""
        raise ValueError(f"{workload} cannot be restarted")

    @made.tool(annotations=ToolAnnotations(read_only_hint=True))
    async def slow() -> str:
        """Takes its time."""
        await asyncio.sleep(60)
        return "late"

    return made


if __name__ == "__main__":
    server().run(show_banner=False)
    sys.exit(0)
