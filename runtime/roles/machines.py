"""The command line's side of what machines beyond this one use: tokens, which who may write the data folder makes, and incidents."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from core.domain.clock import Clock
from core.domain.incidents import Incident
from core.domain.tokens import Token
from runtime import flows
from runtime.roles import console
from runtime.roles.identifying import account
from runtime.services import running, tokens
from runtime.services.offers.incidents import Shown, whole
from runtime.services.tokens import Issued
from runtime.settings import Settings
from tools import checkpoints
from tools.stores.front import opening
from tools.stores.front.incidents import SqlIncidents
from tools.stores.front.intake import SqlIntake
from tools.stores.front.tokens import SqlTokens


@contextlib.contextmanager
def _kept(settings: Settings) -> Iterator[tuple[SqlTokens, Clock]]:
    with console.clock_of(settings) as clock, contextlib.closing(opening.opened(settings.front_url)) as database:
        yield SqlTokens(database), clock


def issue(settings: Settings, name: str, roles: Sequence[str], *, lasts: timedelta | None) -> tuple[Issued, datetime]:
    """Raises InvalidInput or Conflict."""
    with _kept(settings) as (kept, clock):
        now = clock.now()
        return tokens.issue(kept, name, roles, by=account(), now=now, lasts=lasts), now


def listed(settings: Settings) -> tuple[list[Token], datetime]:
    with _kept(settings) as (kept, clock):
        return kept.all(), clock.now()


def revoke(settings: Settings, name: str) -> tuple[list[Token], datetime]:
    """Raises NotFound."""
    with _kept(settings) as (kept, clock):
        tokens.revoke(kept, name, by=account(), now=clock.now())
        return kept.all(), clock.now()


def incidents(settings: Settings, state: str) -> list[Incident]:
    """Newest first."""
    with contextlib.closing(opening.opened(settings.front_url)) as database:
        return SqlIncidents(database).recent(state=state)


async def incident(settings: Settings, name: str) -> Shown:
    """Raises NotFound."""
    async with contextlib.AsyncExitStack() as stack:
        database = stack.enter_context(contextlib.closing(opening.opened(settings.front_url)))
        kept = stack.enter_context(console.record(settings))
        saver = await stack.enter_async_context(checkpoints.opened(settings.data_dir / "checkpoints.db"))
        return await whole(
            SqlIncidents(database), SqlIntake(database), partial(running.get, kept.ledger), partial(flows.response, saver), name
        )
