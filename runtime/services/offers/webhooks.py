"""Webhooks out, as the doors offer them."""

import asyncio

from pydantic import Field

from core.domain.access import Caller, Right
from core.domain.webhooks import Target
from runtime.services.offering import Nothing, Offer, Ports, Wanted

NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"


class NewTarget(Wanted):
    name: str = Field(pattern=NAME)
    url: str = Field(max_length=500, description="https, or http on loopback; redirects are not followed")
    types: tuple[str, ...] = Field(default=(), max_length=50, description="event types or their beginnings; empty: all")
    secret: str = Field(pattern=NAME, description="name of a file in the folder webhook-secrets of the data folder")


class OneTarget(Wanted):
    name: str = Field(max_length=63)


async def listed(ports: Ports, _caller: Caller, _wanted: Nothing) -> list[Target]:
    return await asyncio.to_thread(ports.beyond.deliveries.targets.all)


async def added(ports: Ports, caller: Caller, wanted: NewTarget) -> list[Target]:
    deliveries = ports.beyond.deliveries
    await asyncio.to_thread(lambda: deliveries.add(wanted.name, wanted.url, wanted.types, wanted.secret, by=caller.by))
    return deliveries.targets.all()


async def removed(ports: Ports, _caller: Caller, wanted: OneTarget) -> list[Target]:
    deliveries = ports.beyond.deliveries
    await asyncio.to_thread(deliveries.remove, wanted.name)
    return deliveries.targets.all()


OFFERS = (
    Offer("webhooks.list", Right.READ, "Who else is told what happens, how far, and what went wrong.", Nothing, listed),
    Offer("webhooks.add", Right.MANAGE, "Tell somebody else what happens from now on, signed.", NewTarget, added, writes=True),
    Offer("webhooks.remove", Right.MANAGE, "Tell them no more.", OneTarget, removed, writes=True),
)
