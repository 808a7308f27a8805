"""The scheduler's composition root: what runs by itself. It puts requests into the intake, reads the ledger, and tells channels.

A process of its own, because the queue unpickles what stands in Redis: here that reaches no kubeconfig, no key and no model. It writes the
doors' database alone. Any number may run on one Redis and one database.
"""

import asyncio
import contextlib
import logging
import sys
from datetime import timedelta

from pydantic import ValidationError

from core.domain.errors import InvalidInput, Unavailable
from core.policy.schedules import Schedule
from runtime import flows, queueing
from runtime.roles import console, deciders
from runtime.roles.front import ConsoleSettings
from runtime.scheduling import DIGEST, Scheduling
from runtime.services import schedules
from runtime.services.offering import Plain
from runtime.settings import SchedulesSettings, Settings
from tools import checkpoints
from tools.alerting import pages
from tools.stores import ledger as ledgers
from tools.stores.front import opening
from tools.stores.front.intake import SqlIntake
from tools.stores.front.schedules import SqlTimetable

ROLE = "scheduler"


class SchedulerSettings(ConsoleSettings):
    """What its process is handed: the same as the console's."""


async def run(told: SchedulerSettings, stop: asyncio.Event) -> None:
    """Until told to stop. Raises InvalidDocument for schedules that cannot be, InvalidInput where no registry was handed over."""
    settings = told.settings
    if not told.registry_url:
        raise InvalidInput("no registry was handed over, so nobody could own a schedule", mend="day2 serve, or set registry.url")
    async with contextlib.AsyncExitStack() as stack:
        scheduling = await _opened(settings, stack)
        logging.getLogger("docket").setLevel(logging.WARNING)  # two lines for each look otherwise
        deciders.ready(ROLE)
        every = timedelta(seconds=settings.schedules.look_seconds)
        while not stop.is_set():
            try:
                await queueing.work(told.registry_url, scheduling, stop, every=every)
            except (OSError, Unavailable):  # it was away when the queue was opened
                await asyncio.sleep(1.0)


async def _opened(settings: Settings, stack: contextlib.AsyncExitStack) -> Scheduling:
    clock = stack.enter_context(console.clock_of(settings))
    kept = ledgers.opened(settings.ledger_url, None if settings.store.ledger_url else settings.audit_sink)
    stack.callback(kept.close)
    database = opening.opened(settings.front_url)
    stack.callback(database.close)
    saver = await stack.enter_async_context(checkpoints.opened(settings.data_dir / "checkpoints.db"))
    timetable = SqlTimetable(database)
    found = schedules.Documents(settings.policy.objectives)
    wanted = settings.schedules

    async def answer(run_id: str) -> Plain:
        return await flows.response(saver, run_id)

    return Scheduling(
        timetable=timetable,
        intake=SqlIntake(database),
        ledger=kept,
        clock=clock,
        schedules=schedules.forces(found, timetable),
        answer=answer,
        posts=pages.posts(wanted.channels_file) if wanted.channels_file else {},
        digest=_digest(wanted) if wanted.digest_to else None,
        url=settings.web.public_url,
    )


def _digest(wanted: SchedulesSettings) -> Schedule:
    try:
        return Schedule(name=DIGEST, cron=wanted.digest_cron, zone=wanted.digest_zone, report_to=wanted.digest_to)
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise InvalidInput(
            f"schedules.digest_cron or schedules.digest_zone: {said}", mend="day2 config explain schedules.digest_cron"
        ) from error


def main(argv: list[str] | None = None) -> int:
    return deciders.main(ROLE, run, SchedulerSettings, argv)


if __name__ == "__main__":
    sys.exit(main())
