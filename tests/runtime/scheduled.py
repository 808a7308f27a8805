"""A scheduler's surroundings in memory: whoever empties the intake is played, and the ledger is the twin."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from core.actions.scale_workload import ScaleWorkload
from core.domain.errors import InvalidInput, Unavailable
from core.domain.evidence import observe
from core.domain.intake import Stage
from core.domain.ledger import ActionRow
from core.domain.money import Saving
from core.domain.outcome import ActionState
from core.domain.proposal import Effect, Proposal
from core.domain.request import Request
from core.domain.target import Target
from core.domain.values import canonical
from core.policy.schedules import Schedule
from runtime.scheduling import Scheduling
from tools.hand_clock import HandClock
from tools.stores.front.intake import MemoryIntake
from tools.stores.front.schedules import MemoryTimetable
from tools.stores.memory import MemoryLedger

AT = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)  # a Monday
ANSWER: dict[str, Any] = {"asked": ["finops"], "findings": [], "proposals": [], "held": [], "missing": []}


def schedule(name: str = "s", **said: Any) -> Schedule:
    when = {} if "cron" in said else {"every_seconds": 900}
    return Schedule(name=name, **when | said)


def proposal(number: int, run: str) -> Proposal:
    target = Target(cluster="c-1", group="apps", kind="Deployment", namespace="shop", name=f"web-{number}", uid=f"uid-{number}")
    return Proposal(
        action=ScaleWorkload(id=f"act-{number:04}", target=target, from_replicas=4, to_replicas=2),
        agent="finops",
        run=run,
        why="two are enough",
        evidence=(observe("metric", target, "rate", "12", AT),),
        effect=Effect(summary="two copies fewer", saving=Saving(paper_micro_usd=10_000_000)),
        expires_at=AT + timedelta(days=30),
    )


def row(number: int, run: str, at: datetime, state: ActionState = ActionState.SUBMITTED, note: str = "") -> ActionRow:
    said = proposal(number, run)
    texts: dict[str, Any] = dict.fromkeys(ActionRow._fields, "")
    told = {
        "action_id": said.action.id, "digest": said.action.digest(), "intent_key": f"wish-{number}", "run_id": run, "agent": said.agent,
        "kind": said.action.kind, "target_uid": said.action.target.uid, "namespace": "shop", "proposal": canonical(said).decode(),
        "state": state, "submitted_by": "schedule:s", "submitted_at": at, "changed_at": at, "expires_at": at + timedelta(days=1),
        "note": note, "next_look_at": None, "deadline": None, "epoch": 0, "attempts": 0,
    }  # fmt: skip
    return ActionRow(**texts | told)


class Inbox:
    """A channel that keeps what it was sent, and may be down."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, str]] = []
        self.down = False

    async def send(self, title: str, text: str, page: str = "") -> None:
        if self.down:
            raise Unavailable("channel inbox")
        self.got.append((title, text, page))


@dataclass
class Office:
    """`end` plays the controller: a request that waits is begun, its actions are submitted, and it ends."""

    schedules: list[Schedule]
    clock: HandClock = field(default_factory=lambda: HandClock(AT))
    timetable: MemoryTimetable = field(default_factory=MemoryTimetable)
    intake: MemoryIntake = field(default_factory=MemoryIntake)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    inbox: Inbox = field(default_factory=Inbox)
    answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    digest: Schedule | None = None

    def __post_init__(self) -> None:
        self.scheduling = self.opened()

    def opened(self) -> Scheduling:
        """A scheduler's process on these stores."""
        return Scheduling(
            timetable=self.timetable,
            intake=self.intake,
            ledger=self.ledger,
            clock=self.clock,
            schedules=lambda: self.schedules,
            answer=self.answer,
            posts={"inbox": self.inbox},
            digest=self.digest,
            url="https://day2.example",
        )

    async def answer(self, run_id: str) -> Mapping[str, Any]:
        if run_id not in self.answers:
            raise InvalidInput(f"no finished run {run_id}")
        return self.answers[run_id]

    async def look(self) -> list[str]:
        """One whole look of a scheduler; the runs that it begun."""
        begun = [run for run in self.scheduling.look() if self.scheduling.begin(run)]
        await self.scheduling.follow()
        return begun

    def asked(self) -> list[Request]:
        return [item.request for item in reversed(self.intake.recent())]

    def end(self, *, stage: Stage = Stage.ENDED, note: str = "", **answer: Any) -> None:
        for item in self.intake.open():
            self.answers[item.request.id] = ANSWER | answer
            self.intake.move(item.request.id, expected=frozenset({item.stage}), to=stage, at=self.clock.now(), note=note)

    def submit(self, number: int, run: str) -> None:
        assert self.ledger.submit(row(number, run, self.clock.now()))

    def move(self, number: int, *states: ActionState) -> None:
        for state in states:
            kept = self.ledger.get(f"act-{number:04}")
            assert kept is not None
            assert self.ledger.move(kept.action_id, kept.state, state, role="judge", at=self.clock.now(), event={})
