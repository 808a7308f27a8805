"""Alerts that others hand in, and the incidents that they are joined to. `core.domain.joining` joins, `tools/stores/front` keeps.

An alert's text is a stranger's: bounded and redacted before it is kept, shown as a quotation, and never what a run is told to do.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

STATES = ("open", "lapsed", "resolved")
SEVERITIES = ("critical", "high", "medium", "low")
"""Worst first."""


class Place(NamedTuple):
    """Where it hurts. `workload` is a workload, a `node/NAME`, or an `alert/NAME` where nothing else is known."""

    cluster: str
    namespace: str
    workload: str


class Handed(NamedTuple):
    """One alert of one notification. `key` comes of groupKey, fingerprint and startsAt: the same key is the same alert.

    `starts_at` and `ends_at` are the sender's clock, kept within reason of ours; `ends_at` is None while it fires. `until`: when it is
    over unless it is told again, where the sender said so.
    """

    key: str
    name: str
    severity: str
    place: Place
    starts_at: datetime
    ends_at: datetime | None
    summary: str
    labels: dict[str, str]
    group: str
    truncated: int = 0
    until: datetime | None = None

    @property
    def fires(self) -> bool:
        return self.ends_at is None


class Kept(NamedTuple):
    """An alert that was handed in, in the incident that it was joined to, and when it was last heard of (to ten minutes). Over is over:
    nothing makes the same key fire again. But where nobody told its end, it `lapsed`, and is taken up again when it is told."""

    alert: Handed
    incident: str
    at: datetime
    lapsed: bool = False


class Incident(NamedTuple):
    """`firing` of its `alerts` still fire. It hurt from `opened_at`; `ended_at` is the latest end of an alert, None while none has ended.
    `run` is its one investigation, empty until it began; `truncated` is how many alerts the sender said it left out. `told` counts the
    moves that the audit chain has. `lapsed` of its alerts are taken to be over because nobody told of them any more."""

    id: str
    place: Place
    title: str
    severity: str
    opened_at: datetime
    ended_at: datetime | None
    changed_at: datetime
    alerts: int = 0
    firing: int = 0
    reopened: int = 0
    truncated: int = 0
    run: str = ""
    run_at: datetime | None = None
    told: int = 0
    lapsed: int = 0

    @property
    def open(self) -> bool:
        return self.firing > 0

    @property
    def state(self) -> str:
        """Of `STATES`. Lapsed: over as far as anybody can tell, for nobody told the end."""
        return "open" if self.open else "lapsed" if self.lapsed else "resolved"

    @property
    def closed_at(self) -> datetime | None:
        return None if self.open else self.ended_at

    @property
    def moves(self) -> int:
        """Opened is the first, resolved the second, reopened the third, and so on."""
        return 2 * self.reopened + (1 if self.open else 2)


class Taken(NamedTuple):
    """What a notification changed. Repeated alerts changed nothing."""

    new: int
    resolved: int
    repeated: int
    incidents: tuple[str, ...]


class Incidents(Protocol):
    def take(self, many: Sequence[Sequence[Handed]], *, at: datetime, again_within: timedelta) -> list[Taken]:
        """Keep and join the alerts of several notifications in one transaction, and say of each what it changed."""

    def get(self, incident_id: str) -> Incident | None: ...

    def recent(self, *, state: str = "", limit: int = 1000) -> list[Incident]:
        """Newest first; `state` one of `STATES`, empty: all."""

    def alerts(self, incident_id: str, limit: int = 500) -> list[Kept]:
        """Newest first."""

    def lapse(self, *, at: datetime, silence: timedelta) -> int:
        """End alerts, some at a time, that fire and of which nothing was heard for so long, or until when they were said to last. How many:
        0 when there are no more."""

    def waiting(self, limit: int) -> list[Incident]:
        """Open and without a run: the worst first, of those the oldest."""

    def begun(self, incident_id: str, run: str, at: datetime) -> None: ...

    def runs_since(self, at: datetime) -> int: ...

    def untold(self, limit: int = 200) -> list[Incident]:
        """Those with moves that the audit chain does not have."""

    def told(self, moves: Mapping[str, int]) -> None:
        """So many moves of each of these incidents are in the chain."""

    def forget(self, before: datetime) -> int:
        """Drop incidents that were over before then, with their alerts."""
