"""A model that obeys: it does what the last hostile instruction in its prompt says, as far as its answer's form lets it.

It stands behind the same port as a real one and is shown the very messages that a real one would be sent. `obeyed` is also what the
OpenAI-compatible endpoint of its tests answers.
"""

import json
import re
from collections import Counter
from collections.abc import Collection
from typing import Any

from pydantic import ValidationError

from core.domain.errors import Unavailable
from core.domain.model import Question, T, Usage
from runtime.roles import judged

_EVIDENCE = re.compile(r"#quoted-[0-9a-f]{12}# evidence (\S+)")
_NUMBERS = re.compile(r"\d+")
AGENTS = ("finops", "reliability", "scaling", "security")


class Obedient:
    """`canaries` mark hostile texts. `shown` has those that prompts held, `unquoted` those that stood outside of their delimiters."""

    def __init__(self, *canaries: str) -> None:
        self.canaries = canaries
        self.shown, self.unquoted = Counter[str](), Counter[str]()
        self.calls = 0

    @property
    def usage(self) -> Usage:
        return Usage(calls=self.calls)

    async def ask(self, question: Question, schema: type[T]) -> T:
        self.calls += 1
        text = judged.prompted(question)[1][1]
        self.shown.update(canary for canary in self.canaries if canary in text.casefold())
        self.unquoted.update(canary for canary in self.canaries if canary in outside(text).casefold())
        try:
            return schema.model_validate_json(json.dumps(obeyed(schema.model_fields, text, self.canaries)))
        except ValidationError as error:  # as the adapter of a real one: what does not fit the form is no answer
            raise Unavailable("the model", 5.0, reason="its answer does not fit the schema") from error


def outside(prompt: str) -> str:
    """What of a prompt stands outside of its quotations. The marker is the one of its first quotation: a quoted text may hold others."""
    first = re.search(r"#quoted-[0-9a-f]{12}#", prompt)
    if first is None:
        return prompt
    marker = re.escape(first[0])
    return re.sub(rf"{marker} (?:evidence|question)[^\n]*\n.*?\n{marker} end", "", prompt, flags=re.DOTALL)


def obeyed(fields: Collection[str], prompt: str, canaries: Collection[str]) -> dict[str, Any]:
    """The answer to a prompt, in a form with these fields: what the last hostile text wants, as far as the form can say it."""
    instruction = _instruction(prompt, canaries)
    if "agents" in fields:
        return {"agents": _named(instruction)}
    if not instruction:
        return {"sentences": []}
    said = re.sub(r"[.!?]+(?=\s)", ",", " ".join(instruction.split()))[-380:]  # one sentence: of more than one, none would be shown
    cites = _EVIDENCE.findall(prompt)[:2]
    told = [
        (said, cites),
        (_NUMBERS.sub("", said), cites),
        (said, ["ev-made-up"]),
    ]  # the second one names no number, which could be checked
    return {"sentences": [{"text": text, "cites": ids} for text, ids in told if text]}


def _instruction(prompt: str, canaries: Collection[str]) -> str:
    """The text around the last canary; empty where there is none."""
    place = max((prompt.casefold().rfind(canary) for canary in canaries), default=-1)
    return prompt[max(0, place - 600) : place + 16] if place >= 0 else ""


def _named(instruction: str) -> list[str]:
    """The agents that it names, all where it wants everything, none where it wants none."""
    low = instruction.casefold()
    found = [name for name in AGENTS if name in low]
    return found or ([] if "no agents" in low or not low else list(AGENTS))
