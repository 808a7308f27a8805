"""Schedules over the queue, in memory: what is due begins, what ended is reported, and a store that is away ends nobody."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.timetable import TickState
from runtime import queueing
from tests.runtime.scheduled import Office, schedule

EVERY = timedelta(milliseconds=20)


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came")


def known(office: Office) -> bool:
    return office.timetable.after("s", office.clock.now() + timedelta(days=1)) < office.clock.now() + timedelta(days=1)


async def worked(office: Office, name: str, scheduling: Any = None) -> "tuple[asyncio.Task[None], asyncio.Event]":
    stop = asyncio.Event()
    return asyncio.create_task(queueing.work("memory://", scheduling or office.scheduling, stop, every=EVERY, name=name)), stop


async def test_ticks_run_one_after_the_other_while_two_workers_look(tmp_path: Any) -> None:
    office = Office([schedule(overlap="queue")])
    office.scheduling.look()
    workers = [await worked(office, f"two-{tmp_path.name}", office.opened()) for _ in range(2)]
    for count in range(1, 4):
        office.clock.advance(900)
        await until(lambda count=count: len(office.asked()) == count)  # type: ignore[misc]
        office.end()
        await until(lambda count=count: len(office.timetable.reports()) == count)  # type: ignore[misc]
    for _, stop in workers:
        stop.set()
    await asyncio.gather(*(task for task, _ in workers))
    assert [tick.state for tick in office.timetable.recent("s")] == [TickState.ENDED] * 3


async def test_a_store_that_is_away_is_asked_again(tmp_path: Any, caplog: pytest.LogCaptureFixture) -> None:
    office = Office([schedule()])
    office.scheduling.look()
    office.clock.advance(900)
    away = [3]

    def schedules() -> Any:
        if away[0]:
            away[0] -= 1
            raise Unavailable("the ledger")
        return office.schedules

    from dataclasses import replace

    task, stop = await worked(office, f"away-{tmp_path.name}", replace(office.scheduling, schedules=schedules))
    await until(lambda: len(office.asked()) == 1)
    stop.set()
    await task
    assert "schedules were not looked at: the ledger is unavailable" in caplog.text


async def test_what_it_puts_into_the_queue_is_the_name_of_a_task_and_the_id_of_a_run(tmp_path: Any) -> None:
    from docket import Docket

    office = Office([schedule()])
    office.scheduling.look()
    office.clock.advance(900)
    office.scheduling.look()
    async with Docket(name=f"ids-{tmp_path.name}", url="memory://") as queue:
        look, begin = queueing._tasks(queue, office.scheduling, EVERY)
        queue.register(look)
        queue.register(begin)
        for run in office.scheduling.look():
            await queue.add(begin, key=f"begin:{run}")(run)
        found = await queue.snapshot()
        assert [(item.function.__name__, item.args, item.kwargs) for item in found.future] == [
            ("begin_run", (office.timetable.recent("s")[0].run_id,), {})
        ]
