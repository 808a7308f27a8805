"""A talk with tools at any OpenAI-compatible endpoint, through langchain's ChatOpenAI.

Texts go out as they are. Only contestants of an evaluation talk so, in simulated worlds: the product's own questions go through `openai`.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langsmith import tracing_context

from core.domain.conversation import Call, Message, Tool
from tools.model import openai, prompts
from tools.model.budget import Meter

ANSWER_TOKENS = 1024


class OpenAiConversation(openai.Metered):
    """One talk. It is bounded by its meter, as a run's questions are."""

    def __init__(self, *, base_url: str, name: str, key: str, meter: Meter, seconds_per_call: int) -> None:
        super().__init__(base_url=base_url, name=name, key=key, meter=meter, seconds_per_call=seconds_per_call, answer_tokens=ANSWER_TOKENS)

    async def answer(self, messages: Sequence[Message], tools: Sequence[Tool]) -> Message:
        described = [_described(tool) for tool in tools]
        said = [(message.role, message.text) for message in messages] + [("tools", json.dumps(described))]
        prompt_tokens = prompts.estimate(said)
        reserved = self._meter.admit(prompt_tokens, ANSWER_TOKENS)
        tokens, started = prompt_tokens, time.monotonic()
        try:
            found = await self._asked(messages, described)
            tokens = openai.counted(found) or prompt_tokens
            return _message(found)
        finally:
            self._meter.settle(reserved, tokens, time.monotonic() - started)

    async def _asked(self, messages: Sequence[Message], tools: list[dict[str, Any]]) -> BaseMessage:
        try:
            with tracing_context(enabled=False):
                async with asyncio.timeout(min(self._seconds, self._meter.seconds_left)):
                    return await self._chat.bind_tools(tools).ainvoke([_sent(message) for message in messages])
        except Exception as error:  # as in `openai`: whatever two client libraries raise over a stranger's answer
            raise openai.unavailable(error) from error


def _described(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
    }


def _sent(message: Message) -> BaseMessage:
    if message.role == "assistant":
        calls = [{"id": call.id, "name": call.name, "args": dict(call.arguments or {})} for call in message.calls]
        return AIMessage(content=message.text, tool_calls=calls)
    if message.role == "tool":
        return ToolMessage(content=message.text, tool_call_id=message.answers)
    return SystemMessage(content=message.text) if message.role == "system" else HumanMessage(content=message.text)


def _message(found: BaseMessage) -> Message:
    text = found.content if isinstance(found.content, str) else ""
    if not isinstance(found, AIMessage):
        return Message("assistant", text)
    good = [Call(call["id"] or "", call["name"], call["args"]) for call in found.tool_calls]
    bad = [Call(call["id"] or "", call["name"] or "", None) for call in found.invalid_tool_calls]
    return Message("assistant", text, (*good, *bad))
