"""What the flow of an experiment remembers and is given: state, context, and where it goes next. Its steps are `nodes/experiment_*.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypedDict

from core.domain.clock import Clock
from core.domain.submitting import GateDoor
from graph.state import Plain


class ExperimentState(TypedDict, total=False):
    """One experiment. The thread id is the experiment's id; the ledger has the truth of its actions."""

    schema: int
    id: str
    name: str
    spec: Plain  # as people wrote it, read again by each step
    by: str
    target: str  # name of the workload that was found
    refused: list[str]
    unsteady: list[str]
    proposals: list[Plain]  # Proposal, in the order in which they are done
    actions: list[str]  # ids of those that were submitted
    injected: bool
    since: str  # when the last part of the fault was seen applied
    tallies: dict[str, Plain]  # Tally by probe
    ended: str  # why it ended before its time; empty where it did not
    over: bool
    leftovers: list[str]
    undone_seconds: int
    recovered: bool | None
    recovered_seconds: int
    report: Plain


class Laboratory(Protocol):
    """Everything that an experiment reads and keeps. It writes no cluster; what it submits goes through the gate's door."""

    async def plan(self, state: ExperimentState) -> Plain:
        """`refused`, `target` and `proposals`. Nothing is submitted."""

    async def look(self, state: ExperimentState) -> list[Plain]:
        """One look at each probe: `probe`, `outcome`, `words`. What cannot be read is no data."""

    async def budget(self, state: ExperimentState) -> int | None:
        """Percent of the error budget that is left; None where that is not known."""

    def beat(self, actions: Sequence[str]) -> None:
        """Renew the lease of what is applied. Without a beat the executor takes it back by itself."""

    def release(self, actions: Sequence[str]) -> None:
        """Give the leases up: the executor takes everything back at its next look."""

    def record(self, event: str, identity: str, body: Plain) -> None:
        """Into the audit chain."""

    def stopped(self, state: ExperimentState) -> str:
        """Who asked to stop this experiment, or everything here, and why; empty where nobody did."""

    async def conclude(self, state: ExperimentState) -> Plain:
        """The report: verdict, findings, proposals."""


@dataclass(frozen=True)
class ExperimentContext:
    """`pause_seconds` of real time lie between two looks."""

    clock: Clock
    gate: GateDoor
    laboratory: Laboratory
    pause_seconds: float = 1.0


def after_validate(state: ExperimentState) -> Literal["steady", "verdict"]:
    return "verdict" if state["refused"] else "steady"


def after_steady(state: ExperimentState) -> Literal["journal", "verdict"]:
    return "verdict" if state["unsteady"] else "journal"


def after_inject(state: ExperimentState) -> Literal["watch", "undo"]:
    return "undo" if state["ended"] else "watch"


def after_watch(state: ExperimentState) -> Literal["watch", "undo"]:
    return "undo" if state["over"] else "watch"


def after_undo(state: ExperimentState) -> Literal["recover", "verdict"]:
    return "recover" if state["injected"] else "verdict"
