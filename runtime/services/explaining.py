"""What findings mean together, in a model's words that code has checked. Behind `day2 ask`, beside the findings and never instead of them.

A model adds no facts: each sentence must cite evidence that it was shown, and may name no number that stands in none of it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import Field

from core.domain.errors import BudgetSpent, Unavailable
from core.domain.finding import Finding
from core.domain.model import Model, Question
from core.domain.quoting import Quoted
from core.domain.values import Value, bounded

INSTRUCTION = (
    "A person asks the question below; the evidence is what was found on the cluster. Explain in a few short sentences what it means for "
    "the question, the root cause first. Each item is one sentence and cites the ids of the evidence that shows it. "
    "Say only what the evidence shows, and take numbers from it as they stand."
)
MOST_FINDINGS = 5
EVIDENCE_EACH = 3
"""The findings and the evidence that a screen shows: what is cited can be read there."""
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_SECOND_SENTENCE = re.compile(r"[.!?]\s+\S")


class Sentence(Value):
    text: str = Field(min_length=1, max_length=400, description="one sentence")
    cites: tuple[str, ...] = Field(max_length=8, description="ids of the evidence that shows it")


class Telling(Value):
    """What is asked of the model."""

    sentences: tuple[Sentence, ...] = Field(max_length=8)


class Told(NamedTuple):
    """Sentences that held; `dropped` counts those that did not. `without` says why there is none, where that needs a reason."""

    sentences: tuple[Sentence, ...] = ()
    dropped: int = 0
    without: str = ""


NOTHING = Told()


async def explain(question: str, findings: Sequence[Finding], model: Model) -> Told:
    """Findings come worst first. Without evidence there is nothing to explain, and the model is not asked."""
    shown = evidence(findings)
    if not shown:
        return NOTHING
    quoted = tuple(Quoted(name, text) for name, text in shown.items())
    try:
        telling = await model.ask(Question("explanation", INSTRUCTION, text=question, evidence=quoted), Telling)
    except (Unavailable, BudgetSpent) as error:
        return Told(without=bounded(str(error), 120))
    return checked(telling, shown, question)


def evidence(findings: Sequence[Finding]) -> dict[str, str]:
    """Id to what the model reads: what was observed, and for which finding."""
    shown: dict[str, str] = {}
    for finding in findings[:MOST_FINDINGS]:
        where = f"{finding.subject.kind} {finding.subject.namespace}/{finding.subject.name}"
        for row in finding.evidence[:EVIDENCE_EACH]:
            seen = f"{row.source} {bounded(row.query, 120)}: {bounded(row.value, 200)}"
            shown.setdefault(row.id, bounded(f"{seen} (finding on {where}, {finding.severity}: {finding.title})", 512))
    return shown


def checked(telling: Telling, shown: Mapping[str, str], question: str) -> Told:
    kept = tuple(
        Sentence(text=bounded(said.text, 400), cites=tuple(dict.fromkeys(said.cites)))
        for said in telling.sentences
        if _holds(said, shown, question)
    )
    return Told(kept, len(telling.sentences) - len(kept))


def _holds(said: Sentence, shown: Mapping[str, str], question: str) -> bool:
    """One sentence that can be read, that cites only what was shown, and whose numbers stand there or in the question."""
    if not said.cites or not set(said.cites) <= set(shown) or not bounded(said.text).strip() or _SECOND_SENTENCE.search(said.text):
        return False
    known = " ".join((question, *(shown[name] for name in said.cites)))
    return set(_NUMBER.findall(said.text)) <= set(_NUMBER.findall(known))
