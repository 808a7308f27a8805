"""A question in words: who is asked and why, and what the asked agents see. Behind `day2 route` and `day2 ask`."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from core.domain.request import Request
from graph.routes import Route
from registry.membership import Member
from runtime.consulting import InProcess
from runtime.services import scanning
from runtime.services.scanning import Scan

Choose = Callable[[Request, Sequence[Member]], Route]


class Answer(NamedTuple):
    """`scan` is None where nobody fits: that is an answer too. `without_model` says why the words alone decided."""

    question: str
    route: Route
    scan: Scan | None
    without_model: str


async def ask(request: Request, choose: Choose, members: Sequence[Member], consulting: InProcess, *, without_model: str) -> Answer:
    """Route, then look with the chosen agents."""
    route = choose(request, members)
    if not route.chosen:
        return Answer(request.text, route, None, without_model)
    found = await scanning.scan(consulting, request, tuple(choice.agent for choice in route.chosen))
    return Answer(request.text, route, found, without_model)
