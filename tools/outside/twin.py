"""The twin of MCP servers: tools and answers by a table that a test fills."""

from collections.abc import Mapping

from core.domain.errors import Unavailable
from core.domain.outside import OutsideTool


class TableTools:
    """A server that is not in the table does not answer. `asked` keeps what was called."""

    def __init__(self, offered: Mapping[str, tuple[OutsideTool, ...]], answers: Mapping[str, str]) -> None:
        self.offered, self.answers = dict(offered), dict(answers)
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def tools(self, server: str) -> tuple[OutsideTool, ...]:
        if server not in self.offered:
            raise Unavailable(f"the MCP server {server}", 5.0, reason="scripted")
        return self.offered[server]

    async def call(self, server: str, tool: str, arguments: dict[str, str]) -> str:
        self.asked.append((f"{server}/{tool}", arguments))
        if f"{server}/{tool}" not in self.answers:
            raise Unavailable(f"the tool {server}/{tool}", 5.0, reason="scripted")
        return self.answers[f"{server}/{tool}"]
