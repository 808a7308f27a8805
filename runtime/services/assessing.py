"""Finished runs, assessed: what is stored of one, which are due, what is recorded of them. Behind the controller and `day2 eval`.

What is recorded can lower what is trusted: the judge counts the actions of the chain `assessor` as misses. Nothing here raises anything.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from core.assessing import opinions, reading
from core.assessing.answers import Assessment, Outcome
from core.assessing.opinions import Heard, Opinion
from core.assessing.reading import Stored
from core.assessing.requirements import assessed
from core.assessing.trajectory import Trajectory
from core.domain.errors import BudgetSpent, InvalidInput, Unavailable
from core.domain.ledger import Ledger
from core.domain.model import Model
from core.domain.request import Request
from core.domain.values import bounded, digest
from runtime.services import recording, running

ASSESSED, MISSED = "assessment.done", "assessment.missed"
ASSESSOR = "assessor"
"""The chain of misses: it holds nothing else, so that the judge reads little."""
LOOKBACK = timedelta(days=7)
"""What ended earlier is history, and is not assessed any more."""
Asked = Literal["none", "heard", "aside", "silent"]
"""Whether a model was asked: its answer was heard, left aside, or did not come."""


def stored(ledger: Ledger, run_id: str, response: Mapping[str, Any], later: Mapping[str, Any] | None = None) -> Stored:
    """What there is of a run. Raises InvalidInput where its request was not kept: then nothing can be held against it."""
    run = running.get(ledger, run_id)
    start = next((link for link in run.way if link.event == running.STARTED), None)
    if start is None or run.finished_at is None:
        raise InvalidInput(f"{bounded(run_id, 40)!r} is no finished run of day2 serve", mend="day2 run list")
    try:
        request = Request.model_validate_json(start.body)
    except ValueError as error:
        raise InvalidInput(f"the request of {bounded(run_id, 40)!r} was too long to be kept whole", mend="day2 run get") from error
    approvals = [approval for row in run.actions for approval in ledger.approvals(row.action_id)]
    ends = [run.finished_at, *(row.changed_at for row in run.actions)]
    return Stored(request, response, run.actions, approvals, run.way, max(ends), later)


def by_code(found: Stored) -> tuple[Trajectory, Assessment]:
    run = reading.trajectory(found)
    return run, assessed(run)


async def with_model(run: Trajectory, assessment: Assessment, model: Model | None) -> tuple[Heard, Asked]:
    """What a model adds, and whether it was heard. A run without actions has nothing to ask of."""
    if model is None or not run.steps:
        return Heard(assessment), "none"
    try:
        opinion = await model.ask(opinions.question(run), Opinion)
    except (Unavailable, BudgetSpent) as error:
        return Heard(assessment, bounded(str(error), 200)), "silent"
    heard = opinions.heard(run, assessment, opinion)
    return heard, "aside" if heard.aside else "heard"


def sampled(run_id: str, percent: int) -> bool:
    """Whether a model sees this run: by its id, so that nobody chooses, and the same run is always the same."""
    return int(digest(["sampled", run_id])[:8], 16) % 100 < percent


def record(ledger: Ledger, heard: Heard, asked: Asked, at: datetime, *, role: str, lowers: bool) -> None:
    """The whole in the chain of `role`; each action in which a requirement is violated in the assessor's, where that may lower."""
    found = heard.assessment
    body = {
        "outcome": found.outcome.value,
        "violated": {answer.requirement: bounded(answer.why, 160) for answer in found.violated[:8]},
        "unknown": [answer.requirement for answer in found.answers if answer.standing == "unknown"],
        "model": asked,
        "aside": heard.aside,
    }
    ledger.record(role=role, event=ASSESSED, subject=found.run, body=body, at=at)
    broken: dict[str, list[str]] = {}
    for answer in found.violated:
        for step in answer.steps:
            broken.setdefault(step, []).append(answer.requirement)
    for step, requirements in broken.items() if lowers else ():
        ledger.record(role=ASSESSOR, event=MISSED, subject=step, body={"run": found.run, "violated": requirements}, at=at)


class Due(NamedTuple):
    """A run that can be assessed; `later` is a finished run that looked after it had ended, or empty."""

    run: str
    later: str


class Begun(NamedTuple):
    """When a run began, and what it was to look at; empty means all."""

    at: datetime
    namespaces: frozenset[str]
    agents: frozenset[str]

    def covers(self, other: "Begun") -> bool:
        pairs = ((self.namespaces, other.namespaces), (self.agents, other.agents))
        return all(not mine or (theirs and theirs <= mine) for mine, theirs in pairs)


@dataclass
class Journal:
    """Runs as the audit chains tell of them, read on from where it stood."""

    place: int = 0
    begun: dict[str, Begun] = field(default_factory=dict)
    finished: dict[str, datetime] = field(default_factory=dict)
    open: dict[str, datetime] = field(default_factory=dict)
    """Finished, and not assessed."""

    def catch_up(self, ledger: Ledger) -> None:
        while page := ledger.chain(self.place + 1, recording.PAGE):
            for row in page:
                match row.event:
                    case running.STARTED:
                        said = json.loads(row.body)
                        self.begun[row.subject] = Begun(row.at, frozenset(said.get("namespaces", ())), frozenset(said.get("agents", ())))
                    case running.FINISHED:
                        self.finished[row.subject] = self.open[row.subject] = row.at
                    case event if event == ASSESSED:
                        self.open.pop(row.subject, None)
            self.place = page[-1].place

    def due(self, ledger: Ledger, now: datetime, wait: timedelta) -> list[Due]:
        """Oldest first: all of its actions have ended, and another run has looked since, or nobody did for so long."""
        found = []
        for run_id, finished_at in list(self.open.items()):
            if now - finished_at > LOOKBACK:
                del self.open[run_id]
                continue
            ended_at = self._ended_at(ledger, run_id)
            later = self.later(ledger, run_id)
            if ended_at and (later or now - ended_at >= wait):
                found.append(Due(run_id, later))
        return found

    def later(self, ledger: Ledger, run_id: str) -> str:
        """The first finished run that began when all of this one had ended and looked at no less; empty where there is none."""
        ended_at, own = self._ended_at(ledger, run_id), self.begun.get(run_id)
        if ended_at is None or own is None:
            return ""
        after = (name for name in self.finished if name in self.begun and self.begun[name].at > ended_at and name != run_id)
        return next((name for name in after if self.begun[name].covers(own)), "")

    def _ended_at(self, ledger: Ledger, run_id: str) -> datetime | None:
        rows = ledger.of_run(run_id)
        if run_id not in self.finished or not reading.ended(rows):
            return None
        return max([self.finished[run_id], *(row.changed_at for row in rows)])


def looked_again(response: Mapping[str, Any], later: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The later answer, where everybody who was asked before was asked again, and what could be checked before could be checked again."""
    if later is None or not set(response["asked"]) <= set(later["asked"]):
        return None
    return later if set(response["coverage"]["run"]) <= set(later["coverage"]["run"]) else None


class Recorded(NamedTuple):
    """What the chain says of one assessment."""

    run: str
    at: datetime
    outcome: Outcome
    violated: Mapping[str, str]
    unknown: tuple[str, ...]
    model: str


def recorded(ledger: Ledger, limit: int = 200) -> list[Recorded]:
    """Newest first."""
    links = [link for link in recording.chain(ledger) if link.event == ASSESSED][-limit:]
    return [_recorded(link.subject, link.at, json.loads(link.body)) for link in reversed(links)]


def _recorded(run: str, at: datetime, body: Mapping[str, Any]) -> Recorded:
    return Recorded(
        run,
        at,
        Outcome(body.get("outcome", "unknown")),
        body.get("violated", {}),
        tuple(body.get("unknown", ())),
        str(body.get("model", "")),
    )
