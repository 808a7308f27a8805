"""A model's opinion beside the rules: it can add agents that live, and nothing else."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from core.domain.errors import BudgetSpent, Unavailable
from core.domain.model import Question, Usage
from core.domain.request import Request, RunBudget
from graph import model_routing
from registry.cards import Card
from registry.membership import Member, State

BUDGET = RunBudget(tokens=5000, model_calls=2, micro_usd=100_000)


@dataclass
class Opinionated:
    """A model that names what it is told to, or fails."""

    names: tuple[str, ...] = ()
    error: Exception | None = None
    heard: list[Question] = field(default_factory=list)
    schemas: list[Any] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)

    async def ask(self, question: Question, schema: type[Any]) -> Any:
        self.heard.append(question)
        self.schemas.append(schema)
        if self.error:
            raise self.error
        return schema.model_construct(agents=list(self.names))


def member(name: str, state: State = State.READY) -> Member:
    card = Card(name=name, description=f"what {name} does", version="1")
    return Member(name, state, card, card.digest(), ("one",), 1000)


MEMBERS = (member("finops"), member("reliability"), member("scaling"), member("security", State.EXPIRED))


@pytest.fixture
def ask(make: Any) -> Callable[..., Request]:
    def asking(text: str = "hmm, the thing with the blue graph", **more: Any) -> Request:
        return make.request(**{"text": text, "budget": BUDGET} | more)

    return asking


async def test_a_model_finds_agents_where_words_find_none(ask: Any) -> None:
    route = await model_routing.choose(ask(), MEMBERS, Opinionated(("scaling",)))
    assert [(choice.agent, choice.why) for choice in route.chosen] == [("scaling", "suggested by the model")]


async def test_a_model_adds_to_what_words_say_and_takes_nothing_away(ask: Any) -> None:
    route = await model_routing.choose(ask("cut our costs"), MEMBERS, Opinionated(("scaling",)))
    assert [choice.agent for choice in route.chosen] == ["finops", "scaling"]


async def test_names_that_are_not_alive_or_unknown_are_not_taken(ask: Any) -> None:
    route = await model_routing.choose(ask(), MEMBERS, Opinionated(("security", "root", "finops", "finops")))
    assert [choice.agent for choice in route.chosen] == ["finops"]


async def test_the_schema_offers_living_agents_only(ask: Any) -> None:
    model = Opinionated()
    await model_routing.choose(ask(), MEMBERS, model)
    schema = model.schemas[0]
    assert schema.model_json_schema()["properties"]["agents"]["items"]["enum"] == ["finops", "reliability", "scaling"]
    with pytest.raises(ValidationError):
        schema.model_validate({"agents": ["security"]})
    assert issubclass(schema, BaseModel)


async def test_descriptions_come_as_quoted_evidence_and_not_as_instruction(ask: Any) -> None:
    model = Opinionated()
    await model_routing.choose(ask("a question"), MEMBERS, model)
    (question,) = model.heard
    assert question.text == "a question"
    assert "a question" not in question.instruction
    assert [item.id for item in question.evidence] == ["finops", "reliability", "scaling"]
    assert "what finops does" not in question.instruction


@pytest.mark.parametrize("error", [Unavailable("the model", reason="TimeoutError"), BudgetSpent("the run may use 0 tokens")])
async def test_a_model_that_fails_leaves_the_route_by_words_which_says_so(ask: Any, error: Exception) -> None:
    route = await model_routing.choose(ask("cut our costs"), MEMBERS, Opinionated(error=error))
    (choice,) = route.chosen
    assert choice.agent == "finops"
    assert "without the model" in choice.why
    assert str(error) in choice.why


async def test_when_nobody_fits_and_the_model_failed_that_is_said_too(ask: Any) -> None:
    route = await model_routing.choose(ask(), MEMBERS, Opinionated(error=Unavailable("the model")))
    assert route.chosen == ()
    assert "without the model" in route.nobody


@pytest.mark.parametrize("more", [{"agents": ("finops",)}, {"text": ""}, {"trigger": "schedule"}, {"budget": RunBudget()}])
async def test_the_model_is_not_asked_where_no_opinion_is_needed(ask: Any, more: Any) -> None:
    model = Opinionated(("scaling",))
    await model_routing.choose(ask(**more), MEMBERS, model)
    assert model.heard == []


async def test_without_a_model_the_words_decide(ask: Any) -> None:
    route = await model_routing.choose(ask("cut our costs"), MEMBERS, None)
    assert [choice.agent for choice in route.chosen] == ["finops"]


async def test_with_nobody_alive_nobody_is_asked_about(ask: Any) -> None:
    model = Opinionated(("finops",))
    route = await model_routing.choose(ask("cut our costs"), (member("finops", State.EXPIRED),), model)
    assert model.heard == []
    assert route.chosen == ()
    assert "expired" in route.nobody


async def test_the_router_opens_one_model_per_request_and_closes_it(ask: Any) -> None:
    events: list[str] = []

    async def members() -> tuple[Member, ...]:
        return MEMBERS

    @contextlib.asynccontextmanager
    async def models(request: Request) -> AsyncIterator[Opinionated]:
        events.append(f"open {request.id}")
        yield Opinionated(("scaling",))
        events.append("close")

    route = await model_routing.ModelRouting(members, models).choose(ask())
    assert [choice.agent for choice in route.chosen] == ["scaling"]
    assert events == ["open run-1", "close"]
