"""A model's word on which row of the table a text means, where the words alone are not sure and a model is enabled.

Constrained: it names a row or none, by a schema of exactly these names. It adds nothing, and when it fails the words stand alone.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from core.domain.errors import BudgetSpent, Unavailable
from core.domain.model import Model, Question
from core.domain.quoting import Quoted
from core.policy.redaction import redact
from interfaces.chat.intents import INTENTS
from interfaces.chat.talking import Route
from runtime.roles import modelling
from runtime.settings import Settings

NONE = "none"
INSTRUCTION = (
    "A person wrote the message below to an operations assistant. Which one of these rows does it ask for? Their descriptions are the "
    "evidence. Name `none` when it asks for none of them."
)


def router(settings: Settings) -> Route:
    """One question to the model for each message that the words leave open."""

    async def route(text: str) -> str:
        async with modelling.available(settings, modelling.budget(settings)) as found:
            return await named(text, found.model) if found.model is not None else ""

    return route


async def named(text: str, model: Model) -> str:
    """The row's name; empty where it names none, or does not answer."""
    evidence = tuple(Quoted(row.name, f"{row.says} Such as: {'; '.join((row.shown, *row.examples[:4]))}") for row in INTENTS)
    try:
        answer = await model.ask(Question("chat", INSTRUCTION, text=redact(text), evidence=evidence), _schema())
    except (Unavailable, BudgetSpent):
        return ""
    found = str(getattr(answer, "row", NONE))
    return "" if found == NONE else found


def _schema() -> type[BaseModel]:
    names = Literal[(*(row.name for row in INTENTS), NONE)]  # type: ignore[valid-type]  # the enum is made of the table
    row = (names, Field(description="name of the row that is asked for, or none"))
    made: type[BaseModel] = create_model("RowAskedFor", __config__=ConfigDict(extra="forbid"), row=row)  # type: ignore[arg-type]
    return made
