"""A ledger with actions that ended in all sorts of ways, for the tests of what is told about them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from core.actions.cordon_node import CordonNode
from core.actions.scale_workload import ScaleWorkload
from core.domain.errors import Refused, Unavailable
from core.domain.evidence import observe
from core.domain.facts import Facts
from core.domain.ledger import ActionRow, Ledger
from core.domain.money import Saving
from core.domain.outcome import ActionState
from core.domain.proposal import Effect, Proposal
from core.domain.target import Target
from core.domain.values import Json, canonical
from core.domain.verdict import Decision, RuleResult, Verdict
from gate.door import LedgerDoor
from runtime.services.alerting import Limits, Watch
from runtime.services.notifying import Notifier, Verification
from tools.alerting.twin import MemoryChannel
from tools.hand_clock import HandClock
from tools.stores.memory import MemoryLedger

S = ActionState
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GPUS = "the namespace would hold 9 GPUs and its allowance is 6"
WAYS: dict[ActionState, tuple[ActionState, ...]] = {
    S.DENIED: (S.DENIED,),
    S.NEEDS_APPROVAL: (S.NEEDS_APPROVAL,),
    S.UNKNOWN: (S.PERMITTED, S.CLAIMED, S.SENDING, S.UNKNOWN),
    S.APPLIED: (S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED),
    S.VERIFIED: (S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, S.VERIFIED),
    S.ROLLED_BACK: (S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, S.UNDOING, S.ROLLED_BACK),
    S.ESCALATED: (S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, S.UNDOING, S.ESCALATED),
}
EXECUTORS = frozenset({S.CLAIMED, S.SENDING, S.UNKNOWN, S.APPLIED, S.VERIFIED, S.UNDOING, S.ROLLED_BACK, S.ESCALATED})


@dataclass
class MemoryEvents:
    """The twin of the Event writer. `down` is raised while it is set, `refuses` names namespaces that are gone."""

    written: dict[str, Json] = field(default_factory=dict)
    calls: int = 0
    down: Unavailable | None = None
    refuses: frozenset[str] = frozenset()

    async def write(self, event: Json) -> None:
        self.calls += 1
        if self.down:
            raise self.down
        if event["metadata"]["namespace"] in self.refuses:
            raise Refused(("namespace is not there any more",))
        self.written.setdefault(event["metadata"]["name"], event)


@dataclass
class Told:
    """A ledger, a clock, and a notifier over twins; `restart` is a kill and a start."""

    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    clock: HandClock = field(default_factory=lambda: HandClock(START))
    manager: MemoryChannel = field(default_factory=MemoryChannel)
    pager: MemoryChannel = field(default_factory=lambda: MemoryChannel("page-1", only_grave=True, again_seconds=0))
    events: MemoryEvents = field(default_factory=MemoryEvents)
    problems: list[str] = field(default_factory=list)
    limits: Limits = field(default_factory=lambda: Limits(labels=(("team", "platform"),)))
    _ids: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        verification = Verification(lambda: list(self.problems), timedelta(minutes=15))
        watch = Watch(self.limits)
        self.notifier = Notifier(self.ledger, self.clock, watch, [self.manager, self.pager], self.events, verification)

    async def step(self, seconds: float = 1) -> int:
        self.clock.advance(seconds)
        return await self.notifier.step()

    def action(
        self,
        state: ActionState,
        *,
        rule: str = "",
        verdict: Verdict | None = None,
        note: str = "",
        target: Target | None = None,
        saving: int = 0,
    ) -> ActionRow:
        """An action that came to this state. `rule` is the one that denied it."""
        action_id = f"act-told{next(self._ids):04}"
        submit(self.ledger, self.clock, action_id, target or deployment(action_id), saving)
        said_by = verdict or (verdict_of(action_id, rule) if rule else None)
        for old, new in itertools.pairwise((S.SUBMITTED, *WAYS[state])):
            role = "executor" if new in EXECUTORS else "judge"
            said = {"note": note} if note and new is state else {}
            columns = {"note": note if new is state else "", **({"verdict": canonical(said_by).decode()} if said_by else {})}
            assert self.ledger.move(action_id, old, new, role=role, at=self.clock.now(), event=said, **columns)
        row = self.ledger.get(action_id)
        assert row is not None
        return row

    def records(self, *events: str) -> list[tuple[str, str]]:
        return [(row.event, row.subject) for row in self.ledger.chain(role="notifier") if not events or row.event in events]


def names(alerts: Sequence[Any]) -> list[str]:
    return [alert.name for alert in alerts]


def deployment(uid: str, name: str = "llm-serving") -> Target:
    return Target(cluster="c-1", group="apps", kind="Deployment", namespace="ml", name=name, uid=f"u-{uid}")


def submit(ledger: Ledger, clock: HandClock, action_id: str, target: Target, saving: int = 0) -> None:
    now = clock.now()
    effect = Effect(summary="more", saving=Saving(paper_micro_usd=saving, realisable_micro_usd=saving) if saving else None)
    proposal = Proposal(
        action=CordonNode(id=action_id, target=target)
        if target.kind == "Node"
        else ScaleWorkload(id=action_id, target=target, from_replicas=1, to_replicas=3),
        agent="scaling",
        run="run-1",
        why="w",
        evidence=(observe("metric", target, "q", "1", now),),
        effect=effect,
        expires_at=now + timedelta(hours=4),
    )
    coroutine = LedgerDoor(ledger, clock).submit(proposal, by="somebody")
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("the door waited")


def verdict_of(action_id: str, rule: str, *others: RuleResult) -> Verdict:
    """Denied by this rule, with what others said."""
    return Verdict(
        action_id=action_id,
        action_digest="0" * 64,
        policy_digest="0" * 64,
        facts=Facts(read_at=START, cluster="c-1", exists=True),
        results=(RuleResult(rule=rule, result="fail", on_fail=Decision.DENY, message=GPUS), *others),
        at=START,
    )
