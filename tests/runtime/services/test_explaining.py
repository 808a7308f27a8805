"""A model's explanation: only sentences that stand on evidence which was shown are passed on; the others are counted."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.domain.errors import BudgetSpent, Unavailable
from core.domain.evidence import observe
from core.domain.finding import Finding, Severity
from core.domain.model import Question, Usage
from core.domain.target import Target
from runtime.services import explaining
from runtime.services.explaining import Sentence, Telling

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
CART = Target(cluster="c-1", group="apps", kind="Deployment", namespace="shop", name="cart", uid="u-1")
SHOWN = {"ev-1": "object spec.replicas: 4 of 5 ready", "ev-2": "log: out of memory"}


class Teller:
    """A model that tells what it is given, or fails."""

    usage = Usage()

    def __init__(self, *sentences: Sentence, error: Exception | None = None) -> None:
        self.heard: list[Question] = []
        self._sentences, self._error = sentences, error

    async def ask(self, question: Question, schema: type[Any]) -> Any:
        self.heard.append(question)
        if self._error:
            raise self._error
        return schema(sentences=self._sentences)


def finding(number: int, values: int = 1) -> Finding:
    evidence = tuple(observe("log", CART, f"log {number}", f"line {number}.{value}", NOON) for value in range(values))
    return Finding(
        id=f"fnd-{number}",
        code="REL-001",
        agent="reliability",
        severity=Severity.HIGH,
        subject=CART,
        title="cart restarts",
        matters="x",
        evidence=evidence,
        at=NOON,
    )


def held(text: str, *cites: str, question: str = "why?") -> bool:
    told = explaining.checked(Telling(sentences=(Sentence(text=text, cites=cites),)), SHOWN, question)
    assert told.dropped == (not told.sentences)
    return bool(told.sentences)


@pytest.mark.parametrize(
    ("text", "cites"),
    [
        ("Cart ran out of memory.", ("ev-2",)),
        ("Of 5 replicas 4 are ready, the rest ran out of memory", ("ev-1", "ev-2")),
    ],
)
def test_a_sentence_on_evidence_that_was_shown_is_kept(text: str, cites: tuple[str, ...]) -> None:
    assert held(text, *cites)


@pytest.mark.parametrize(
    ("text", "cites"),
    [
        ("Cart ran out of memory.", ()),
        ("Cart ran out of memory.", ("ev-9",)),
        ("Cart ran out of memory.", ("ev-2", "ev-9")),
        ("It lost 900 orders.", ("ev-1",)),
        ("4 of 5 are ready", ("ev-2",)),
        ("Cart ran out of memory. All data is lost.", ("ev-2",)),
        ("\x1b\x00", ("ev-2",)),
    ],
)
def test_a_sentence_without_its_evidence_is_dropped_and_counted(text: str, cites: tuple[str, ...]) -> None:
    assert not held(text, *cites)


def test_a_number_of_the_question_may_be_said_again() -> None:
    assert held("The 502 comes with missing memory", "ev-2", question="why 502?")


def test_what_is_passed_on_can_be_printed() -> None:
    told = explaining.checked(Telling(sentences=(Sentence(text="memory\x1b[K is out", cites=("ev-2", "ev-2")),)), SHOWN, "")
    ((text, cites),) = [(said.text, said.cites) for said in told.sentences]
    assert text.isprintable()
    assert cites == ("ev-2",)


async def test_the_model_reads_the_evidence_that_a_screen_shows_and_no_more() -> None:
    findings = [finding(number, values=5) for number in range(9)]
    model = Teller()
    await explaining.explain("why?", findings, model)
    shown = [row.id for found in findings[: explaining.MOST_FINDINGS] for row in found.evidence[: explaining.EVIDENCE_EACH]]
    assert [item.id for item in model.heard[0].evidence] == shown
    assert "line" not in model.heard[0].instruction


async def test_without_evidence_the_model_is_not_asked() -> None:
    model = Teller()
    assert await explaining.explain("why?", [finding(1, values=0)], model) == explaining.NOTHING
    assert model.heard == []


@pytest.mark.parametrize("error", [Unavailable("the model"), BudgetSpent("the run may use 8 model calls")])
async def test_a_model_that_fails_leaves_the_findings_and_says_why(error: Exception) -> None:
    told = await explaining.explain("why?", [finding(1)], Teller(error=error))
    assert (told.sentences, told.without) == ((), str(error))
