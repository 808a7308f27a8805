"""Group commit: whoever comes while another caller commits waits, and shares the next commit with all who came meanwhile.

A flush to the disk costs the same for one record and for a thousand. Nobody is told before the flush that covers his own.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from core.domain.ledger import AuditRow, Entry
from core.domain.values import canonical
from tools.stores.ledger import SqlLedger
from tools.stores.opening import Database
from tools.stores.sink import Sink

MOST = 1000
"""In one commit, so that the first of a flood does not wait for all of it."""

Given = TypeVar("Given")
Kept = TypeVar("Kept")


class _Caller(Generic[Given, Kept]):
    """Called when his own is kept, or when it is his turn to commit for all who wait."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.kept: Future[Kept] = Future()
        self.called = threading.Event()


class Commits(Generic[Given, Kept]):
    """`commit` keeps all that it is given, in order, or raises and has kept nothing; it is never called by two threads at once."""

    def __init__(self, commit: Callable[[Sequence[Given]], Sequence[Kept]], *, most: int = MOST) -> None:
        self._commit = commit
        self._most = most
        self._lock = threading.Lock()
        self._waiting: list[_Caller[Given, Kept]] = []

    def add(self, given: Given) -> Kept:
        """Returns what became of it once that is durable. Raises what the commit raised."""
        mine = _Caller[Given, Kept](given)
        with self._lock:
            self._waiting.append(mine)
            leads = self._waiting[0] is mine
        if not leads:
            mine.called.wait()
        if not mine.kept.done():
            self._lead()
        return mine.kept.result()

    def _lead(self) -> None:
        """For the first of those who wait; they stay in the queue until it is done, so that nobody else begins."""
        group = self._waiting[: self._most]
        try:
            found = self._commit([caller.given for caller in group])
        except BaseException as error:  # noqa: BLE001  each of them is told, whatever it is
            for caller in group:
                caller.kept.set_exception(error)
        else:
            for caller, kept in zip(group, found, strict=True):
                caller.kept.set_result(kept)
        with self._lock:
            del self._waiting[: len(group)]
            following = self._waiting[:1]
        for caller in (*group, *following):
            caller.called.set()


def opened(url: str, sink: Path | None) -> "GroupedLedger":
    """As `tools.stores.ledger.opened`."""
    return GroupedLedger(Database(url), Sink(sink) if sink else None).checked()


class GroupedLedger(SqlLedger):
    """The SQL ledger for a process whose threads record at one time."""

    def __init__(self, database: Database, sink: Sink | None = None) -> None:
        super().__init__(database, sink)
        self._records = Commits(self.record_all)

    def record(self, *, role: str, event: str, subject: str, body: dict[str, Any], at: datetime) -> AuditRow:
        canonical(body)  # what cannot be kept is refused here, and not beside what others record
        return self._records.add(Entry(role, event, subject, body, at))
