"""What the audit chains say, kept up to date: a process that shows runs all day reads each record once, not the whole chain for each page.

Bounded by what runs say of themselves: of every other record only its place is kept, and it is read again where it is shown.
"""

import threading
from collections.abc import Iterable
from datetime import datetime

from core.domain.errors import NotFound
from core.domain.ledger import ANCHORED, AuditRow, Ledger
from runtime.services import running
from runtime.services.recording import PAGE
from runtime.services.running import FINISHED, STARTED, Run

MARKS = frozenset({"guard.altered", "guard.restored", "sending", "canary.approved", ANCHORED})
"""Events whose newest records are asked for by themselves."""
MOST_MARKS = 100


class History:
    """A reader of one ledger. `catch_up` first, which every question here does by itself. Safe between threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._next = 1
        self._runs: dict[str, Run] = {}
        self._marks: dict[str, list[int]] = {}
        self._places: dict[str, list[int]] = {}
        self._newest: list[Run] = []
        self._sorted = True

    @property
    def place(self) -> int:
        """Of the record that would be read next."""
        return self._next

    def catch_up(self) -> None:
        """Read what was recorded since. Raises what the ledger raises; then nothing is lost, and the next call reads it."""
        with self._lock:
            while page := self._ledger.chain(self._next, PAGE):
                for row in page:
                    self._keep(row)
                self._next = page[-1].place + 1

    def _keep(self, row: AuditRow) -> None:
        self._places.setdefault(row.subject, []).append(row.place)
        if row.event in MARKS:
            self._marks[row.event] = [*self._marks.get(row.event, ()), row.place][-MOST_MARKS:]
        if row.event == STARTED:
            self._runs[row.subject] = running.begun(row, None)
            self._sorted = False
        elif row.event == FINISHED and row.subject in self._runs:
            self._runs[row.subject] = running.ended(self._runs[row.subject], row)
            self._sorted = False

    def runs(self, limit: int = 200, *, since: datetime | None = None) -> list[Run]:
        """Newest first, those that began since then."""
        self.catch_up()
        if not self._sorted:
            self._newest = sorted(self._runs.values(), key=lambda run: (run.started_at, run.id), reverse=True)
            self._sorted = True
        found = self._newest if since is None else [run for run in self._newest if run.started_at >= since]
        return found[:limit]

    def run(self, run_id: str) -> Run:
        """With its actions and their way. Raises NotFound for an unknown run."""
        self.catch_up()
        actions = tuple(self._ledger.of_run(run_id))
        known = self._runs.get(run_id)
        if known is None and not actions:
            raise NotFound(f"no run {run_id[:40]!r}", mend="day2 run list")
        way = self.way([run_id, *(row.action_id for row in actions)])
        if known is None:
            return Run(run_id, "cli", actions[0].submitted_by, "", actions[0].submitted_at, None, {}, actions, way)
        return known._replace(actions=actions, way=way)

    def latest(self, event: str) -> AuditRow | None:
        """The newest record of one of `MARKS`."""
        return next(iter(self.all_of(event, most=1)), None)

    def all_of(self, event: str, *, most: int = MOST_MARKS) -> tuple[AuditRow, ...]:
        """The newest records of one of `MARKS`, oldest first."""
        self.catch_up()
        return tuple(row for place in self._marks.get(event, [])[-most:] for row in self._ledger.chain(place, 1))

    def way(self, subjects: Iterable[str]) -> tuple[AuditRow, ...]:
        """The records of these subjects in the order of their commits."""
        self.catch_up()
        wanted = sorted(place for subject in set(subjects) for place in self._places.get(subject, ()))
        return tuple(row for place in wanted for row in self._ledger.chain(place, 1))
