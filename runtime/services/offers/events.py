"""What happens, as the doors offer it: a page of events. Doors that can hold a line open follow `outside.events` after this call."""

from typing import NamedTuple

from pydantic import Field

from core.domain.access import Caller, Right
from runtime.services.broadcasting import Event
from runtime.services.offering import Offer, Ports, Wanted


class After(Wanted):
    after: int = Field(default=0, ge=0, le=2**53, description="the id of the last event that was seen; 0: from the beginning")
    limit: int = Field(default=100, ge=1, le=500)


class Page(NamedTuple):
    """`next` is what to ask after; where it is what was asked after, nothing new is there."""

    events: tuple[Event, ...]
    next: int


async def listed(ports: Ports, _caller: Caller, wanted: After) -> Page:
    found, upto = ports.beyond.events.since(wanted.after, wanted.limit)
    return Page(tuple(found), upto)


OFFERS = (
    Offer(
        "events.list", Right.READ, "What happened after an event, oldest first: actions, approvals, runs, stops, incidents.", After, listed
    ),
)
