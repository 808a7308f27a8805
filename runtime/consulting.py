"""Asking agents: in this process, or through the queue in theirs. Both answer with the same JSON."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agents.consulting import Consultation, consult
from agents.desk import Agent
from core.cluster.looking import ClusterReader
from core.cluster.reading import Metrics
from core.domain.clock import Clock
from core.domain.errors import InvalidInput
from core.domain.money import PriceList
from core.domain.objective import Objectives
from core.domain.request import Request
from registry.tasks import Tasks

Plain = dict[str, Any]


@dataclass(frozen=True)
class InProcess:
    """Agents of this process, with the reader identity."""

    agents: Mapping[str, Agent]
    reader: ClusterReader
    metrics: Metrics | None
    objectives: Objectives
    prices: PriceList | None
    clock: Clock

    async def consult(self, agent: str, request: Request) -> Plain:
        return as_json(agent, await self.consultation(agent, request))

    async def consultation(self, agent: str, request: Request) -> Consultation:
        if agent not in self.agents:
            raise InvalidInput(f"no agent {agent!r}", mend=f"one of: {', '.join(sorted(self.agents))}")
        return await consult(
            self.agents[agent],
            reader=self.reader,
            metrics=self.metrics,
            objectives=self.objectives,
            prices=self.prices,
            now=self.clock.now(),
            run=request.id,
            namespaces=request.namespaces,
        )


@dataclass(frozen=True)
class ThroughQueue:
    """Agents that live in a process of their own are asked there; the others here. `elsewhere` names the first ones now."""

    tasks: Tasks
    elsewhere: Callable[[], Awaitable[frozenset[str]]]
    local: InProcess
    wait_seconds: float

    async def consult(self, agent: str, request: Request) -> Plain:
        if agent not in await self.elsewhere():
            return await self.local.consult(agent, request)
        body = {"agent": agent, "request": request.model_dump(mode="json")}
        return await self.tasks.ask(agent, f"{request.id}:{agent}", body, wait_seconds=self.wait_seconds)


def as_json(agent: str, consultation: Consultation) -> Plain:
    """The wire form of a consultation, version 1."""
    return {
        "agent": agent,
        "findings": [finding.model_dump(mode="json") for finding in consultation.findings],
        "proposals": [proposal.model_dump(mode="json") for proposal in consultation.proposals],
        "coverage": consultation.coverage.model_dump(mode="json"),
    }
