"""Consultations through the queue, against a real Valkey."""

import asyncio
import json
from typing import Any

import pytest
import redis.asyncio

from core.domain.errors import Refused, Unavailable
from registry.tasks import LARGEST, Tasks

Plain = dict[str, Any]


async def echo(body: Plain) -> Plain:
    return {"heard": body}


async def refuse(body: Plain) -> Plain:
    raise Refused(("not today",))


async def break_down(body: Plain) -> Plain:
    raise RuntimeError("a defect")


async def served(tasks: Tasks, work: Any = echo, instance: str = "one") -> bool:
    """Serve until one task was taken."""
    async with asyncio.timeout(5):
        while not await tasks.serve_one("finops", instance, work, wait_ms=50):
            pass
    return True


async def test_an_answer_comes_back_to_its_asker(url: str, tasks: Tasks) -> None:
    asking = asyncio.create_task(tasks.ask("finops", "run-1:finops", {"question": 1}, wait_seconds=5))
    other = Tasks(url)
    await served(other)
    await other.close()
    assert await asking == {"heard": {"question": 1}}


async def test_without_a_task_nothing_is_served(tasks: Tasks) -> None:
    assert not await tasks.serve_one("finops", "one", echo, wait_ms=10)


async def test_answers_find_their_own_askers(url: str, tasks: Tasks) -> None:
    askers = [Tasks(url) for _ in range(4)]
    asking = [asyncio.create_task(asker.ask("finops", f"run-{n}", {"n": n}, wait_seconds=5)) for n, asker in enumerate(askers)]
    for _ in askers:
        await served(tasks)
    assert await asyncio.gather(*asking) == [{"heard": {"n": number}} for number in range(4)]
    for asker in askers:
        await asker.close()


async def test_no_answer_in_time_is_said(tasks: Tasks) -> None:
    with pytest.raises(Unavailable, match=r"no answer within 0\.1 s"):
        await tasks.ask("finops", "run-1", {}, wait_seconds=0.1)


async def test_a_task_whose_asker_has_gone_is_not_begun(client: redis.asyncio.Redis, tasks: Tasks) -> None:
    with pytest.raises(Unavailable):
        await tasks.ask("finops", "run-1", {}, wait_seconds=0.05)
    await asyncio.sleep(0.05)
    await served(tasks, break_down)  # would raise if it were begun
    assert await client.xlen("day2:tasks:finops") == 0


async def test_an_error_of_the_agent_is_the_askers_error(url: str, tasks: Tasks) -> None:
    other = Tasks(url)
    serving = asyncio.create_task(served(other, refuse))
    with pytest.raises(Unavailable, match="not today"):
        await tasks.ask("finops", "run-1", {}, wait_seconds=5)
    await serving
    await other.close()


async def test_a_task_of_an_instance_that_died_is_taken_over(url: str, tasks: Tasks) -> None:
    asking = asyncio.create_task(tasks.ask("finops", "run-1", {"n": 1}, wait_seconds=5))
    dying, heir = Tasks(url, take_over_ms=150), Tasks(url, take_over_ms=150)
    with pytest.raises(RuntimeError):
        await served(dying, break_down, "dying")
    await served(heir, echo, "heir")
    assert await asking == {"heard": {"n": 1}}
    await dying.close()
    await heir.close()


async def test_a_task_that_kills_who_takes_it_is_given_up(url: str, tasks: Tasks) -> None:
    asking = asyncio.create_task(tasks.ask("finops", "run-1", {}, wait_seconds=8))
    victim = Tasks(url, take_over_ms=20)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await served(victim, break_down)
    await served(victim, break_down)
    with pytest.raises(Unavailable, match="given up"):
        await asking
    await victim.close()


async def test_an_answer_that_is_too_large_is_refused_with_its_size(url: str, tasks: Tasks) -> None:
    async def large(body: Plain) -> Plain:
        return {"text": "x" * LARGEST}

    other = Tasks(url)
    serving = asyncio.create_task(served(other, large))
    with pytest.raises(Unavailable, match="bytes"):
        await tasks.ask("finops", "run-1", {}, wait_seconds=5)
    await serving
    await other.close()


@pytest.mark.parametrize("fields", [{"id": "a", "body": "no json", "wait_ms": "9000"}, {"other": "fields"}, {"id": "a", "wait_ms": "-1"}])
async def test_a_task_that_nobody_understands_stops_nobody(client: redis.asyncio.Redis, tasks: Tasks, fields: Any) -> None:
    await client.xadd("day2:tasks:finops", fields)
    assert await tasks.serve_one("finops", "one", break_down, wait_ms=50)
    assert not await tasks.serve_one("finops", "one", break_down, wait_ms=10)


@pytest.mark.parametrize("answer", ["no json", "[1]", '"text"', json.dumps({"error": "x" * 5000})])
async def test_an_answer_that_is_not_understood_is_a_bounded_error(client: redis.asyncio.Redis, tasks: Tasks, answer: str) -> None:
    await client.rpush("day2:answer:run-1", answer)
    with pytest.raises(Unavailable) as caught:
        await tasks.ask("finops", "run-1", {}, wait_seconds=1)
    assert len(str(caught.value)) < 300


async def test_an_answered_task_leaves_nothing_pending(client: redis.asyncio.Redis, url: str, tasks: Tasks) -> None:
    other = Tasks(url)
    serving = asyncio.create_task(served(other))
    await tasks.ask("finops", "run-1", {}, wait_seconds=5)
    await serving
    await other.close()
    assert await client.xlen("day2:tasks:finops") == 0
    assert (await client.xpending("day2:tasks:finops", "day2"))["pending"] == 0


async def test_a_long_task_is_not_taken_from_an_instance_that_lives(url: str, tasks: Tasks) -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def slow(body: Plain) -> Plain:
        begun.set()
        await finish.wait()
        return {"by": "slow"}

    asking = asyncio.create_task(tasks.ask("finops", "run-1", {}, wait_seconds=5))
    slow_one, other = Tasks(url, take_over_ms=150), Tasks(url, take_over_ms=150)
    serving = asyncio.create_task(served(slow_one, slow, "slow"))
    await begun.wait()
    for _ in range(6):
        assert not await other.serve_one("finops", "other", break_down, wait_ms=60)
    finish.set()
    assert await asking == {"by": "slow"}
    await serving
    await slow_one.close()
    await other.close()
