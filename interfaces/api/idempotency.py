"""Idempotency keys: the same key twice is one effect and one answer, also where both come at once or the first answer was lost."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from core.domain.answers import Answers
from core.domain.clock import Clock
from core.domain.values import identifier
from interfaces.web import problems

KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=2)
"""Whoever took a key and has not answered by then has died. What is done again then is done once all the same: its id comes of the key."""
REPLAYED = "Idempotent-Replayed"


async def once(kept: Answers, clock: Clock, by: str, key: str, request: Request, do: Callable[[], Awaitable[Response]]) -> Response:
    """`do`, or what it answered before. What was refused is not kept: nothing was done, and the key is free."""
    asked = await _digest(request)
    now = clock.now()
    found = await asyncio.to_thread(lambda: kept.begin(by, key, asked, at=now, stale_before=now - ABANDONED, forget_before=now - KEPT))
    if found is None:
        return await _done(kept, by, key, do)
    if found.digest != asked:
        mend = "take a new key for what is new, and the old key only for the very same request"
        return problems.problem(422, "IdempotencyKeyReused", detail="this key was used for another request", mend=mend)
    if not found.status:
        return problems.problem(
            409, "Conflict", detail="a request with this key is being answered", mend="ask again", headers={"Retry-After": "1"}
        )
    return Response(found.body, found.status, media_type="application/json", headers={REPLAYED: "true"})


async def _done(kept: Answers, by: str, key: str, do: Callable[[], Awaitable[Response]]) -> Response:
    try:
        answer = await do()
    except BaseException:
        await asyncio.shield(asyncio.to_thread(kept.drop, by, key))
        raise
    await asyncio.to_thread(lambda: kept.keep(by, key, status=answer.status_code, body=bytes(answer.body).decode()))
    return answer


async def _digest(request: Request) -> str:
    body = await request.body()
    told = "\n".join((request.method, request.url.path, request.url.query)).encode()
    return hashlib.sha256(told + b"\n" + body).hexdigest()


def run_id(by: str, key: str) -> str:
    """The id of what is made under this key by this caller."""
    return identifier("run", "idempotency", by, key)
