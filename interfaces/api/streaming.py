"""The stream of events as server-sent events: one reader of the ledger behind all of them, and no queue for who does not read."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from core.domain.errors import InvalidInput, NotAuthenticated
from core.domain.values import bounded
from interfaces.web.house import House
from runtime.services.broadcasting import Event, nothing_for

OFFER = "events.list"
BEAT_SECONDS = 15
PATIENCE_SECONDS = 20.0
"""A client that takes nothing for so long is dropped: it comes back with the last id that it saw."""
AGAIN_MILLISECONDS = 3_000


async def stream(
    house: House,
    request: Request,
    after: Annotated[int | None, Query(ge=0, le=2**53, description="events after this one; without it and the header: from now on")] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", description="what an EventSource sends when it comes back")] = None,
) -> Response:
    """Raises NotAuthorised before the stream begins, and ends it when the caller may no longer see it."""
    place = _place(last_event_id) if last_event_id else after
    await house.offers.call(request.state.caller, OFFER, {"after": place or 0, "limit": 1})
    following = house.offers.ports.beyond.events.follow(place)
    return EventSourceResponse(
        _sent(house, request, following),
        ping=BEAT_SECONDS,
        send_timeout=PATIENCE_SECONDS,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _place(told: str) -> int:
    """Raises InvalidInput."""
    if not told.isascii() or not told.isdigit() or len(told) > 16:
        raise InvalidInput(f"Last-Event-ID {bounded(told, 40)!r} is no id of an event", mend="leave it away, or send the last id as it was")
    return int(told)


async def _sent(house: House, request: Request, following: AsyncIterator[Event]) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(comment="begun", retry=AGAIN_MILLISECONDS)
    async for event in nothing_for(BEAT_SECONDS, following):
        if event is None:
            if not await _may_still(house, request):
                return
            continue
        yield ServerSentEvent(data=json.dumps(event.cloud(house.url)), event=event.type, id=str(event.place))


async def _may_still(house: House, request: Request) -> bool:
    """A stream lives longer than a token or a session may."""
    try:
        caller = await house.caller(request)
    except NotAuthenticated:
        return False
    return any(offer.name == OFFER for offer in house.offers.listed(caller))
