"""The command line's side of what machines beyond this one use: tokens, which who may write the data folder makes, and incidents."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from core.domain.clock import Clock
from core.domain.tokens import Token
from runtime.roles import console
from runtime.roles.identifying import account
from runtime.services import tokens
from runtime.services.tokens import Issued
from runtime.settings import Settings
from tools.stores.front import opening
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
