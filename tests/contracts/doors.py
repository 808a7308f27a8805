"""Open ports of the services for tests of doors: twins of everything, on a clock that stands until it is moved."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from core.domain.access import Caller, Role
from core.domain.approval import Approval
from core.domain.errors import InvalidInput
from core.domain.finding import Coverage
from core.domain.values import identifier
from gate import stopping
from gate.approvals import people_needed
from gate.door import LedgerDoor
from registry.membership import Member
from runtime.declared import Declared
from runtime.roles import console
from runtime.seeded_ids import SeededIds
from runtime.services import policies
from runtime.services.broadcasting import Events
from runtime.services.delivering import Deliveries
from runtime.services.intaking import Desk, Rules
from runtime.services.muting import MuteFolder
from runtime.services.offering import Beyond, Plain, Ports
from runtime.services.planning import Plan
from runtime.services.scanning import Scan
from tools.alerting.webhooks import MemoryPoster
from tools.hand_clock import HandClock
from tools.stores.front.answers import MemoryAnswers
from tools.stores.front.chats import MemoryChats
from tools.stores.front.incidents import MemoryIncidents
from tools.stores.front.intake import MemoryIntake
from tools.stores.front.schedules import MemoryTimetable
from tools.stores.front.tokens import MemoryTokens
from tools.stores.front.webhooks import MemoryTargets
from tools.stores.memory import MemoryLedger

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def ports(folder: Path, **other: Any) -> Ports:
    """Nothing happened yet. `other` takes the place of single ports."""
    ledger, clock, answers = MemoryLedger(), HandClock(AT), dict[str, Plain]()
    ledger, clock = other.get("ledger", ledger), other.get("clock", clock)

    def decide(action_id: str, *, by: str, approve: bool, reason: str, groups: tuple[str, ...] = ()) -> Approval:
        row = ledger.get(action_id)
        assert row is not None
        approval = Approval(
            id=identifier("apr", action_id, by, clock.now()),
            action_id=action_id,
            action_digest=row.digest,
            decision="approved" if approve else "denied",
            by=by,
            groups=groups,
            door="test",
            reason=reason,
            at=clock.now(),
            expires_at=row.expires_at,
        )
        ledger.approve(approval)
        return approval

    async def members() -> tuple[tuple[Member, ...], str]:
        return console.own_members(), "this process"

    async def answer(run_id: str) -> Plain:
        if run_id not in answers:
            raise InvalidInput(f"no finished run {run_id}")
        return answers[run_id]

    async def look(namespaces: Sequence[str], agents: Sequence[str]) -> tuple[Scan, Plain]:
        return Scan((), (), Coverage(run=(), not_run=())), {"namespaces": list(namespaces), "at": clock.now()}

    async def plan(_namespaces: Sequence[str], _agents: Sequence[str], wanted: Sequence[str]) -> Plan:
        if wanted:
            raise InvalidInput(f"no finding {wanted[0]!r} now", mend="scan")
        return Plan("c-1", "test", clock.now(), None, (), (), Coverage(run=(), not_run=()))

    def halt(scope: str, mode: str, by: str, reason: str) -> None:
        stopping.stop(ledger, scope=scope, mode=mode, by=by, reason=reason, at=clock.now())

    def lift(scope: str, by: str, reason: str) -> bool:
        return stopping.resume(ledger, scope=scope, by=by, reason=reason, at=clock.now())

    intake = other.get("intake", MemoryIntake())
    events = Events(ledger, look_seconds=0.01)
    found = Ports(
        ledger=ledger,
        clock=clock,
        intake=intake,
        ids=SeededIds(7),
        decide=decide,
        people_needed=people_needed,
        members=members,
        answer=answer,
        declared=Declared(),
        mutes=MuteFolder(folder / "mutes"),
        gate=LedgerDoor(ledger, clock, poll_seconds=0.01),
        reader=SimpleNamespace(),
        metrics=None,
        plan=plan,
        look=look,
        rules=lambda: policies.in_force(None),
        verify=lambda: {"whole": True, "records": 0, "head": "", "chains": [], "problems": [], "sink": "not used", "signed": 0},
        trust=lambda _namespaces, _capability: ((), ""),
        timetable=MemoryTimetable(),
        schedules=lambda: (),
        halt=halt,
        lift=lift,
        chats=MemoryChats(),
        machines=Beyond(
            tokens=MemoryTokens(),
            answers=MemoryAnswers(),
            events=events,
            desk=Desk(MemoryIncidents(), intake, ledger, clock, Rules()),
            deliveries=Deliveries(MemoryTargets(), MemoryPoster(), events, ledger, clock, folder / "webhook-secrets"),
        ),
    )
    return replace(found, **other)


def caller(*roles: Role, by: str = "oidc:ana@example.org", door: str = "api") -> Caller:
    return Caller(by, frozenset(roles), door, authenticated_at=AT)
