"""Consultations with agents that run in processes of their own: a stream per agent, plain JSON, one answer per task.

At least once: a task that an instance took and did not answer within its lease is taken over by another. Answers expire; a late one is
never read, because the asker has gone on and said so.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import redis.asyncio
from redis.exceptions import ResponseError

from core.domain.errors import Unavailable
from registry.membership import redis_errors

GROUP = "day2"
ANSWER_SECONDS = 600
TAKE_OVER_MS = 15_000
LARGEST = 4 * 2**20

Plain = dict[str, Any]


class Tasks:
    """`url` is redis:// or rediss://."""

    def __init__(self, url: str) -> None:
        self._redis = redis.asyncio.Redis.from_url(url, decode_responses=True, socket_connect_timeout=2)

    async def close(self) -> None:
        await self._redis.aclose()

    async def ask(self, agent: str, task_id: str, body: Plain, *, wait_seconds: float) -> Plain:
        """The agent's answer. Raises Unavailable when none came in time, or with the agent's own error."""
        with redis_errors():
            await self._redis.xadd(_stream(agent), {"id": task_id, "body": json.dumps(body)}, maxlen=10_000, approximate=True)
            answer = await self._redis.blpop([_answer(task_id)], timeout=wait_seconds)
        if answer is None:
            raise Unavailable(f"agent {agent}", 5.0, reason=f"no answer within {wait_seconds:g} s")
        found: Plain = json.loads(answer[1])
        if "error" in found:
            raise Unavailable(f"agent {agent}", 5.0, reason=str(found["error"])[:200])
        return found

    async def serve_one(self, agent: str, instance: str, work: Callable[[Plain], Awaitable[Plain]], *, wait_ms: int = 1000) -> bool:
        """Take one task, work, answer. False when there was none."""
        with redis_errors():
            await self._ready(agent)
            row = await self._abandoned(agent, instance) or await self._next(agent, instance, wait_ms)
        if row is None:
            return False
        entry, fields = row
        answer = await work(json.loads(fields["body"]))
        text = json.dumps(answer)
        if len(text) > LARGEST:
            text = json.dumps({"error": f"the answer has {len(text)} bytes, {LARGEST} are allowed"})
        with redis_errors():
            async with self._redis.pipeline(transaction=True) as batch:
                batch.rpush(_answer(fields["id"]), text)
                batch.expire(_answer(fields["id"]), ANSWER_SECONDS)
                batch.xack(_stream(agent), GROUP, entry)
                batch.xdel(_stream(agent), entry)
                await batch.execute()
        return True

    async def _ready(self, agent: str) -> None:
        try:
            await self._redis.xgroup_create(_stream(agent), GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def _abandoned(self, agent: str, instance: str) -> tuple[str, Plain] | None:
        answer = await self._redis.xautoclaim(_stream(agent), GROUP, instance, TAKE_OVER_MS, count=1)
        rows = answer[1]
        return (str(rows[0][0]), rows[0][1]) if rows else None

    async def _next(self, agent: str, instance: str, wait_ms: int) -> tuple[str, Plain] | None:
        answer = await self._redis.xreadgroup(GROUP, instance, {_stream(agent): ">"}, count=1, block=wait_ms)
        if not answer:
            return None
        rows = answer[_stream(agent)] if isinstance(answer, dict) else answer[0][1]
        first = rows[0][0] if isinstance(rows[0], list) and rows[0] and isinstance(rows[0][0], (list, tuple)) else rows[0]
        return str(first[0]), dict(first[1])


def _stream(agent: str) -> str:
    return f"day2:tasks:{agent}"


def _answer(task_id: str) -> str:
    return f"day2:answer:{task_id}"
