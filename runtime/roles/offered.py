"""The services as one command calls them: over ports that open when a service reaches for them, and close when the command ends.

`runtime.roles.front` opens all of them for a process that serves; a command needs few, and looking makes no file. Called by
`interfaces.cli.sessions`.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from core.domain.errors import Unavailable
from runtime.roles import console
from runtime.services.offering import Beyond, Offers, People, Plain, Ports
from runtime.services.offers.table import OFFERS
from runtime.settings import Settings

if TYPE_CHECKING:  # a command waits for what it imports: each port brings its own adapter, where it is reached for
    from core.cluster.looking import ClusterReader
    from core.cluster.reading import Metrics
    from core.domain.approval import Approval
    from core.domain.clock import Clock
    from core.domain.intake import Intake
    from core.domain.ledger import AuditRow, Entry, Ledger
    from core.domain.timetable import Timetable
    from core.policy.documents import Document
    from core.policy.engine import Engine
    from gate.door import LedgerDoor
    from registry.membership import Member
    from runtime.declared import Declared
    from runtime.ids import Ids
    from runtime.roles.reading import Reading
    from runtime.services.muting import MuteFolder
    from runtime.services.planning import Plan
    from runtime.services.scanning import Scan
    from runtime.services.trusting import Trust
    from tools.stores.opening import Database

DOOR = "cli"


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, writes: bool = False, looks: bool = False) -> AsyncIterator[Offers]:
    """`writes` makes what is not there yet, and signs the door's head where records were added; `looks` also reads the cluster.

    What is not opened raises Unavailable. Raises Corrupt or Unavailable with the mend, when the port is reached for.
    """
    async with contextlib.AsyncExitStack() as stack:
        view = await stack.enter_async_context(_reading(settings)) if looks else None
        yield Offers(OFFERS, Here(settings, stack, view, writes=writes))


def _reading(settings: Settings) -> "contextlib.AbstractAsyncContextManager[Reading]":
    from runtime.roles import reading

    return reading.opened(settings)


class Here(Ports):
    """Every port at its first use. Without a record of its own, this folder reads as an empty one."""

    def __init__(self, settings: Settings, stack: contextlib.AsyncExitStack, view: "Reading | None", *, writes: bool) -> None:
        self._settings, self._stack, self._view, self._writes = settings, stack, view, writes

    def __repr__(self) -> str:
        return f"Here({self._settings.data_dir})"

    @cached_property
    def _record(self) -> console.Record:
        return self._stack.enter_context(console.record(self._settings, signs=self._writes))

    @cached_property
    def ledger(self) -> "Ledger":
        return self._record.ledger

    @cached_property
    def clock(self) -> "Clock":
        return self._record.clock

    @cached_property
    def _database(self) -> "Database | None":
        """Of what the doors keep; None where nothing was kept and nothing is written."""
        from tools.stores.front import opening

        if not (self._writes or self._settings.store.ledger_url or (self._settings.data_dir / "front.db").exists()):
            return None
        return self._stack.enter_context(contextlib.closing(opening.opened(self._settings.front_url)))

    @cached_property
    def timetable(self) -> "Timetable":
        from tools.stores.front.schedules import MemoryTimetable, SqlTimetable

        return SqlTimetable(self._database) if self._database else MemoryTimetable()

    @cached_property
    def intake(self) -> "Intake":
        from tools.stores.front.intake import MemoryIntake, SqlIntake

        return SqlIntake(self._database) if self._database else MemoryIntake()

    @cached_property
    def schedules(self) -> "Callable[[], Sequence[Document]]":
        from runtime.services import schedules

        return schedules.Documents(self._settings.policy.objectives)

    @cached_property
    def ids(self) -> "Ids":
        from runtime.ids import RandomIds

        return RandomIds()

    @cached_property
    def _own_ledger(self) -> "Ledger":
        """For what adds to it: what is written into one that nobody keeps would be lost. Raises Unavailable."""
        if not self._record.kept:
            raise Unavailable("the ledger", 60.0, reason=f"there is none in {self._settings.data_dir} yet", mend="day2 serve")
        return self.ledger

    def decide(self, action_id: str, *, by: str, approve: bool, reason: str, groups: tuple[str, ...] = ()) -> "Approval":
        from runtime.roles import deciding

        keep = deciding.door(self._settings, self._own_ledger, self.clock, name=DOOR)
        return keep(action_id, by=by, approve=approve, reason=reason, groups=groups)

    @cached_property
    def gate(self) -> "LedgerDoor":
        from gate.door import LedgerDoor

        return LedgerDoor(self._own_ledger, self.clock, poll_seconds=self._settings.flow.poll_seconds)

    @cached_property
    def declared(self) -> "Declared":
        from runtime import declared

        return declared.read(self._settings.policy.objectives)

    @cached_property
    def mutes(self) -> "MuteFolder":
        from runtime.services.muting import folder_of

        return folder_of(self._settings.data_dir)

    @cached_property
    def machines(self) -> Beyond:
        """What machines handed in is looked at; nobody is told anything from here."""
        from runtime.services.broadcasting import Events
        from runtime.services.delivering import Deliveries
        from runtime.services.intaking import Desk, Rules
        from tools.alerting.webhooks import HttpPoster
        from tools.stores.front.answers import MemoryAnswers, SqlAnswers
        from tools.stores.front.incidents import MemoryIncidents, SqlIncidents
        from tools.stores.front.tokens import MemoryTokens, SqlTokens
        from tools.stores.front.webhooks import MemoryTargets, SqlTargets

        database, ledger, clock = self._database, self.ledger, self.clock
        events, poster = Events(ledger), HttpPoster()
        self._stack.push_async_callback(poster.close)
        secrets = self._settings.data_dir / "webhook-secrets"
        return Beyond(
            tokens=SqlTokens(database) if database else MemoryTokens(),
            answers=SqlAnswers(database) if database else MemoryAnswers(),
            events=events,
            deliveries=Deliveries(SqlTargets(database) if database else MemoryTargets(), poster, events, ledger, clock, secrets),
            desk=Desk(SqlIncidents(database) if database else MemoryIncidents(), self.intake, _Unheard(), clock, Rules()),
        )

    @property
    def reader(self) -> "ClusterReader":
        return self._looking.reader

    @property
    def metrics(self) -> "Metrics | None":
        return self._looking.metrics

    @property
    def _looking(self) -> "Reading":
        if self._view is None:
            raise Unavailable("the cluster", 60.0, reason="this command does not look at it", mend="day2 scan")
        return self._view

    @property
    def people_needed(self) -> People:
        from gate.approvals import people_needed

        return people_needed

    @property
    def cards_per_hour(self) -> int:
        return self._settings.flow.cards_per_hour

    @property
    def writes_per_run(self) -> int:
        return self._settings.flow.writes_per_run

    async def members(self) -> "tuple[tuple[Member, ...], str]":
        return await console.members(self._settings)

    async def answer(self, run_id: str) -> Plain:
        from runtime import flows
        from tools import checkpoints

        async with checkpoints.opened(self._settings.data_dir / "checkpoints.db") as saver:
            return await flows.response(saver, run_id)

    async def plan(self, namespaces: Sequence[str], agents: Sequence[str], findings: Sequence[str]) -> "Plan":
        from runtime.roles import planning

        return await planning.plan(self._settings, namespaces, agents, findings)

    async def look(self, namespaces: Sequence[str], agents: Sequence[str]) -> "tuple[Scan, Plain]":
        from runtime.roles import looking

        return await looking.scan(self._settings, namespaces, agents, None)

    def rules(self) -> "Engine":
        from runtime.services import policies

        return policies.in_force(self._settings.policy.rules)

    def verify(self) -> Plain:
        return console.audit_report(self._settings)

    def trust(self, namespaces: Sequence[str], capability: str) -> "tuple[tuple[Trust, ...], str]":
        return console.autonomy(self._settings, namespaces=namespaces, capability=capability)

    def halt(self, scope: str, mode: str, by: str, reason: str) -> None:
        from gate import stopping

        stopping.stop(self._own_ledger, scope=scope, mode=mode, by=by, reason=reason, at=self.clock.now())

    def lift(self, scope: str, by: str, reason: str) -> bool:
        from gate import stopping

        return stopping.resume(self._own_ledger, scope=scope, by=by, reason=reason, at=self.clock.now())


class _Unheard:
    """The chain of a desk at which nobody hands anything in: commands look at incidents, machines report them to a console."""

    def record_all(self, _entries: "Sequence[Entry]") -> "list[AuditRow]":
        raise Unavailable("the intake of alerts", 60.0, reason="a command takes none in", mend="day2 serve")
