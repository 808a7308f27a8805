"""Autonomous runs over the queue: one owner at a time among all processes on one Redis. Used by the scheduler role.

The queue says who works now, and nothing else: losing all of it loses no tick, and giving a task out twice does nothing twice, as
`runtime.scheduling` decides from rows. Tasks carry a run's id. The queue unpickles what stands in Redis, so who may write there may run
code here: the process that works on it holds no credentials of a cluster and no key.
"""

import asyncio
import contextlib
import logging
from datetime import timedelta

from docket import Docket, Perpetual, Worker

from core.domain.errors import Day2Error
from runtime.scheduling import Scheduling

NAME = "day2-schedules"
REDELIVER = timedelta(seconds=5)
"""After which the task of a process that died is given to another. One that lives renews its claim."""
RECONNECT = timedelta(seconds=1)
log = logging.getLogger(__name__)


async def work(url: str, scheduling: Scheduling, stop: asyncio.Event, *, every: timedelta, name: str = NAME) -> None:
    """Look, begin and follow until told to stop. While Redis is away nobody owns anything; afterwards the same ticks are due."""
    async with Docket(name=name, url=url) as queue:
        look, begin = _tasks(queue, scheduling, every)
        queue.register(look)
        queue.register(begin)
        async with Worker(queue, redelivery_timeout=REDELIVER, reconnection_delay=RECONNECT, concurrency=4) as worker:
            working = asyncio.create_task(worker.run_forever())
            told = asyncio.create_task(stop.wait())
            done, _ = await asyncio.wait({working, told}, return_when=asyncio.FIRST_COMPLETED)
            for task in (working, told):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working
            if working in done:
                working.result()


def _tasks(queue: Docket, scheduling: Scheduling, every: timedelta):  # type: ignore[no-untyped-def]
    async def begin_run(run_id: str) -> None:
        with _said("a run was not begun"):
            scheduling.begin(run_id)

    async def look_at_schedules(again: Perpetual = Perpetual(every=every, automatic=True)) -> None:  # noqa: ARG001, B008  read by the queue
        with _said("schedules were not looked at"):
            for run_id in scheduling.look():
                await queue.add(begin_run, key=f"begin:{run_id}")(run_id)
            await scheduling.follow()

    return look_at_schedules, begin_run


@contextlib.contextmanager
def _said(what: str):  # type: ignore[no-untyped-def]
    """A store that is away is asked again at the next look; what is due stays due."""
    try:
        yield
    except Day2Error as error:
        log.warning("%s: %s", what, error)
