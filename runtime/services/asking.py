"""A question in words: who is asked and why, what the asked agents see, and a model's words on it. Behind `day2 ask`."""

from collections.abc import Sequence
from typing import NamedTuple

from core.domain.model import Model, Usage
from core.domain.request import Request
from graph import model_routing
from graph.routes import Route
from registry.membership import Member
from runtime.consulting import InProcess
from runtime.services import explaining, scanning
from runtime.services.explaining import Told
from runtime.services.scanning import Scan


class Answer(NamedTuple):
    """`scan` is None where nobody fits: that is an answer too. `usage` is what the model cost, over the whole question."""

    question: str
    route: Route
    scan: Scan | None
    told: Told
    usage: Usage


async def ask(request: Request, members: Sequence[Member], consulting: InProcess, model: Model | None, *, without: str = "") -> Answer:
    """Route, look with the chosen agents, explain. `without` says why there is no model; one that failed once is not asked again."""
    found = await route(request, members, model, without=without)
    if not found.chosen:
        return Answer(request.text, found, None, explaining.NOTHING, found.usage)
    seen = await scanning.scan(consulting, request, tuple(choice.agent for choice in found.chosen))
    if model is None or found.without_model:
        return Answer(request.text, found, seen, explaining.NOTHING, found.usage)
    told = await explaining.explain(request.text, seen.findings, model)
    return Answer(request.text, found, seen, told, model.usage)


async def route(request: Request, members: Sequence[Member], model: Model | None, *, without: str = "") -> Route:
    """Who would be asked. Behind `day2 route`."""
    found = await model_routing.choose(request, members, model)
    return found._replace(without_model=found.without_model or without)
