"""Tools of others, reached by MCP: what people granted to agents, what a server offers, and the port by which it is asked.

Everything that such a server says is hostile: its descriptions are never shown to a model, its answers are quoted evidence, bounded and
redacted, and it is asked only for what was pinned when a person granted it.
"""

from typing import Any, NamedTuple, Protocol

from pydantic import Field

from core.domain.values import Value, digest

LONGEST = 512
"""Characters of an answer that become evidence."""


class OutsideGrant(Value):
    """One tool of one server for one agent. `arguments` are texts in which {namespace}, {kind}, {name} and {code} stand for the finding's.

    `pin` is the digest of what the server said of the tool when a person read it: another description, another schema or another
    promise about reading makes it another tool, which nobody granted.
    """

    server: str = Field(pattern=r"^[a-z][a-z0-9-]{0,38}$")
    tool: str = Field(min_length=1, max_length=128)
    agent: str = Field(pattern=r"^[a-z][a-z0-9-]{0,38}$")
    codes: tuple[str, ...] = Field(default=(), description="findings it is asked about; empty: all of this agent's")
    arguments: dict[str, str] = Field(default_factory=dict)
    pin: str = Field(pattern=r"^[0-9a-f]{64}$")

    @property
    def name(self) -> str:
        return f"{self.server}/{self.tool}"


class OutsideTool(NamedTuple):
    """What a server says of one of its tools. `reads_only` is its own promise, and without it the tool is never called."""

    name: str
    description: str
    schema: dict[str, Any]
    reads_only: bool

    @property
    def pin(self) -> str:
        return digest([self.name, self.description, self.schema, self.reads_only])


class OutsideTools(Protocol):
    """One server. Raises Unavailable where it does not answer in time, or answers what is no answer."""

    async def tools(self, server: str) -> tuple[OutsideTool, ...]: ...

    async def call(self, server: str, tool: str, arguments: dict[str, str]) -> str:
        """The text of the answer; an answer that says it is an error raises Unavailable."""
