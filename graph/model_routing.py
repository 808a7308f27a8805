"""Choosing agents with a model's opinion beside the rules. For runs, `day2 ask` and `day2 route` where a model is enabled.

The model names agents out of those that live; the rules of `graph.supervising` decide what becomes of it, and stand alone when it fails.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, create_model

from core.domain.errors import BudgetSpent, Unavailable
from core.domain.model import Model, Question
from core.domain.quoting import Quoted
from core.domain.request import Request
from core.domain.values import bounded
from graph import supervising
from graph.routes import Route
from registry.membership import Member

INSTRUCTION = (
    "A person asks the question below. Which of the agents {names} should look into it? Their descriptions are the evidence. "
    "Name only agents whose business it is; name none when it is nobody's."
)
MOST_AGENTS = 4


Members = Callable[[], Awaitable[Sequence[Member]]]
Models = Callable[[Request], AbstractAsyncContextManager[Model | None]]
"""One run's model, closed with the block; None where the settings or the run have none."""


@dataclass(frozen=True)
class ModelRouting:
    """Implements `graph.context.Supervising`. `members` answers also when the registry does not: with the agents of this process."""

    members: Members
    models: Models

    async def choose(self, request: Request) -> Route:
        members = await self.members()
        async with self.models(request) as model:
            return await choose(request, members, model)


class Suggestion(NamedTuple):
    """Agents that a model named; `without` says why it was not heard."""

    agents: tuple[str, ...] = ()
    without: str = ""


async def choose(request: Request, members: Sequence[Member], model: Model | None) -> Route:
    """The route; without a model, or when it fails, the one by words, which then says so."""
    if model is None or not asks_the_model(request):
        return supervising.choose(request, members)
    suggestion = await suggested(request, members, model)
    route = supervising.choose(request, members, suggestion.agents)._replace(usage=model.usage)
    return _saying(route, suggestion.without) if suggestion.without else route


def asks_the_model(request: Request) -> bool:
    """Free text of a person, in a run that may use a model. Names, schedules and empty texts need no opinion."""
    return bool(request.text.strip()) and not request.agents and request.trigger != "schedule" and request.budget.tokens > 0


async def suggested(request: Request, members: Sequence[Member], model: Model) -> Suggestion:
    """Only names of members that take work: the schema has no others, and what comes back is compared with it again."""
    alive = {member.name: member for member in members if member.takes_work}
    if not alive:
        return Suggestion()
    names = sorted(alive)
    evidence = tuple(Quoted(name, alive[name].card.description) for name in names)
    question = Question("routing", INSTRUCTION.format(names=", ".join(names)), text=request.text, evidence=evidence)
    try:
        answer = await model.ask(question, _schema(names))
    except (Unavailable, BudgetSpent) as error:
        return Suggestion(without=bounded(str(error), 120))
    named = getattr(answer, "agents", ())
    return Suggestion(tuple(name for name in dict.fromkeys(named) if name in alive)[:MOST_AGENTS])


def _schema(names: Sequence[str]) -> type[BaseModel]:
    allowed = Literal[tuple(names)]  # type: ignore[valid-type]  # the enum is made of who lives now
    agents = (list[allowed], Field(max_length=MOST_AGENTS, description="names of the agents to ask"))  # type: ignore[valid-type]
    made: type[BaseModel] = create_model("AgentsToAsk", __config__=ConfigDict(extra="forbid"), agents=agents)
    return made


def _saying(route: Route, without: str) -> Route:
    """The same route, which says that the model was not heard; so does each reason."""
    note = f"by words only, without the model: {without}"
    chosen = tuple(choice._replace(why=f"{choice.why}; {note}") for choice in route.chosen)
    return route._replace(chosen=chosen, nobody=f"{route.nobody}; {note}" if route.nobody else "", without_model=without)
