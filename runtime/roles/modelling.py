"""The language model of one run, from the settings. For runs, questions and the doctor's probe; nothing is contacted until asked.

A key alone is not consent: without `model.enabled`, in the demo, and for a run without a budget of tokens there is no model.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from core.domain.conversation import Conversation
from core.domain.errors import InvalidInput
from core.domain.model import Model
from core.domain.request import Request, RunBudget
from core.policy.redaction import redact
from runtime.settings import ModelSettings, Settings


def budget(settings: Settings) -> RunBudget:
    """What a run may spend under these settings; without an enabled model, no tokens."""
    wanted = settings.model
    if not usable(settings):
        return RunBudget(writes=settings.flow.writes_per_run)
    return RunBudget(
        tokens=wanted.tokens_per_run,
        model_calls=wanted.calls_per_run,
        seconds=wanted.seconds_per_run,
        micro_usd=wanted.micro_usd_per_run,
        writes=settings.flow.writes_per_run,
    )


def usable(settings: Settings) -> bool:
    return settings.model.enabled and settings.profile != "demo"


class Available(NamedTuple):
    """A model, or why there is none."""

    model: Model | None
    without: str = ""


@contextlib.asynccontextmanager
async def available(settings: Settings, budget: RunBudget) -> AsyncIterator[Available]:
    """For a person who waits for an answer: a model that cannot be configured is a reason to go on without it, and never an error."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            model = await stack.enter_async_context(opened_within(settings, budget))
        except InvalidInput as error:
            found = Available(None, f"{error}; {error.mend}")
        else:
            found = Available(model, "" if model else _absent(settings))
        yield found


def _absent(settings: Settings) -> str:
    if not settings.model.enabled:
        return "model.enabled is not set"
    return "the demo asks none" if settings.profile == "demo" else "model.tokens_per_run is 0"


@contextlib.asynccontextmanager
async def opened(settings: Settings, request: Request) -> AsyncIterator[Model | None]:
    """The model of this request's run; see `opened_within`."""
    async with opened_within(settings, request.budget) as model:
        yield model


@contextlib.asynccontextmanager
async def opened_within(settings: Settings, budget: RunBudget) -> AsyncIterator[Model | None]:
    """None where there is none to ask. Raises InvalidInput where it is enabled and cannot be configured."""
    if not usable(settings) or budget.tokens == 0:
        yield None
        return
    from tools.model.budget import Meter
    from tools.model.openai import OpenAiModel  # heavy: only a run that asks a model pays for it

    wanted = settings.model
    meter = Meter(budget, micro_usd_per_1k_tokens=wanted.micro_usd_per_1k_tokens)
    model = OpenAiModel(
        base_url=wanted.base_url,
        name=_named(wanted),
        key=key(wanted.api_key_file, "model.api_key_file"),
        meter=meter,
        redact=redact,
        seconds_per_call=wanted.seconds_per_call,
    )
    try:
        yield model
    finally:
        await model.close()


@contextlib.asynccontextmanager
async def conversing(wanted: ModelSettings) -> AsyncIterator[Conversation]:
    """A talk with tools, within what one run may spend. Raises InvalidInput where no model is enabled, or it cannot be configured."""
    if not wanted.enabled:
        raise InvalidInput("model.enabled is not set", mend="set model.enabled, model.name and model.base_url: day2 config explain model")
    from tools.model.budget import Meter
    from tools.model.conversing import OpenAiConversation

    spent = RunBudget(
        tokens=wanted.tokens_per_run, model_calls=wanted.calls_per_run, seconds=wanted.seconds_per_run, micro_usd=wanted.micro_usd_per_run
    )
    talk = OpenAiConversation(
        base_url=wanted.base_url,
        name=_named(wanted),
        key=key(wanted.api_key_file, "model.api_key_file"),
        meter=Meter(spent, micro_usd_per_1k_tokens=wanted.micro_usd_per_1k_tokens),
        seconds_per_call=wanted.seconds_per_call,
    )
    try:
        yield talk
    finally:
        await talk.close()


def _named(wanted: ModelSettings) -> str:
    if not wanted.name:
        raise InvalidInput("model.enabled is set, but no model is named", mend="set model.name: day2 config explain model.name")
    return wanted.name


def key(file: Path | None, setting: str) -> str:
    """The text of a key file; empty where none is set. Raises InvalidInput naming the setting."""
    try:
        return file.expanduser().read_text(encoding="utf-8").strip() if file else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text"
        raise InvalidInput(f"cannot read {file}: {reason}", mend=f"set {setting} to a readable file") from error
