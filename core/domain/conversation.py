"""A talk with a model that may use tools, as a port. For what the product is compared with: the product itself gives a model no tools."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from core.domain.model import Usage


class Tool(NamedTuple):
    """What may be called. `parameters` is a JSON schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]


class Call(NamedTuple):
    """What the model wants called. `arguments` is None where they are no JSON object."""

    id: str
    name: str
    arguments: Mapping[str, Any] | None


class Message(NamedTuple):
    """`calls` are of the assistant; `answers` is the id of the call that a tool's message answers."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    calls: tuple[Call, ...] = ()
    answers: str = ""


class Conversation(Protocol):
    @property
    def usage(self) -> Usage: ...

    async def answer(self, messages: Sequence[Message], tools: Sequence[Tool]) -> Message:
        """The assistant's next message. Raises Unavailable when the endpoint fails, BudgetSpent when nothing more may be asked."""
