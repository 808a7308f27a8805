"""An agent's place in the registry while its process lives: registered, ready, renewed, drained, released. Used by the agent role."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from agents.desk import Agent
from core.domain.errors import Day2Error, Unavailable
from registry.cards import Card, capability
from registry.membership import Registry, State

log = logging.getLogger(__name__)


def card_of(agent: Agent) -> Card:
    """The agent's card, from its own table: it cannot promise what the code does not do."""
    return Card(
        name=agent.name,
        description=agent.purpose,
        version=agent.version,
        words=agent.words,
        checks=tuple(detector.code for detector in agent.detectors),
        capabilities=tuple(capability(kind) for kind in agent.capabilities),
    )


def instance_name() -> str:
    """Unlike any other process, also on other machines."""
    return f"{os.getpid()}-{os.urandom(4).hex()}"


@dataclass
class Leases:
    """The leases of one process. A lost one is taken again under a fresh registration."""

    registry: Registry
    cards: Sequence[Card]
    instance: str
    draining: bool = field(default=False, init=False)

    async def enter(self, card: Card) -> None:
        """Register, and take work unless a person suspended the agent."""
        await self.registry.register(card, self.instance)
        known = {member.name: member.state for member in await self.registry.members()}
        if known.get(card.name) is State.REGISTERED:
            await self.registry.move(card.name, State.READY)

    async def drain(self) -> None:
        """No new work for us. The agent's state changes only where no other instance of it goes on working."""
        self.draining = True
        own = {card.name for card in self.cards}
        for member in await self.registry.members():
            if member.name in own and member.state is State.READY and set(member.instances) <= {self.instance}:
                await self.registry.move(member.name, State.DRAINING)

    async def keep(self, renew_seconds: float) -> None:
        while True:
            await asyncio.sleep(renew_seconds)
            for card in self.cards:
                try:
                    if not await self.registry.renew(card.name, self.instance) and not self.draining:
                        log.warning("the lease of %s was lost; registering again", card.name)
                        await self.enter(card)
                except Day2Error as error:  # also a card that somebody else made look older than another: it may go again
                    log.warning("lease of %s not renewed: %s", card.name, error)

    async def release(self) -> None:
        for card in self.cards:
            with contextlib.suppress(Unavailable):
                await self.registry.release(card.name, self.instance)


@contextlib.asynccontextmanager
async def leases(registry: Registry, cards: Sequence[Card], renew_seconds: float) -> AsyncIterator[Leases]:
    """Hold these agents' leases until the end of the block. Raises Unavailable without a registry, Refused for a card that is too old."""
    held = Leases(registry, tuple(cards), instance_name())
    for card in held.cards:
        await held.enter(card)
    keeper = asyncio.create_task(held.keep(renew_seconds), name="leases")
    try:
        yield held
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper
        await held.release()
