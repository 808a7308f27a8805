"""Any OpenAI-compatible endpoint through langchain's ChatOpenAI.

Structured output is asked for by JSON schema: function calling gave None on local servers.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
from langchain_openai import ChatOpenAI
from langsmith import tracing_context
from pydantic import SecretStr, ValidationError

from core.domain.errors import Unavailable
from core.domain.model import Question, T, Usage
from tools.model import prompts
from tools.model.budget import Meter
from tools.model.limits import limit

ANSWER_TOKENS = 512
RETRY_AFTER = 5.0
PROVIDER = "https://api.openai.com/v1"  # said here: a client that is told none takes one from variables that other programs set
MEND = "check model.base_url; everything but free-text routing works without it"
MEND_KEY = "set model.api_key_file to a file with a key that the endpoint knows"
MEND_FORM = "name a model and an endpoint that answer by JSON schema: model.name, model.base_url"
REFUSALS: dict[int, tuple[str, str]] = {
    401: ("it does not know the key (401)", MEND_KEY),
    403: ("the key may not use this model (403)", MEND_KEY),
    404: ("it knows no such model or path (404)", "check model.name and model.base_url"),
    429: ("too many requests, or no credit left (429)", "wait, or look at the account behind model.api_key_file"),
}


def opened(*, base_url: str, name: str, key: str, seconds_per_call: int, answer_tokens: int) -> tuple[httpx.AsyncClient, ChatOpenAI]:
    """The client of an endpoint, and what to close after it."""
    host = urlsplit(base_url).hostname or ""
    loopback = host in ("localhost", "127.0.0.1", "::1")
    http = httpx.AsyncClient(
        trust_env=not loopback,
        timeout=seconds_per_call,
        follow_redirects=False,  # the key goes to the configured host only
        headers={"accept-encoding": "identity"},
        event_hooks={"response": [limit]},
    )
    chat = ChatOpenAI(
        base_url=base_url or PROVIDER,
        model=name,
        api_key=SecretStr(key or "none"),
        temperature=0,
        max_retries=0,  # a repeated call is one more call of the budget; the run goes on without the model instead
        max_completion_tokens=answer_tokens,
        http_async_client=http,
    )
    return http, chat


class Metered:
    """A client of an endpoint, and the meter that bounds what is asked through it."""

    def __init__(self, *, base_url: str, name: str, key: str, meter: Meter, seconds_per_call: int, answer_tokens: int) -> None:
        self._meter = meter
        self._seconds = seconds_per_call
        self._http, self._chat = opened(
            base_url=base_url, name=name, key=key, seconds_per_call=seconds_per_call, answer_tokens=answer_tokens
        )

    @property
    def usage(self) -> Usage:
        return self._meter.usage

    async def close(self) -> None:
        await self._http.aclose()


class OpenAiModel(Metered):
    """One run's model. `redact` sees every text before it is sent."""

    def __init__(
        self, *, base_url: str, name: str, key: str, meter: Meter, redact: Callable[[str], str], seconds_per_call: int = 30
    ) -> None:
        super().__init__(base_url=base_url, name=name, key=key, meter=meter, seconds_per_call=seconds_per_call, answer_tokens=ANSWER_TOKENS)
        self._redact = redact

    async def ask(self, question: Question, schema: type[T]) -> T:
        pairs = prompts.messages(question, self._redact)
        prompt_tokens = prompts.estimate(pairs)
        reserved = self._meter.admit(prompt_tokens, ANSWER_TOKENS)
        tokens = prompt_tokens
        started = time.monotonic()
        try:
            found = await self._answer(pairs, schema)
            tokens = counted(found.get("raw")) or prompt_tokens
            if found.get("parsing_error") is not None or not isinstance(found.get("parsed"), schema):
                raise _misfit()
            return cast("T", found["parsed"])
        finally:
            self._meter.settle(reserved, tokens, time.monotonic() - started)

    async def _answer(self, pairs: list[tuple[str, str]], schema: type[T]) -> dict[str, Any]:
        chat = self._chat.with_structured_output(schema, method="json_schema", include_raw=True)
        try:
            # tracing is switched on by variables that other programs set; prompts go to the configured endpoint and nowhere else
            with tracing_context(enabled=False):
                async with asyncio.timeout(min(self._seconds, self._meter.seconds_left)):
                    return cast("dict[str, Any]", await chat.ainvoke(pairs))
        except Exception as error:  # two client libraries over a stranger's answer: whatever they raise, the run goes on
            raise unavailable(error) from error


def _misfit() -> Unavailable:
    return Unavailable("the model", RETRY_AFTER, reason="its answer does not fit the schema", mend=MEND_FORM)


def unavailable(error: Exception) -> Unavailable:
    """Never the endpoint's own words: it may repeat the key."""
    if isinstance(error, ValidationError):  # the client library reads the answer by the schema before we do
        return _misfit()
    status = getattr(error, "status_code", 0)
    reason, mend = REFUSALS.get(status, (f"{type(error).__name__}{f', {status}' if status else ''}", MEND))
    return Unavailable("the model", RETRY_AFTER, reason=reason, mend=mend)


def counted(raw: object) -> int:
    """What the endpoint says it used; 0 where it says nothing sensible."""
    usage = getattr(raw, "usage_metadata", None) or {}
    total = usage.get("total_tokens")
    return total if isinstance(total, int) and total > 0 else 0
