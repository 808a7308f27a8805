"""Twins of what the flows work with: agents that answer as told, a gate that a test moves, and a context over both."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from core.actions.scale_workload import ScaleWorkload
from core.domain.errors import InvalidInput
from core.domain.evidence import observe
from core.domain.finding import Coverage, Finding, Severity, finding_id
from core.domain.objective import Objectives
from core.domain.outcome import ActionState as Standing
from core.domain.proposal import Effect, Proposal
from core.domain.request import Request
from core.domain.submitting import Standing as Stands
from core.domain.target import Target
from core.policy.arbitration import Arbitration, Surroundings, arbitrate
from graph.context import RunContext
from graph.routes import Choice, Route
from runtime.flows import Flows
from tools.hand_clock import HandClock

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
Plain = dict[str, Any]
Doing = Callable[[Request], Awaitable[Plain]]


class Killed(BaseException):
    """The process ends here: not an Exception, so nothing in a flow may catch it."""


def target(name: str = "cart") -> Target:
    return Target(cluster="c-1", group="apps", kind="Deployment", namespace="shop", name=name, uid=f"uid-{name}")


def proposal(agent: str, name: str = "cart", replicas: int = 3, number: int = 1) -> Proposal:
    action = ScaleWorkload(id=f"act-{name}{number:04d}", target=target(name), from_replicas=2, to_replicas=replicas)
    seen = observe("object", target(name), "spec.replicas", "2", NOON)
    effect = Effect(summary="one more")
    expires = NOON + timedelta(hours=1)
    return Proposal(action=action, agent=agent, run="run-1", why="it is too small", evidence=(seen,), effect=effect, expires_at=expires)


def finding(agent: str, severity: Severity = Severity.HIGH, name: str = "cart") -> Finding:
    code = {"finops": "FIN-001", "reliability": "REL-001", "security": "SEC-001", "scaling": "SCA-001"}[agent]
    subject = target(name)
    found = finding_id(code, subject)
    return Finding(id=found, code=code, agent=agent, severity=severity, subject=subject, title="too small", matters="slow", at=NOON)


def answer(agent: str, *proposals: Proposal) -> Plain:
    return {
        "agent": agent,
        "findings": [finding(agent).model_dump(mode="json")],
        "proposals": [item.model_dump(mode="json") for item in proposals],
        "coverage": Coverage(run=("REL-001",)).model_dump(mode="json"),
    }


def request(**more: Any) -> Request:
    wanted: Plain = {"id": "run-1", "trigger": "chat", "by": "ann", "text": "is anything wrong", "act": True, "at": NOON}
    return Request(**wanted | more)


@dataclass
class Agents:
    """Answers per agent; each question is counted."""

    answers: dict[str, Doing] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def consult(self, agent: str, request: Request) -> Plain:
        self.asked.append(agent)
        if agent in self.answers:
            return await self.answers[agent](request)
        return answer(agent, proposal(agent, agent))


@dataclass
class Chooser:
    """A supervisor with a fixed answer."""

    route: Route = field(default_factory=lambda: Route((Choice("finops", "cost"), Choice("reliability", "crash"))))
    asked: int = 0

    async def choose(self, request: Request) -> Route:
        self.asked += 1
        return self.route


class Gate:
    """A ledger of states that a test moves with `say`. A wish is stored once; nothing but `say` opens anything."""

    def __init__(self) -> None:
        self.states: dict[str, Standing] = {}
        self.intents: dict[str, str] = {}
        self.calls: list[str] = []
        self._moved = asyncio.Condition()

    async def submit(self, proposal: Proposal, *, by: str) -> Stands:
        self.calls.append(f"submit {proposal.action.id}")
        if proposal.action.intent_key() in self.intents:
            return Stands(proposal.action.id, Standing.CANCELLED, "", "the same wish is open already", ())
        self.intents[proposal.action.intent_key()] = proposal.action.id
        self.states[proposal.action.id] = Standing.SUBMITTED
        return await self.standing(proposal.action.id)

    async def standing(self, action_id: str) -> Stands:
        if action_id not in self.states:
            raise InvalidInput(f"no action {action_id}")
        return Stands(action_id, self.states[action_id], "", "", ())

    async def until(self, action_id: str, *left: Standing) -> Stands:
        async with self._moved:
            await self._moved.wait_for(lambda: self.states[action_id] not in left)
        return await self.standing(action_id)

    async def cancel(self, action_id: str, *, by: str, reason: str) -> Stands:
        self.calls.append(f"cancel {action_id}")
        return await self.standing(action_id)

    async def say(self, action_id: str, state: Standing) -> None:
        async with self._moved:
            self.states[action_id] = state
            self._moved.notify_all()


@dataclass
class Stage:
    """One set of twins and the flows over them; `flows()` may be called again, as a new process would."""

    agents: Agents = field(default_factory=Agents)
    chooser: Chooser = field(default_factory=Chooser)
    gate: Gate = field(default_factory=Gate)
    saver: InMemorySaver = field(default_factory=InMemorySaver)
    seconds: float = 5.0
    context: RunContext = field(init=False)

    def __post_init__(self) -> None:
        self.context = RunContext(
            clock=HandClock(NOON),
            supervising=self.chooser,
            consulting=self.agents,
            gate=self.gate,
            objectives=Objectives(),
            arbitrate=_arbitrate,
            redact=lambda text: text.replace("hunter2", "***"),
            consult_seconds=self.seconds,
        )

    def choose(self, *agents: str) -> None:
        self.chooser.route = Route(tuple(Choice(agent, "by its words") for agent in agents))

    def change(self, **ports: Any) -> None:
        self.context = replace(self.context, **ports)

    def flows(self) -> Flows:
        return Flows(self.saver, run=self.context)


async def _arbitrate(proposals: Sequence[Proposal], severity_of: Mapping[str, Severity]) -> Arbitration:
    return arbitrate(proposals, now=NOON, around=Surroundings(severity_of=severity_of))


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def make() -> Any:
    """The makers of this file, for tests that cannot import it."""

    class Makers:
        answer = staticmethod(answer)
        finding = staticmethod(finding)
        proposal = staticmethod(proposal)
        request = staticmethod(request)
        Killed = Killed
        Stage = Stage

    return Makers
