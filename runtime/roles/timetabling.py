"""The command line's root for schedules and their reports: the doors' database of this data folder, and the documents in force."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from core.domain.clock import Clock
from core.domain.timetable import Timetable
from core.policy.documents import Document
from runtime.roles import console
from runtime.roles.identifying import account
from runtime.services.schedules import Documents
from runtime.settings import Settings


@dataclass(frozen=True)
class Desk:
    """`by` is who types."""

    timetable: Timetable
    documents: Callable[[], Sequence[Document]]
    clock: Clock
    by: str


@contextlib.contextmanager
def opened(settings: Settings, *, create: bool = False) -> Iterator[Desk]:
    """Reading makes nothing: without a database it reads as an empty one. Raises InvalidDocument, Corrupt or Unavailable."""
    from tools.stores.front import opening
    from tools.stores.front.schedules import MemoryTimetable, SqlTimetable

    with contextlib.ExitStack() as stack:
        clock = stack.enter_context(console.clock_of(settings))
        timetable: Timetable = MemoryTimetable()
        if create or settings.store.ledger_url or (settings.data_dir / "front.db").exists():
            database = opening.opened(settings.front_url)
            stack.callback(database.close)
            timetable = SqlTimetable(database)
        yield Desk(timetable, Documents(settings.policy.objectives), clock, account())
