"""The controller: agents with their leases, the run flow, and the threads that follow actions. It writes no cluster."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from agents.catalogue import AGENTS
from agents.reliability.healing.episode import Episode
from agents.reliability.healing.steps import Pace
from core.cluster.looking import ClusterReader
from core.cluster.reading import Metrics
from core.domain.clock import Clock
from core.domain.errors import Day2Error, InvalidInput, Unavailable
from core.domain.intake import Intake
from core.domain.ledger import Ledger
from core.domain.outcome import TERMINAL
from core.domain.outcome import ActionState as Standing
from core.domain.request import Request
from core.domain.submitting import GateDoor
from core.domain.values import bounded
from core.policy.declarations import Grant
from core.policy.redaction import redact
from gate import heads, keys
from gate.door import LedgerDoor
from graph.context import HealingContext, RunContext
from graph.model_routing import ModelRouting
from graph.state import Plain
from registry import sealing
from registry.grants import limited
from registry.membership import Member, Registry, State
from registry.tasks import Tasks
from runtime import leasing
from runtime.arbitrating import arbitrated
from runtime.assessing import Assessor
from runtime.consulting import InProcess, ThroughQueue
from runtime.declared import Declared
from runtime.experimenting import Experimenting
from runtime.flows import Flows, Following
from runtime.healing import Healer, hardware_of
from runtime.receiving import Receiving
from runtime.roles import experimenting, machinery, modelling, outside
from runtime.roles.reading import Reading
from runtime.services import healings, running
from runtime.services.muting import Unmuted, folder_of
from runtime.settings import HealingSettings, Settings
from tools import checkpoints
from tools.stores.front import opening
from tools.stores.front.intake import SqlIntake

log = logging.getLogger(__name__)
IN_PROCESS = "in-process"
ROLE = "controller"
RECORDED_TEXT = 500
"""Characters of what was asked that the audit chain keeps: with all its other fields the request then fits into one record."""
NODES_EVERY_SECONDS = 30.0
ASSESS_EVERY_SECONDS = 60.0
HIMSELF = "day2:controller"
"""Who began a healing that nobody asked for."""
OPEN = tuple(state for state in Standing if state not in TERMINAL)


@dataclass
class Membership:
    """Who lives now. Without the registry: the agents of this process, and the log says so.

    Registering alone gives no voice: others than our own agents are asked where people granted them something, and for no more than that.
    """

    registry: Registry | None
    own: tuple[Member, ...]
    grants: Sequence[Grant] = ()

    async def members(self) -> tuple[Member, ...]:
        try:
            found = await self.registry.members() if self.registry else ()
        except Unavailable as error:
            log.warning("choosing among the agents of this process: %s", error)
            return self.own
        invited = {member.name for member in self.own} | {grant.agent for grant in self.grants}
        known = tuple(member._replace(card=limited(member.card, self.grants)) for member in found if member.name in invited)
        return known or self.own

    async def elsewhere(self, instance: str) -> frozenset[str]:
        """Agents of which another instance than this one lives."""
        members = await self.members()
        return frozenset(member.name for member in members if set(member.instances) - {instance, IN_PROCESS})


@dataclass
class Controller:
    """One controller process at work."""

    clock: Clock
    ledger: Ledger
    gate: GateDoor
    flows: Flows
    following: Following
    registry: Registry | None
    reader: ClusterReader
    metrics: Metrics | None
    membership: Membership
    declared: Declared
    book: heads.HeadBook
    model: str = ""
    experiments: Experimenting | None = None
    healer: Healer | None = None
    heals: HealingSettings = field(default_factory=HealingSettings)
    assessor: Assessor | None = None
    intake: Intake | None = None

    async def run(self, request: Request) -> Plain:
        """One pass of the run flow; its submitted actions are followed from then on.

        Secrets are taken out of the text here, before the first record and the first checkpoint, whatever the door did.
        """
        request = request.model_copy(update={"text": redact(request.text)})
        said = request.model_copy(update={"text": bounded(request.text, RECORDED_TEXT)})
        self.ledger.record(role=ROLE, event=running.STARTED, subject=request.id, body=said.model_dump(mode="json"), at=self.clock.now())
        return await self._carried(request)

    async def asked(self, request: Request) -> None:
        """A request of the intake, to its end: from its start, or from where a process that died left it."""
        try:
            known = running.get(self.ledger, request.id)
        except InvalidInput:
            await self.run(request)
            return
        if known.finished_at is None:
            await self._carried(request)

    async def resume(self) -> None:
        """Carry on, one after the other, the runs that began here and whose process died. One that cannot go on does not stop the rest.

        Those that the intake has are left to it.
        """
        for request in running.unfinished(self.ledger):
            if self.intake is not None and self.intake.get(request.id):
                continue
            try:
                await self._carried(request)
            except Exception:  # whatever it is, it ended a process before; the run stays unfinished, and is tried at the next start
                log.exception("run %s cannot be carried on", request.id)

    async def _carried(self, request: Request) -> Plain:
        """To its end, from where its checkpoint stands."""
        response = await self.flows.run(request)
        summary = running.summary(response, self.model)
        self.ledger.record(role=ROLE, event=running.FINISHED, subject=request.id, body=summary, at=self.clock.now())
        self.follow_open()
        return response

    def follow_open(self) -> None:
        """Follow every action that has not ended: new ones, and those of a process that died."""
        for row in self.ledger.in_states(*OPEN):
            self.following.start(row.action_id)

    def heal_open(self) -> None:
        """Carry on every healing that has not ended: those that somebody asked for, and those of a process that died."""
        for episode in self.healer.journal.episodes() if self.healer else ():
            if not episode.ended:
                self.following.heal(episode)

    async def begin_healings(self) -> None:
        """One look at the nodes, where the settings say that healings may begin by themselves. A cluster that cannot be read has none."""
        if self.healer is None or not self.heals.enabled:
            return
        try:
            snapshot = await self.reader.snapshot(("Namespace", "Node"))
        except Day2Error as error:
            log.warning("no node was looked at: %s", error)
            return
        known, now = self.healer.journal.episodes(), self.clock.now()
        for node in healings.suspects(snapshot, now, known):
            label = self.heals.pool_label
            episode = healings.begun(snapshot, node.metadata.name, now, known, by=HIMSELF, asked="", pool_label=label)
            healings.record(self.ledger, episode, now, role=ROLE)

    async def _watch_nodes(self) -> None:
        while True:
            await self.begin_healings()
            await asyncio.sleep(NODES_EVERY_SECONDS)

    async def assess(self) -> None:
        """The runs that have ended. A ledger that does not answer is asked again; nothing else waits for it."""
        if self.assessor is None:
            return
        try:
            await self.assessor.once()
        except Day2Error as error:
            log.warning("no run was assessed: %s", error)

    async def _assess_runs(self) -> None:
        while True:
            await self.assess()
            await asyncio.sleep(ASSESS_EVERY_SECONDS)

    async def serve(self, stop: asyncio.Event, every_seconds: float) -> None:
        """Carry on what a killed process left, and follow what others submit, until told to stop."""
        resuming = asyncio.gather(self.resume(), self._watch_nodes(), self._assess_runs())
        experiments = asyncio.create_task(self.experiments.resume()) if self.experiments else resuming
        receiving = Receiving(self.intake, self.clock, self.asked) if self.intake else None
        try:
            while not stop.is_set():
                if receiving:
                    receiving.look()
                self.follow_open()
                self.heal_open()
                self.keep_heads()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), every_seconds)
        finally:
            if receiving:
                await receiving.stop()
            resuming.cancel()
            experiments.cancel()
            await asyncio.gather(resuming, experiments, return_exceptions=True)

    def keep_heads(self, *, at_once: bool = False) -> None:
        """Anchor what the other roles recorded, and sign our own head: once a minute, or now."""
        self.book.keep(self.ledger, self.clock.now(), at_once=at_once)


@contextlib.asynccontextmanager
async def opened(settings: Settings, reading: Reading, ledger: Ledger, *, registry_url: str = "") -> AsyncIterator[Controller]:
    """A controller over open ports. Its agents register and work here; one that also lives in a process of its own is asked there."""
    declared = reading.declared
    agents = {agent.name: agent for agent in AGENTS}
    cards = {name: limited(leasing.card_of(agent), declared.grants) for name, agent in agents.items()}
    own = tuple(Member(name, State.READY, card, card.digest(), (IN_PROCESS,), 0) for name, card in sorted(cards.items()))
    local = InProcess(agents, reading.reader, reading.metrics, declared.objectives, declared.prices, reading.clock)
    async with contextlib.AsyncExitStack() as stack:
        registry = await _registry(stack, settings, registry_url)
        consulting: InProcess | ThroughQueue = local
        membership = Membership(registry, own, declared.grants)
        if registry is not None:
            tasks = Tasks(registry_url, sealing.key(settings.agents_key_file))
            stack.push_async_callback(tasks.close)
            held = await stack.enter_async_context(leasing.leases(registry, tuple(cards.values()), settings.registry.renew_seconds))
            elsewhere = partial(membership.elsewhere, held.instance)
            consulting = ThroughQueue(tasks, elsewhere, local, settings.flow.consult_seconds)
        gate = LedgerDoor(ledger, reading.clock, poll_seconds=settings.flow.poll_seconds)
        context = RunContext(
            clock=reading.clock,
            supervising=ModelRouting(membership.members, partial(modelling.opened, settings)),
            consulting=Unmuted(outside.informed(settings, consulting, reading.clock), folder_of(settings.data_dir).all, reading.clock),
            gate=gate,
            objectives=declared.objectives,
            arbitrate=partial(arbitrated, ledger, reading.reader, reading.clock, declared),
            redact=redact,
            consult_seconds=settings.flow.consult_seconds,
        )
        saver = await stack.enter_async_context(checkpoints.opened(settings.data_dir / "checkpoints.db"))
        front = opening.opened(settings.front_url)
        stack.callback(front.close)
        heals = settings.healing
        machines = await stack.enter_async_context(machinery.opened(heals, reading))
        hardware = partial(hardware_of, reading.reader, reading.metrics, reading.clock)
        healer = Healer(reading.reader, ledger, reading.clock, machines, heals.pool_label, hardware)
        flows = Flows(saver, run=context, healing=_healing(healer, gate, heals))
        following = Following(flows)
        stack.push_async_callback(following.stop)
        key = keys.signer(settings.data_dir / "keys", ROLE, settings.private_dir)
        book = heads.HeadBook(heads.file_of(settings.data_dir, ROLE), key, ROLE)
        working = Controller(
            clock=reading.clock,
            ledger=ledger,
            gate=gate,
            flows=flows,
            following=following,
            registry=registry,
            reader=reading.reader,
            metrics=reading.metrics,
            membership=membership,
            declared=declared,
            book=book,
            healer=healer,
            heals=heals,
            model=settings.model.name,
            experiments=experimenting.over(settings, saver, reading, ledger, gate),
            assessor=_assessor(settings, reading, ledger, flows),
            intake=SqlIntake(front),
        )
        try:
            yield working
        finally:
            with contextlib.suppress(Day2Error):  # a damaged ledger or a gone clock is told by what ended us
                working.keep_heads(at_once=True)


def _assessor(settings: Settings, reading: Reading, ledger: Ledger, flows: Flows) -> Assessor | None:
    if not settings.assess.enabled:
        return None
    models = partial(modelling.opened_within, settings, modelling.budget(settings))
    return Assessor(ledger, reading.clock, flows.response, models, settings.assess, ROLE)


def _healing(healer: Healer, gate: GateDoor, heals: HealingSettings) -> HealingContext:
    def record(episode: Episode) -> None:
        healings.record(healer.ledger, episode, healer.clock.now(), role=ROLE)

    pace = Pace(calm=timedelta(minutes=heals.calm_minutes))
    return HealingContext(healer.clock, gate, healer.look, healer.replace, record, heals.poll_seconds, pace)


async def _registry(stack: contextlib.AsyncExitStack, settings: Settings, url: str) -> Registry | None:
    if not url:
        return None
    registry = Registry(url, lease_seconds=settings.registry.lease_seconds)
    stack.push_async_callback(registry.close)
    await registry.ping()
    return registry
