"""Consultations with agents that run in processes of their own: a stream per agent, plain JSON, one answer per task, both sealed.

At least once: a task that an instance took and did not answer within its lease is taken over by another, three times at most. Answers
expire; a late one is never read, because the asker has gone on and said so, and a task whose asker has gone is not begun. A stranger in
Redis can delay and destroy all of it, and say nothing: without the key a task is not begun, and an answer is none.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import redis.asyncio
from redis.exceptions import ResponseError

from core.domain.errors import Day2Error, Unavailable
from core.domain.values import bounded
from registry import sealing
from registry.membership import address, redis_errors

log = logging.getLogger(__name__)

GROUP = "day2"
ANSWER_SECONDS = 600
TAKE_OVER_MS = 15_000
MOST_DELIVERIES = 3
LARGEST = 4 * 2**20
LONGEST_WAIT_DIGITS = 9
ASKED, ANSWERED = "asked", "answered"
MEND = "if this is an agent of yours, give it the controller's registry.key_file; else somebody writes into the registry: day2 doctor"
GRACE_SECONDS = 5.0  # a server that neither answers nor closes the connection

Plain = dict[str, Any]


class Task(NamedTuple):
    """One entry of an agent's stream. `wait_ms`: how long its asker waits from the entry's own time on."""

    entry: str
    id: str
    body: str
    wait_ms: int
    deliveries: int
    seal: str

    @property
    def at_ms(self) -> int:
        return int(self.entry.split("-", 1)[0])


class Tasks:
    """`url` is redis:// or rediss://, `key` from `sealing`. `take_over_ms`: an unanswered task of another instance is free after that."""

    def __init__(self, url: str, key: bytes, *, take_over_ms: int = TAKE_OVER_MS) -> None:
        # redis-py types every answer as bytes or str, whatever decode_responses says; bytes that are no text become marks, and fit no seal
        # the client's own deadline of five seconds would end every longer wait for an answer: each call here has one of its own
        self._redis: Any = redis.asyncio.Redis.from_url(
            address(url), decode_responses=True, encoding_errors="replace", socket_timeout=None, socket_connect_timeout=2
        )
        self._key = key
        self._take_over_ms = take_over_ms

    async def close(self) -> None:
        await self._redis.aclose()

    async def ask(self, agent: str, task_id: str, body: Plain, *, wait_seconds: float) -> Plain:
        """The agent's answer. Raises Unavailable when none came in time, when it is not the agent's, or with the agent's own error."""
        text = json.dumps(body)
        seal = sealing.seal(self._key, ASKED, agent, task_id, text)
        fields: Any = {"id": task_id, "body": text, "wait_ms": int(wait_seconds * 1000), "seal": seal}
        with redis_errors():
            async with asyncio.timeout(wait_seconds + GRACE_SECONDS):
                await self._redis.xadd(_stream(agent), fields, maxlen=10_000, approximate=True)
                answer = await self._redis.blpop([_answer(task_id)], timeout=wait_seconds)
        if answer is None:
            raise Unavailable(f"agent {agent}", 5.0, reason=f"no answer within {wait_seconds:g} s")
        seal, _, said = str(answer[1]).partition(" ")
        if not sealing.holds(self._key, seal, ANSWERED, agent, task_id, said):
            raise Unavailable(f"agent {agent}", 5.0, reason="somebody else answered in its place", mend=MEND)
        return _understood(agent, said)

    async def serve_one(self, agent: str, instance: str, work: Callable[[Plain], Awaitable[Plain]], *, wait_ms: int = 1000) -> bool:
        """Take one task, work, answer. False when there was none. A Day2Error of `work` is answered; after a defect the task stays."""
        with redis_errors():
            async with asyncio.timeout(wait_ms / 1000 + GRACE_SECONDS):
                await self._ready(agent)
                task = await self._abandoned(agent, instance) or await self._next(agent, instance, wait_ms)
                late = task is not None and await self._late(task)
        if task is None:
            return False
        if late:
            log.info("nobody waits for task %s any more", task.id)
            await self._finish(agent, task, None)
        elif not sealing.holds(self._key, task.seal, ASKED, agent, task.id, task.body):
            log.warning("a task of %s was not asked by the controller; it is not begun. %s", agent, MEND)
            await self._finish(agent, task, None)
        elif task.deliveries > MOST_DELIVERIES:
            await self._finish(agent, task, json.dumps({"error": f"given up: {MOST_DELIVERIES} instances took it and none answered"}))
        else:
            async with self._held(agent, instance, task):
                answer = await _worked(task, work)
            await self._finish(agent, task, answer)
        return True

    @contextlib.asynccontextmanager
    async def _held(self, agent: str, instance: str, task: Task) -> AsyncIterator[None]:
        """While the work goes on, the task does not look abandoned, however long it takes."""

        async def hold() -> None:
            while True:
                await asyncio.sleep(self._take_over_ms / 3000)
                with contextlib.suppress(Unavailable), redis_errors():
                    await self._redis.xclaim(_stream(agent), GROUP, instance, 0, [task.entry], justid=True)

        holding = asyncio.create_task(hold(), name=f"hold {task.id}")
        try:
            yield
        finally:
            holding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await holding

    async def _finish(self, agent: str, task: Task, answer: str | None) -> None:
        with redis_errors():
            async with asyncio.timeout(GRACE_SECONDS), self._redis.pipeline(transaction=True) as batch:
                if answer is not None:
                    batch.rpush(_answer(task.id), f"{sealing.seal(self._key, ANSWERED, agent, task.id, answer)} {answer}")
                    batch.expire(_answer(task.id), ANSWER_SECONDS)
                batch.xack(_stream(agent), GROUP, task.entry)
                batch.xdel(_stream(agent), task.entry)
                await batch.execute()

    async def _ready(self, agent: str) -> None:
        try:
            await self._redis.xgroup_create(_stream(agent), GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def _abandoned(self, agent: str, instance: str) -> Task | None:
        answer = await self._redis.xautoclaim(_stream(agent), GROUP, instance, self._take_over_ms, count=1)
        rows = [row for row in answer[1] if row[1]]
        if not rows:
            return None
        entry = str(rows[0][0])
        pending = await self._redis.xpending_range(_stream(agent), GROUP, entry, entry, 1)
        return _task(entry, rows[0][1], pending[0]["times_delivered"] if pending else 1)

    async def _next(self, agent: str, instance: str, wait_ms: int) -> Task | None:
        answer = await self._redis.xreadgroup(GROUP, instance, {_stream(agent): ">"}, count=1, block=wait_ms)
        if not answer:
            return None
        rows = answer[_stream(agent)] if isinstance(answer, dict) else answer[0][1]
        first = rows[0][0] if isinstance(rows[0], list) and rows[0] and isinstance(rows[0][0], (list, tuple)) else rows[0]
        return _task(str(first[0]), dict(first[1]), 1)

    async def _late(self, task: Task) -> bool:
        seconds, micros = await self._redis.time()
        return int(seconds) * 1000 + int(micros) // 1000 - task.at_ms > task.wait_ms


async def _worked(task: Task, work: Callable[[Plain], Awaitable[Plain]]) -> str:
    try:
        body = json.loads(task.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return json.dumps({"error": "the task is no JSON object"})
    try:
        text = json.dumps(await work(body))
    except Day2Error as error:
        return json.dumps({"error": bounded(str(error), 200)})
    if len(text) > LARGEST:
        return json.dumps({"error": f"the answer has {len(text)} bytes, {LARGEST} are allowed"})
    return text


def _understood(agent: str, text: str) -> Plain:
    try:
        found = json.loads(text) if len(text) <= LARGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unavailable(f"agent {agent}", 5.0, reason="its answer is not understood")
    if "error" in found:
        raise Unavailable(f"agent {agent}", 5.0, reason=bounded(str(found["error"]), 200))
    return found


def _task(entry: str, fields: Plain, deliveries: int) -> Task:
    waited = str(fields.get("wait_ms", ""))
    wait_ms = int(waited) if waited.isdecimal() and len(waited) <= LONGEST_WAIT_DIGITS else 0
    return Task(entry, str(fields.get("id", "")), str(fields.get("body", "")), wait_ms, deliveries, str(fields.get("seal", "")))


def _stream(agent: str) -> str:
    return f"day2:tasks:{agent}"


def _answer(task_id: str) -> str:
    return f"day2:answer:{task_id}"
