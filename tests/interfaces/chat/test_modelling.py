"""A model names a row of the table or none; what it says beyond that, and its failure, change nothing."""

from typing import Any

import pytest

from core.domain.errors import BudgetSpent, Unavailable
from core.domain.model import Question, Usage
from interfaces.chat import modelling
from interfaces.chat.intents import INTENTS
from runtime.settings import Settings


class Said:
    """A model that answers what it was told to, by the schema that it was given."""

    usage = Usage()

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Question] = []

    async def ask(self, question: Question, schema: Any) -> Any:
        self.asked.append(question)
        if isinstance(self.answer, Exception):
            raise self.answer
        return schema.model_validate({"row": self.answer})


@pytest.mark.parametrize(
    ("answer", "row"), [("approvals", "approvals"), ("none", ""), (Unavailable("model"), ""), (BudgetSpent("tokens"), "")]
)
async def test_a_row_or_nothing(answer: Any, row: str) -> None:
    assert await modelling.named("gibt es was zu entscheiden?", Said(answer)) == row


async def test_the_schema_has_no_other_name_and_secrets_do_not_leave() -> None:
    model = Said("delete_everything")
    with pytest.raises(ValueError, match="row"):
        await modelling.named("my password=hunter2hunter2", model)
    (question,) = model.asked
    assert "hunter2" not in question.text
    assert [quoted.id for quoted in question.evidence] == [row.name for row in INTENTS]


async def test_without_a_model_nobody_is_asked() -> None:
    assert await modelling.router(Settings())("anything") == ""
