"""The composition root of what people reach over the network: console, API, chat and MCP in one process. It holds the keys that sign
their decisions, reads ledger, registry and checkpoints, and holds nothing that writes a cluster."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from functools import partial

from pydantic import SecretStr

from core.domain.clock import Clock
from core.domain.ledger import Ledger
from gate import stopping
from gate.approvals import people_needed
from gate.door import LedgerDoor
from runtime import flows
from runtime.ids import RandomIds
from runtime.roles import console, deciding, looking, planning, reading
from runtime.roles.deciders import Handed
from runtime.services import policies, schedules
from runtime.services.broadcasting import Events
from runtime.services.delivering import Deliveries
from runtime.services.intaking import Desk, Rules
from runtime.services.muting import folder_of
from runtime.services.offering import Beyond, Offers, Plain, Ports
from runtime.services.offers.table import OFFERS
from runtime.services.scanning import Scan
from runtime.services.trusting import Trust
from runtime.settings import Settings
from tools import checkpoints
from tools.alerting.webhooks import HttpPoster
from tools.stores import ledger as ledgers
from tools.stores.front import opening
from tools.stores.front.answers import SqlAnswers
from tools.stores.front.chats import SqlChats
from tools.stores.front.incidents import SqlIncidents
from tools.stores.front.intake import SqlIntake
from tools.stores.front.schedules import SqlTimetable
from tools.stores.front.sessions import SqlSessions
from tools.stores.front.tokens import SqlTokens
from tools.stores.front.webhooks import SqlTargets

DOOR = "console"


class ConsoleSettings(Handed):
    """What the console's process is handed: all settings. The registry's address holds a password: the file is for its owner."""

    settings: Settings
    registry_url: str = ""

    @property
    def whole(self) -> Settings:
        registry = self.settings.registry.model_copy(update={"url": SecretStr(self.registry_url)})
        return self.settings.model_copy(update={"registry": registry})


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, door: str = DOOR) -> AsyncIterator[Offers]:
    """All services over open ports. `door` names the key that signs decisions. Raises Corrupt or Unavailable with the mend."""
    async with contextlib.AsyncExitStack() as stack:
        clock = stack.enter_context(console.clock_of(settings))
        sink = None if settings.store.ledger_url else settings.audit_sink
        kept = ledgers.opened(settings.ledger_url, sink)
        stack.callback(kept.close)
        database = opening.opened(settings.front_url)
        stack.callback(database.close)
        saver = await stack.enter_async_context(checkpoints.opened(settings.data_dir / "checkpoints.db"))

        async def answer(run_id: str) -> Plain:
            return await flows.response(saver, run_id)

        intake, events, poster = SqlIntake(database), Events(kept), HttpPoster()
        stack.push_async_callback(poster.close)
        view = await stack.enter_async_context(reading.opened(settings))

        async def look(namespaces: Sequence[str], agents: Sequence[str]) -> tuple[Scan, Plain]:
            return await looking.seen(view, namespaces, agents, None), await looking.where(view, namespaces)

        def trust(namespaces: Sequence[str], capability: str) -> tuple[tuple[Trust, ...], str]:
            return console.autonomy(settings, namespaces=namespaces, capability=capability)

        def halt(scope: str, mode: str, by: str, reason: str) -> None:
            stopping.stop(kept, scope=scope, mode=mode, by=by, reason=reason, at=clock.now())

        def lift(scope: str, by: str, reason: str) -> bool:
            return stopping.resume(kept, scope=scope, by=by, reason=reason, at=clock.now())

        ports = Ports(
            ledger=kept,
            clock=clock,
            intake=intake,
            ids=RandomIds(),
            decide=deciding.door(settings, kept, clock, name=door),
            people_needed=people_needed,
            members=partial(console.members, settings),
            answer=answer,
            declared=view.declared,
            mutes=folder_of(settings.data_dir),
            gate=LedgerDoor(kept, clock, poll_seconds=settings.flow.poll_seconds),
            reader=view.reader,
            metrics=view.metrics,
            plan=partial(planning.plan, settings),
            look=look,
            rules=partial(policies.in_force, settings.policy.rules),
            verify=partial(console.audit_report, settings),
            trust=trust,
            halt=halt,
            lift=lift,
            timetable=SqlTimetable(database),
            schedules=schedules.Documents(settings.policy.objectives),
            cards_per_hour=settings.flow.cards_per_hour,
            writes_per_run=settings.flow.writes_per_run,
            chats=SqlChats(database),
            machines=Beyond(
                tokens=SqlTokens(database),
                answers=SqlAnswers(database),
                events=events,
                deliveries=_deliveries(settings, SqlTargets(database), poster, events, kept, clock),
                desk=Desk(SqlIncidents(database), intake, kept, clock, _alert_rules(settings)),
            ),
            sessions=SqlSessions(database),
        )
        yield Offers(OFFERS, ports)


def _deliveries(settings: Settings, targets: SqlTargets, poster: HttpPoster, events: Events, ledger: Ledger, clock: Clock) -> Deliveries:
    secrets = settings.data_dir / "webhook-secrets"
    return Deliveries(targets, poster, events, ledger, clock, secrets, sender=RandomIds().new("sender"))


def _alert_rules(settings: Settings) -> Rules:
    wanted = settings.intake
    return Rules(
        act=wanted.alerts_act,
        runs_per_hour=wanted.runs_per_hour,
        reopen=timedelta(minutes=wanted.reopen_minutes),
        keep=timedelta(days=wanted.keep_days),
        silence=timedelta(hours=wanted.silence_hours),
        writes=settings.flow.writes_per_run,
    )
