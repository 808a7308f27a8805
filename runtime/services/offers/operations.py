"""Stops and agents, as the doors offer them."""

from typing import NamedTuple

from pydantic import Field

from core.domain.access import Caller, Right
from core.domain.errors import InvalidInput
from core.domain.ledger import StopRow
from core.domain.values import bounded
from registry.membership import Member
from runtime.services.offering import Nothing, Offer, Ports, Wanted

SCOPE = r"^(all|agent=[a-z][a-z0-9-]{0,62}|namespace=[a-z0-9][a-z0-9-]{0,62})$"


class Stop(Wanted):
    scope: str = Field(default="all", pattern=SCOPE, description="all, agent=NAME or namespace=NAME")
    mode: str = Field(default="all", pattern="^(all|forward)$", description="all, or forward to let undo through")
    reason: str = Field(min_length=1, max_length=400)


class Resume(Wanted):
    scope: str = Field(default="all", max_length=300)
    reason: str = Field(min_length=1, max_length=400)


class Agents(NamedTuple):
    """`source` tells whether a registry was asked, or the agents of this process are meant."""

    members: tuple[Member, ...]
    source: str


async def stops(ports: Ports, _caller: Caller, _wanted: Nothing) -> list[StopRow]:
    return ports.ledger.stops()


async def stop(ports: Ports, caller: Caller, wanted: Stop) -> list[StopRow]:
    ports.halt(wanted.scope, wanted.mode, caller.by, wanted.reason)
    return ports.ledger.stops()


async def resume(ports: Ports, caller: Caller, wanted: Resume) -> list[StopRow]:
    known = [row.scope for row in ports.ledger.stops()]
    if wanted.scope not in known or not ports.lift(wanted.scope, caller.by, wanted.reason):
        raise InvalidInput(f"{bounded(wanted.scope, 60)} is not stopped", mend=f"stopped now: {', '.join(known) or 'nothing'}")
    return ports.ledger.stops()


async def agents(ports: Ports, _caller: Caller, _wanted: Nothing) -> Agents:
    return Agents(*await ports.members())


OFFERS = (
    Offer("stops.list", Right.READ, "What is stopped, by whom and why.", Nothing, stops),
    Offer("writes.stop", Right.STOP, "Emergency stop: nothing is written until a person resumes.", Stop, stop, writes=True),
    Offer("writes.resume", Right.MANAGE, "Lift an emergency stop.", Resume, resume, writes=True),
    Offer("agents.list", Right.READ, "Agents with their state, lease, checks and capabilities.", Nothing, agents),
)
