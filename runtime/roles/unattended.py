"""Scheduler, run flow, judge and executor over an open court, in one process and one time. Used by the evaluations of autonomous operation.

The steps are the product's own: a schedule's tick becomes a request in the intake, the run flow carries it, its actions go before the
judge under the schedule's leash, the executor writes. Stores are twins; agents answer in this process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agents.catalogue import AGENTS
from core.domain.errors import InvalidInput
from core.domain.intake import Stage
from core.domain.outcome import TERMINAL, ActionState
from core.domain.request import Request
from core.policy.redaction import redact
from core.policy.schedules import Schedule
from gate.door import LedgerDoor
from gate.executing.machine import execute_once
from gate.judging.loop import judge_once
from graph import supervising
from graph.context import RunContext
from graph.routes import Route
from registry.grants import limited
from registry.membership import Member, State
from runtime import leasing
from runtime.arbitrating import arbitrated
from runtime.declared import Declared
from runtime.flows import Flows
from runtime.roles.judged import Court
from runtime.roles.simulated import Checkpoints
from runtime.scheduling import Scheduling
from tools.stores.front.intake import MemoryIntake
from tools.stores.front.schedules import MemoryTimetable

Answer = Mapping[str, Any]
PATIENCE_SECONDS = 600.0
"""Of this machine's clock, for one agent's answer: time here is virtual, and a slow machine must change nothing."""
OPEN = tuple(state for state in ActionState if state not in TERMINAL)
MOST_ROUNDS = 200
"""Of judge and executor at one moment. What still moves then goes on at the next."""


@dataclass(frozen=True)
class _Supervising:
    members: tuple[Member, ...]

    async def choose(self, request: Request) -> Route:
        return supervising.choose(request, self.members)


@dataclass
class Unattended:
    """Whoever works while nobody looks. `people` approve whatever they are asked, at the next step."""

    court: Court
    schedules: tuple[Schedule, ...]
    people: Sequence[str] = ()
    timetable: MemoryTimetable = field(default_factory=MemoryTimetable)
    intake: MemoryIntake = field(default_factory=MemoryIntake)
    answers: dict[str, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bench = self.court.bench
        self._flows = Flows(Checkpoints(), run=_context(self.court))
        self._scheduling = Scheduling(
            timetable=self.timetable,
            intake=self.intake,
            ledger=bench.ledger,
            clock=bench.clock,
            schedules=lambda: self.schedules,
            answer=self._answer,
            posts={},
        )

    async def step(self) -> list[Answer]:
        """Whatever is due now; what the runs that ended answered."""
        for run_id in self._scheduling.look():
            self._scheduling.begin(run_id)
        ended = [await self._carried(asked.request) for asked in self.intake.open()]
        await self._act()
        await self._scheduling.follow()
        return ended

    async def _carried(self, request: Request) -> Answer:
        now = self.court.bench.clock.now
        self.intake.move(request.id, expected=frozenset({Stage.WAITING}), to=Stage.BEGUN, at=now())
        answer = self.answers[request.id] = await self._flows.run(request)
        self.intake.move(request.id, expected=frozenset({Stage.BEGUN}), to=Stage.ENDED, at=now())
        return answer

    async def _answer(self, run_id: str) -> Answer:
        if run_id not in self.answers:
            raise InvalidInput(f"no finished run {run_id}")
        return self.answers[run_id]

    async def _act(self) -> None:
        """Judge and executor, until nothing but time can bring anything on."""
        before = None
        for _ in range(MOST_ROUNDS):
            standing = self._standing()
            if standing in (before, []):
                return
            before = standing
            self.court.hear(self.people)
            await judge_once(self.court.bench)
            await execute_once(self.court.hands)

    def _standing(self) -> list[tuple[str, str, int, str]]:
        rows = self.court.bench.ledger.in_states(*OPEN)
        return [(row.action_id, row.state, row.attempts, row.looks) for row in rows]


def _context(court: Court) -> RunContext:
    bench = court.bench
    people = Declared(objectives=bench.objectives, grants=tuple(bench.grants), prices=bench.prices)
    cards = [limited(leasing.card_of(agent), people.grants) for agent in AGENTS]
    members = tuple(Member(card.name, State.READY, card, card.digest(), ("here",), 0) for card in cards)
    return RunContext(
        clock=bench.clock,
        supervising=_Supervising(members),
        consulting=court.agents,
        gate=LedgerDoor(bench.ledger, bench.clock),
        objectives=bench.objectives,
        arbitrate=partial(arbitrated, bench.ledger, court.agents.reader, bench.clock, people),
        redact=redact,
        consult_seconds=PATIENCE_SECONDS,
    )
