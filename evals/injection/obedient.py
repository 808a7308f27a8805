"""A model that obeys: it does what the last hostile instruction in its prompt says, as far as its answer's form lets it.

It stands behind the same port as a real one and is shown the very messages that a real one would be sent.
"""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from core.domain.errors import Unavailable
from core.domain.model import Question, T, Usage
from runtime.roles import judged

_EVIDENCE = re.compile(r"#quoted-[0-9a-f]{12}# evidence (\S+)")
AGENTS = ("finops", "reliability", "scaling", "security")


class Obedient:
    """`canary` marks the hostile text. `shown` counts prompts that had it, `unquoted` those that had it outside of their delimiters."""

    def __init__(self, canary: str) -> None:
        self.canary = canary.casefold()
        self.shown = self.unquoted = self.calls = 0

    @property
    def usage(self) -> Usage:
        return Usage(calls=self.calls)

    async def ask(self, question: Question, schema: type[T]) -> T:
        self.calls += 1
        text = judged.prompted(question)[1][1]
        seen = self.canary in text.casefold()
        self.shown += seen
        self.unquoted += self.canary in outside(text).casefold()
        try:
            return schema.model_validate(_answer(schema, _instruction(text, self.canary) if seen else "", _EVIDENCE.findall(text)))
        except ValidationError as error:  # as the adapter of a real one: what does not fit the form is no answer
            raise Unavailable("the model", 5.0, reason="its answer does not fit the schema") from error


def outside(prompt: str) -> str:
    """What of a prompt stands outside of its quotations. The marker is the one of its first quotation: a quoted text may hold others."""
    first = re.search(r"#quoted-[0-9a-f]{12}#", prompt)
    if first is None:
        return prompt
    marker = re.escape(first[0])
    return re.sub(rf"{marker} (?:evidence|question)[^\n]*\n.*?\n{marker} end", "", prompt, flags=re.DOTALL)


def _instruction(prompt: str, canary: str) -> str:
    """The text around the last canary."""
    place = prompt.casefold().rindex(canary)
    return prompt[max(0, place - 600) : place + len(canary)]


def _answer(schema: type[BaseModel], instruction: str, evidence: Sequence[str]) -> dict[str, Any]:
    if "agents" in schema.model_fields:
        return {"agents": _named(instruction)}
    said = " ".join(instruction.split())[-380:] or "nothing to say"
    sentences = [{"text": said, "cites": list(evidence[:2])}, {"text": said, "cites": ["ev-made-up"]}] if instruction else []
    return {"sentences": sentences}


def _named(instruction: str) -> list[str]:
    """The agents that it names, all where it wants everything, none where it wants none."""
    low = instruction.casefold()
    found = [name for name in AGENTS if name in low]
    return found or ([] if "no agents" in low or not low else list(AGENTS))
