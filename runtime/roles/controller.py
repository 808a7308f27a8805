"""The controller: agents with their leases, the run flow, and the threads that follow actions. It writes no cluster."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from agents.catalogue import AGENTS
from agents.desk import Agent
from core.cluster.looking import ClusterReader
from core.cluster.reading import Metrics
from core.domain.clock import Clock
from core.domain.errors import Unavailable
from core.domain.ledger import Ledger
from core.domain.outcome import TERMINAL
from core.domain.outcome import ActionState as Standing
from core.domain.proposal import Proposal
from core.domain.request import Request
from core.domain.submitting import GateDoor
from core.policy.arbitration import UNDOING_WITHIN, Arbitration, arbitrate, recent_from
from core.policy.redaction import redact
from gate.door import LedgerDoor
from graph import supervising
from graph.context import RunContext
from graph.routes import Route
from graph.state import Plain
from registry.cards import Card, capability
from registry.grants import limited
from registry.membership import Member, Registry, State
from registry.tasks import Tasks
from runtime.consulting import InProcess, ThroughQueue
from runtime.declared import Declared
from runtime.flows import Flows, Following
from runtime.roles.reading import Reading
from runtime.settings import Settings
from tools import checkpoints

log = logging.getLogger(__name__)
OPEN = tuple(state for state in Standing if state not in TERMINAL)


def card_of(agent: Agent) -> Card:
    return Card(
        name=agent.name,
        description=agent.purpose,
        version=agent.version,
        words=agent.words,
        checks=tuple(detector.code for detector in agent.detectors),
        capabilities=tuple(capability(kind) for kind in agent.capabilities),
    )


@dataclass
class RegistrySupervisor:
    """Chooses from who lives now. Without the registry: the agents of this process, and the route says so."""

    registry: Registry | None
    own: tuple[Member, ...]

    async def choose(self, request: Request) -> Route:
        try:
            members = await self.registry.members() if self.registry else self.own
        except Unavailable as error:
            log.warning("choosing among the agents of this process: %s", error)
            members = self.own
        return supervising.choose(request, members or self.own)


@dataclass
class Controller:
    """One controller process at work."""

    clock: Clock
    ledger: Ledger
    gate: GateDoor
    flows: Flows
    following: Following
    registry: Registry | None
    reader: ClusterReader
    metrics: Metrics | None
    supervisor: RegistrySupervisor
    declared: Declared

    async def run(self, request: Request) -> Plain:
        """One pass of the run flow; its submitted actions are followed from then on."""
        self.ledger.record(
            role="controller", event="run.started", subject=request.id, body=request.model_dump(mode="json"), at=self.clock.now()
        )
        response = await self.flows.run(request)
        summary = {
            "findings": len(response["findings"]),
            "proposals": len(response["proposals"]),
            "held": len(response["held"]),
            "asked": response["asked"],
        }
        self.ledger.record(role="controller", event="run.finished", subject=request.id, body=summary, at=self.clock.now())
        self.follow_open()
        return response

    def follow_open(self) -> None:
        """Follow every action that has not ended: new ones, and those of a process that died."""
        for row in self.ledger.in_states(*OPEN):
            self.following.start(row.action_id)

    async def serve(self, stop: asyncio.Event, every_seconds: float) -> None:
        """Follow what others submit, until told to stop."""
        while not stop.is_set():
            self.follow_open()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_seconds)


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, reading: Reading, ledger: Ledger, *, registry_url: str = "", remote: frozenset[str] = frozenset()
) -> AsyncIterator[Controller]:
    """A controller over open ports. `remote` names agents that run in processes of their own; the others register and work here."""
    declared = reading.declared
    agents = {agent.name: agent for agent in AGENTS}
    cards = {name: limited(card_of(agent), declared.grants) for name, agent in agents.items()}
    own = tuple(Member(name, State.READY, card, card.digest(), ("in-process",), 0) for name, card in sorted(cards.items()))
    local = InProcess(agents, reading.reader, reading.metrics, declared.objectives, declared.prices, reading.clock)
    async with contextlib.AsyncExitStack() as stack:
        registry = await _registry(stack, settings, registry_url)
        consulting: InProcess | ThroughQueue = local
        if registry is not None and remote:
            tasks = Tasks(registry_url)
            stack.push_async_callback(tasks.close)
            consulting = ThroughQueue(tasks, remote, local, settings.flow.consult_seconds)
        gate = LedgerDoor(ledger, reading.clock, poll_seconds=settings.flow.poll_seconds)
        supervisor = RegistrySupervisor(registry, own)
        context = RunContext(
            clock=reading.clock,
            supervising=supervisor,
            consulting=consulting,
            gate=gate,
            objectives=declared.objectives,
            arbitrate=partial(_arbitrated, ledger, reading.clock),
            redact=redact,
            consult_seconds=settings.flow.consult_seconds,
        )
        saver = await stack.enter_async_context(checkpoints.opened(settings.data_dir / "checkpoints.db"))
        flows = Flows(saver, run=context)
        following = Following(flows)
        stack.push_async_callback(following.stop)
        if registry is not None:
            served = [card for name, card in sorted(cards.items()) if name not in remote]
            await stack.enter_async_context(leases(registry, served, settings.registry.renew_seconds))
        yield Controller(reading.clock, ledger, gate, flows, following, registry, reading.reader, reading.metrics, supervisor, declared)


async def _registry(stack: contextlib.AsyncExitStack, settings: Settings, url: str) -> Registry | None:
    if not url:
        return None
    registry = Registry(url, lease_seconds=settings.registry.lease_seconds)
    stack.push_async_callback(registry.close)
    await registry.ping()
    return registry


def _arbitrated(ledger: Ledger, clock: Clock, proposals: tuple[Proposal, ...]) -> Arbitration:
    now = clock.now()
    return arbitrate(proposals, recent=recent_from(ledger.search(since=now - UNDOING_WITHIN)), now=now)


@contextlib.asynccontextmanager
async def leases(registry: Registry, cards: list[Card], renew_seconds: float) -> AsyncIterator[str]:
    """Register these agents and keep their leases until the end; a lost lease is taken again under a fresh registration."""
    instance = f"{os.getpid()}-{os.urandom(3).hex()}"

    async def enter(card: Card) -> None:
        await registry.register(card, instance)
        member = next((member for member in await registry.members() if member.name == card.name), None)
        if member is None or member.state is not State.SUSPENDED:
            await registry.move(card.name, State.READY)

    async def keep() -> None:
        while True:
            await asyncio.sleep(renew_seconds)
            for card in cards:
                try:
                    if not await registry.renew(card.name, instance):
                        await enter(card)
                except Unavailable as error:
                    log.warning("lease of %s not renewed: %s", card.name, error)

    for card in cards:
        await enter(card)
    keeper = asyncio.create_task(keep(), name="leases")
    try:
        yield instance
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError, Unavailable):
            await keeper
        for card in cards:
            with contextlib.suppress(Unavailable):
                await registry.release(card.name, instance)
