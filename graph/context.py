"""What the flows are given to work with. Filled by the composition root of the controller; nodes reach the world through nothing else."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from agents.reliability.healing.episode import Episode
from agents.reliability.healing.seeing import Look
from agents.reliability.healing.steps import USUAL, Pace
from core.domain.clock import Clock
from core.domain.finding import Severity
from core.domain.objective import Objectives
from core.domain.proposal import Proposal
from core.domain.request import Request
from core.domain.submitting import GateDoor
from core.policy.arbitration import Arbitration
from graph.routes import Route
from graph.state import Plain


class Consulting(Protocol):
    """Asks one agent, in this process or in its own. The answer is JSON: agent, findings, proposals, coverage."""

    async def consult(self, agent: str, request: Request) -> Plain: ...


class Supervising(Protocol):
    """Chooses agents from what lives in the registry now."""

    async def choose(self, request: Request) -> Route: ...


@dataclass(frozen=True)
class RunContext:
    """`consult_seconds` bounds one agent; a later answer is a finding that says so.

    `arbitrate` gets the proposals, and the severity of each finding by its id; what is free it reads itself.
    """

    clock: Clock
    supervising: Supervising
    consulting: Consulting
    gate: GateDoor
    objectives: Objectives
    arbitrate: Callable[[tuple[Proposal, ...], Mapping[str, Severity]], Awaitable[Arbitration]]
    redact: Callable[[str], str]
    consult_seconds: float = 60.0


@dataclass(frozen=True)
class ActionContext:
    """The gate as it can be observed."""

    gate: GateDoor


@dataclass(frozen=True)
class HealingContext:
    """Around one sick node. `look` reads cluster, ledger and provider anew; `replace` asks the provider for another machine, under the
    episode's id as key; `record` puts the episode on record at each transition."""

    clock: Clock
    gate: GateDoor
    look: Callable[[Episode], Awaitable[Look]]
    replace: Callable[[Episode, Look], Awaitable[str]]
    record: Callable[[Episode], None]
    poll_seconds: float = 5.0
    pace: Pace = USUAL
