"""What an agent is handed for one task: one look at the cluster, the metrics it asked for, prices, objectives, time. Never a way to write.

Filled by `agents.consulting` before the agent works, so that detectors and planners are pure functions over it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from core.cluster.queries import Query, Sample, Series
from core.cluster.snapshot import Snapshot
from core.domain.finding import Finding, Severity
from core.domain.money import PriceList
from core.domain.objective import Objectives
from core.domain.proposal import Proposal

SCOPE = "scope"
"""Under this key `Desk.missing` says which namespaces alone were read."""


class RangeQuery(NamedTuple):
    """A range question: the last `span_seconds` before now, one value each `step_seconds`."""

    query: Query
    span_seconds: int
    step_seconds: int


class LogRequest(NamedTuple):
    """The tail of one container's log. The text is hostile."""

    namespace: str
    pod: str
    container: str
    previous: bool = False


@dataclass(frozen=True, eq=False)
class Desk:
    """`samples`, `series` and `logs` hold what was asked for and answered; `missing` says why the rest is not there."""

    snapshot: Snapshot
    now: datetime
    run: str
    objectives: Objectives = field(default_factory=Objectives)
    prices: PriceList | None = None
    samples: Mapping[Query, tuple[Sample, ...]] = field(default_factory=dict)
    series: Mapping[RangeQuery, tuple[Series, ...]] = field(default_factory=dict)
    logs: Mapping[LogRequest, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    def namespaces(self) -> tuple[str, ...]:
        return tuple(sorted(item.metadata.name for item in self.snapshot.of("Namespace")))

    @property
    def whole(self) -> bool:
        """Whether all namespaces were read: only then is anything known about what is free on nodes."""
        return SCOPE not in self.missing


class Detector(NamedTuple):
    """One row of an agent's table of detectors. `code` has a page in docs/checks/. `silent` says in words when it keeps silent.

    `queries` and `ranges` name the metrics it needs, from the snapshot; without an answer to one the detector is reported as not run.
    `logs` names the logs it wants to quote; without them it still runs. `looks`, `plan`, `mend` and `limits` say on its page what it looks
    at, what it proposes, what a person does where it proposes nothing, and what it cannot see (`agents.pages`).
    """

    code: str
    name: str
    severity: Severity
    silent: str
    kinds: tuple[str, ...]
    detect: Callable[[Desk], Iterator[Finding]]
    queries: Callable[[Snapshot], Iterable[Query]] = lambda _: ()
    ranges: Callable[[Snapshot], Iterable[RangeQuery]] = lambda _: ()
    logs: Callable[[Snapshot], Iterable[LogRequest]] = lambda _: ()
    looks: str = ""
    plan: str = ""
    mend: str = ""
    limits: str = ""


class Planner(NamedTuple):
    """Turns a finding into the smallest change that mends it, or None when no action in the catalogue does."""

    codes: tuple[str, ...]
    capability: str
    plan: Callable[[Desk, Finding], Proposal | None]


class Agent(NamedTuple):
    """One specialist. `words` are terms by which the supervisor knows that a question is its business.

    `steps` are action kinds that no planner proposes: a flow of many steps, or a person's word, submits them in this agent's name.
    `learned` are findings that no look at a snapshot makes, described as the others are; their `detect` finds nothing.
    """

    name: str
    version: str
    purpose: str
    words: tuple[str, ...]
    detectors: tuple[Detector, ...]
    planners: tuple[Planner, ...]
    steps: tuple[str, ...] = ()
    learned: tuple[Detector, ...] = ()

    @property
    def described(self) -> tuple[Detector, ...]:
        """Every row that has a page."""
        return (*self.detectors, *self.learned)

    @property
    def capabilities(self) -> tuple[str, ...]:
        return tuple(sorted({planner.capability for planner in self.planners}.union(self.steps)))
