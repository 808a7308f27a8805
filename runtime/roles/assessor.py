"""Assessing from the command line: joins the record of this data folder and what its runs answered to the assessor. Writes nothing."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from core.assessing.answers import Assessment
from core.assessing.trajectory import Trajectory
from core.domain.errors import InvalidInput
from core.domain.values import Json, bounded
from runtime import flows
from runtime.roles import console
from runtime.services import assessing
from runtime.services.assessing import Journal, Recorded
from runtime.settings import Settings
from tools import checkpoints


def recorded(settings: Settings, limit: int) -> list[Recorded]:
    """What the controller found, newest first."""
    with console.record(settings) as kept:
        return assessing.recorded(kept.ledger, limit)


async def assessed(settings: Settings, run_id: str) -> tuple[Trajectory, Assessment]:
    """One run now, by code, whatever was recorded of it; a later look is taken where a later run had one. Raises InvalidInput."""
    with console.record(settings) as kept:
        async with _responses(settings, run_id) as answered:
            journal = Journal()
            journal.catch_up(kept.ledger)
            later = journal.later(kept.ledger, run_id)
            response = await answered(run_id)
            again = assessing.looked_again(response, await answered(later) if later else None)
            return assessing.by_code(assessing.stored(kept.ledger, run_id, response, again))


@contextlib.asynccontextmanager
async def _responses(settings: Settings, run_id: str) -> AsyncIterator[Callable[[str], Awaitable[Json]]]:
    path = settings.data_dir / "checkpoints.db"
    if not path.exists():
        raise InvalidInput(f"no run {bounded(run_id, 40)!r}", mend="day2 run list")
    async with checkpoints.opened(path) as saver:

        async def answered(name: str) -> Json:
            return await flows.response(saver, name)

        yield answered
