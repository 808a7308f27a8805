"""Any OpenAI-compatible endpoint through langchain's ChatOpenAI, with structured output by JSON schema (function calling gave None on local servers)."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import openai
from langchain_core.exceptions import OutputParserException
from langchain_openai import ChatOpenAI
from pydantic import SecretStr, ValidationError

from core.domain.errors import Unavailable
from core.domain.model import Question, T, Usage
from tools.model import prompts
from tools.model.budget import Meter

ANSWER_TOKENS = 512


class OpenAiModel:
    """One run's model. `redact` sees every text before it is sent."""

    def __init__(
        self, *, base_url: str, name: str, key: str, meter: Meter, redact: Callable[[str], str], seconds_per_call: int = 30
    ) -> None:
        host = urlsplit(base_url).hostname or ""
        loopback = host in ("localhost", "127.0.0.1", "::1")
        self._meter = meter
        self._redact = redact
        self._seconds = seconds_per_call
        self._http = httpx.AsyncClient(trust_env=not loopback, timeout=seconds_per_call)
        self._chat = ChatOpenAI(
            base_url=base_url or None,
            model=name,
            api_key=SecretStr(key or "none"),
            temperature=0,
            max_retries=1,
            max_completion_tokens=ANSWER_TOKENS,
            http_async_client=self._http,
        )

    @property
    def usage(self) -> Usage:
        return self._meter.usage

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(self, question: Question, schema: type[T]) -> T:
        pairs = [(role, self._redact(text)) for role, text in prompts.messages(question)]
        self._meter.admit(prompts.estimate(pairs), ANSWER_TOKENS)
        started = time.monotonic()
        tokens = prompts.estimate(pairs)
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._chat.with_structured_output(schema, method="json_schema", include_raw=True).ainvoke(pairs)
            found = cast("dict[str, Any]", answer)
            tokens = _tokens(found.get("raw")) or tokens
            if found.get("parsing_error") is not None or not isinstance(found.get("parsed"), schema):
                raise Unavailable("the model", 5.0, reason="its answer does not fit the schema")
            return cast("T", found["parsed"])
        except (openai.OpenAIError, httpx.HTTPError, TimeoutError, OutputParserException, ValidationError, ValueError) as error:
            raise Unavailable(
                "the model",
                5.0,
                reason=type(error).__name__,
                mend="check model.base_url; everything but free-text routing works without it",
            ) from error
        finally:
            self._meter.settle(tokens, time.monotonic() - started)


def _tokens(raw: object) -> int:
    usage = getattr(raw, "usage_metadata", None) or {}
    return int(usage.get("total_tokens") or 0)
