"""Consultations through the queue, against a real Valkey."""

import asyncio
import json
from typing import Any

import pytest
import redis.asyncio

from core.domain.errors import Refused, Unavailable
from registry import sealing
from registry.tasks import ANSWERED, ASKED, LARGEST, Tasks

Plain = dict[str, Any]
KEY = b"k" * sealing.BYTES


async def echo(body: Plain) -> Plain:
    return {"heard": body}


async def refuse(body: Plain) -> Plain:
    raise Refused(("not today",))


async def break_down(body: Plain) -> Plain:
    raise RuntimeError("a defect")


async def served(tasks: Tasks, work: Any = echo, instance: str = "one") -> bool:
    """Serve until one task was taken."""
    async with asyncio.timeout(60):
        while not await tasks.serve_one("finops", instance, work, wait_ms=50):
            pass
    return True


async def test_an_answer_comes_back_to_its_asker(url: str, tasks: Tasks) -> None:
    asking = asyncio.create_task(tasks.ask("finops", "run-1:finops", {"question": 1}, wait_seconds=5))
    other = Tasks(url, KEY)
    await served(other)
    await other.close()
    assert await asking == {"heard": {"question": 1}}


async def test_without_a_task_nothing_is_served(tasks: Tasks) -> None:
    assert not await tasks.serve_one("finops", "one", echo, wait_ms=10)


async def test_answers_find_their_own_askers(url: str, tasks: Tasks) -> None:
    askers = [Tasks(url, KEY) for _ in range(4)]
    asking = [asyncio.create_task(asker.ask("finops", f"run-{n}", {"n": n}, wait_seconds=5)) for n, asker in enumerate(askers)]
    for _ in askers:
        await served(tasks)
    assert await asyncio.gather(*asking) == [{"heard": {"n": number}} for number in range(4)]
    for asker in askers:
        await asker.close()


@pytest.mark.slow
async def test_an_answer_may_take_longer_than_a_client_of_redis_waits_by_itself(url: str, tasks: Tasks) -> None:
    async def slow(body: Plain) -> Plain:
        await asyncio.sleep(5.5)
        return {"by": "slow"}

    other = Tasks(url, KEY)
    serving = asyncio.create_task(other.serve_one("finops", "one", slow, wait_ms=2000))
    assert await tasks.ask("finops", "run-1", {}, wait_seconds=20) == {"by": "slow"}
    await serving
    await other.close()


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
    other = Tasks(url, KEY)
    serving = asyncio.create_task(served(other, refuse))
    with pytest.raises(Unavailable, match="not today"):
        await tasks.ask("finops", "run-1", {}, wait_seconds=5)
    await serving
    await other.close()


async def test_a_task_of_an_instance_that_died_is_taken_over(url: str, tasks: Tasks) -> None:
    asking = asyncio.create_task(tasks.ask("finops", "run-1", {"n": 1}, wait_seconds=5))
    dying, heir = Tasks(url, KEY, take_over_ms=150), Tasks(url, KEY, take_over_ms=150)
    with pytest.raises(RuntimeError):
        await served(dying, break_down, "dying")
    await served(heir, echo, "heir")
    assert await asking == {"heard": {"n": 1}}
    await dying.close()
    await heir.close()


async def test_a_task_that_kills_who_takes_it_is_given_up(url: str, tasks: Tasks) -> None:
    asking = asyncio.create_task(tasks.ask("finops", "run-1", {}, wait_seconds=8))
    victim = Tasks(url, KEY, take_over_ms=20)
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

    other = Tasks(url, KEY)
    serving = asyncio.create_task(served(other, large))
    with pytest.raises(Unavailable, match="bytes"):
        await tasks.ask("finops", "run-1", {}, wait_seconds=5)
    await serving
    await other.close()


def sealed(body: str, **more: str) -> Plain:
    return {"id": "a", "body": body, "wait_ms": "9000", "seal": sealing.seal(KEY, ASKED, "finops", "a", body), **more}


NOT_UNDERSTOOD: dict[str, Plain] = {
    "no JSON": sealed("no json"),
    "no object": sealed("[1]"),
    "deep": sealed("[" * 100_000),
    "a long number": sealed("9" * 5000),
    "other fields": {"other": "fields"},
    "a negative wait": {"id": "a", "wait_ms": "-1"},
    "an endless wait": sealed("{}", wait_ms="9" * 5000),
    "a wait in small figures": sealed("{}", wait_ms="²"),
    "no text": {"id": b"\xff\xfe", "body": b"\xff", "wait_ms": "9000", "seal": b"\xff"},
}


@pytest.mark.parametrize("name", NOT_UNDERSTOOD)
async def test_a_task_that_nobody_understands_stops_nobody(client: redis.asyncio.Redis, tasks: Tasks, name: str) -> None:
    await client.xadd("day2:tasks:finops", NOT_UNDERSTOOD[name])  # type: ignore[arg-type]
    assert await tasks.serve_one("finops", "one", break_down, wait_ms=50)
    assert not await tasks.serve_one("finops", "one", break_down, wait_ms=10)


@pytest.mark.parametrize("answer", ["no json", "[1]", '"text"', json.dumps({"error": "x" * 5000}), "[" * 100_000, "9" * 5000])
async def test_an_answer_that_is_not_understood_is_a_bounded_error(client: redis.asyncio.Redis, tasks: Tasks, answer: str) -> None:
    await client.rpush("day2:answer:run-1", f"{sealing.seal(KEY, ANSWERED, 'finops', 'run-1', answer)} {answer}")
    with pytest.raises(Unavailable) as caught:
        await tasks.ask("finops", "run-1", {}, wait_seconds=1)
    assert len(str(caught.value)) < 300


async def test_an_answered_task_leaves_nothing_pending(client: redis.asyncio.Redis, url: str, tasks: Tasks) -> None:
    other = Tasks(url, KEY)
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
    slow_one, other = Tasks(url, KEY, take_over_ms=150), Tasks(url, KEY, take_over_ms=150)
    serving = asyncio.create_task(served(slow_one, slow, "slow"))
    await begun.wait()
    for _ in range(6):
        assert not await other.serve_one("finops", "other", break_down, wait_ms=60)
    finish.set()
    assert await asking == {"by": "slow"}
    await serving
    await slow_one.close()
    await other.close()


# ------------------------------------------------------------------ somebody else in Redis
GOOD = '{"findings": []}'
STRANGE: dict[str, str | bytes] = {
    "without a seal": GOOD,
    "an empty seal": f" {GOOD}",
    "a made up seal": f"{'0' * 64} {GOOD}",
    "sealed with another key": f"{sealing.seal(b'o' * 32, ANSWERED, 'finops', 'run-1', GOOD)} {GOOD}",
    "another agent's answer": f"{sealing.seal(KEY, ANSWERED, 'security', 'run-1', GOOD)} {GOOD}",
    "the answer to another task": f"{sealing.seal(KEY, ANSWERED, 'finops', 'run-0', GOOD)} {GOOD}",
    "a task's seal": f"{sealing.seal(KEY, ASKED, 'finops', 'run-1', GOOD)} {GOOD}",
    "an answer with a tail": f"{sealing.seal(KEY, ANSWERED, 'finops', 'run-1', GOOD)} {GOOD} ",
    "parts moved": f"{sealing.seal(KEY, ANSWERED, 'finopsrun-1', '', GOOD)} {GOOD}",
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("name", STRANGE)
async def test_an_answer_that_the_agent_did_not_seal_is_none(client: redis.asyncio.Redis, tasks: Tasks, name: str) -> None:
    await client.rpush("day2:answer:run-1", STRANGE[name])
    with pytest.raises(Unavailable, match="somebody else answered in its place"):
        await tasks.ask("finops", "run-1", {}, wait_seconds=1)


FORGED = {
    "without a seal": sealed("{}") | {"seal": ""},
    "another body": sealed("{}") | {"body": '{"agent": "finops"}'},
    "another id": sealed("{}") | {"id": "b"},
    "another agent's": sealed("{}") | {"seal": sealing.seal(KEY, ASKED, "security", "a", "{}")},
    "an answer's seal": sealed("{}") | {"seal": sealing.seal(KEY, ANSWERED, "finops", "a", "{}")},
    "with another key": sealed("{}") | {"seal": sealing.seal(b"o" * 32, ASKED, "finops", "a", "{}")},
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_task_that_the_controller_did_not_seal_is_not_begun(client: redis.asyncio.Redis, tasks: Tasks, name: str) -> None:
    await client.xadd("day2:tasks:finops", FORGED[name])  # type: ignore[arg-type]
    assert await tasks.serve_one("finops", "one", break_down, wait_ms=50)  # would raise if it were begun
    assert await client.keys("day2:answer:*") == []
    assert await client.xlen("day2:tasks:finops") == 0


async def test_a_sealed_task_is_begun(client: redis.asyncio.Redis, tasks: Tasks) -> None:
    """The other side of the test above."""
    await client.xadd("day2:tasks:finops", sealed("{}"))
    assert await tasks.serve_one("finops", "one", echo, wait_ms=50)
    assert await client.llen("day2:answer:a") == 1  # type: ignore[misc]  # redis-py types both its clients at once


@pytest.mark.parametrize("wrong", ["day2:tasks:finops", "day2:answer:run-1"])
async def test_a_key_of_another_type_is_unavailable(client: redis.asyncio.Redis, tasks: Tasks, wrong: str) -> None:
    await client.set(wrong, "x")
    with pytest.raises(Unavailable):
        await tasks.ask("finops", "run-1", {}, wait_seconds=0.1)


async def test_a_group_that_somebody_destroys_is_made_again(client: redis.asyncio.Redis, tasks: Tasks) -> None:
    assert not await tasks.serve_one("finops", "one", echo, wait_ms=10)
    await client.flushall()
    await client.xadd("day2:tasks:finops", sealed("{}"))
    assert await tasks.serve_one("finops", "one", echo, wait_ms=50)


async def test_a_stream_that_somebody_brought_to_its_end_is_unavailable(client: redis.asyncio.Redis, tasks: Tasks) -> None:
    await client.xadd("day2:tasks:finops", {"id": "x"}, id=f"{2**64 - 1}-{2**64 - 1}")
    with pytest.raises(Unavailable):
        await tasks.ask("finops", "run-1", {}, wait_seconds=0.1)
    assert await tasks.serve_one("finops", "one", break_down, wait_ms=10)
