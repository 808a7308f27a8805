"""Runs, as the doors offer them: asked for, listed, shown."""

from typing import Any, NamedTuple

from pydantic import Field

from core.domain.access import Caller, Right
from core.domain.errors import InvalidInput
from core.domain.intake import Asked
from core.domain.request import Request, RunBudget, Trigger
from core.policy.redaction import redact
from runtime.services.offering import Offer, Ports, Wanted
from runtime.services.running import Run

TRIGGERS: dict[str, Trigger] = {"api": "api", "mcp": "api", "cli": "cli"}


class Limit(Wanted):
    limit: int = Field(default=50, ge=1, le=1000)


class OneRun(Wanted):
    run: str = Field(max_length=64, description="run-...")


class Question(Wanted):
    text: str = Field(min_length=1, max_length=4000, description="in words")
    namespaces: tuple[str, ...] = Field(default=(), max_length=100, description="where to look; empty: everywhere")
    agents: tuple[str, ...] = Field(default=(), max_length=10, description="whom to ask; empty: the supervisor chooses")
    id: str = Field(default="", max_length=64, pattern=r"^(run-[0-9a-z-]{1,60})?$", description="the same id is the same run")
    thread: str = Field(default="", max_length=200, description="the conversation it belongs to")


class Shown(NamedTuple):
    """`answer` is what a finished run answered, None while it works; `asked` is None for a run that no door asked for."""

    run: Run | None
    asked: Asked | None
    answer: dict[str, Any] | None


async def listed(ports: Ports, _caller: Caller, wanted: Limit) -> list[Run]:
    return ports.history.runs(wanted.limit)


async def shown(ports: Ports, _caller: Caller, wanted: OneRun) -> Shown:
    asked = ports.intake.get(wanted.run)
    try:
        run = ports.history.run(wanted.run)
    except InvalidInput:
        if asked is None:
            raise
        return Shown(None, asked, None)
    return Shown(run, asked, await ports.answer(wanted.run) if run.finished_at else None)


async def asked(ports: Ports, caller: Caller, wanted: Question) -> Asked:
    """A question: it looks and answers, and submits nothing."""
    return _put(ports, caller, wanted, act=False)


async def started(ports: Ports, caller: Caller, wanted: Question) -> Asked:
    """A run whose proposals go before the judge."""
    return _put(ports, caller, wanted, act=True)


def _put(ports: Ports, caller: Caller, wanted: Question, *, act: bool) -> Asked:
    request = Request(
        id=wanted.id or ports.ids.new("run"),
        trigger=TRIGGERS.get(caller.door, "chat"),
        by=caller.by,
        text=redact(wanted.text),
        namespaces=wanted.namespaces,
        agents=wanted.agents,
        act=act,
        budget=RunBudget(writes=ports.writes_per_run),
        at=ports.clock.now(),
    )
    ports.intake.put(request, door=caller.door, thread=wanted.thread)
    found = ports.intake.get(request.id)
    if found is None:  # it was put a moment ago, and nobody takes rows away
        raise InvalidInput(f"request {request.id} is not there", mend="day2 doctor")
    return found


OFFERS = (
    Offer("runs.list", Right.READ, "Runs, newest first.", Limit, listed),
    Offer("runs.get", Right.READ, "One run: what was asked, what came of it, its actions and their way.", OneRun, shown),
    Offer(
        "questions.ask",
        Right.READ,
        "Ask in words. Agents look and answer with evidence; nothing is submitted.",
        Question,
        asked,
        writes=True,
    ),
    Offer("runs.start", Right.PROPOSE, "Start a run whose proposals go before the judge.", Question, started, writes=True),
)
