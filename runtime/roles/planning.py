"""Planning from the command line: agents, arbitration, and the judge's own look without its key. Writes nothing, and can permit nothing."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

from agents.catalogue import AGENTS
from agents.desk import Desk
from core.cluster.objects import LabelSelector
from core.domain.ledger import Ledger
from core.domain.proposal import Proposal
from core.domain.verdict import Verdict
from gate.approvals import Count
from gate.door import LedgerDoor
from gate.judging.facts import gather
from gate.judging.loop import floor
from gate.judging.sources import Bench
from runtime.arbitrating import arbitrated
from runtime.ids import RandomIds
from runtime.roles import console, looking, reading
from runtime.roles.identifying import account
from runtime.roles.reading import Reading
from runtime.services import planning, policies, scanning
from runtime.settings import Settings
from tools.kubernetes import config, transport
from tools.kubernetes.snapshots import SnapshotReader
from tools.kubernetes.writer import PreviewWriter
from tools.stores.memory import MemoryLedger

NOBODY = Count((), None, ())


async def plan(
    settings: Settings, namespaces: Sequence[str], agents: Sequence[str], wanted: Sequence[str], selector: LabelSelector | None = None
) -> planning.Plan:
    """Scan, arbitrate, and ask what the judge would say now."""
    asked = scanning.chosen(agents, tuple(agent.name for agent in AGENTS))
    with console.record(settings) as kept:
        async with reading.opened(settings) as view, judging(settings, kept.ledger, view) as bench:
            found = await looking.seen(view, namespaces, asked, selector)
            if not wanted:  # who names a finding wants it planned for, muted or not
                found = looking.unmuted(settings, found)
            return await planning.plan(
                found,
                wanted,
                partial(arbitrated, kept.ledger, view.reader, view.clock, view.declared),
                partial(previewed, bench),
                cluster=await view.reader.cluster_uid(),
                context=view.context,
                at=view.clock.now(),
            )


async def bump(settings: Settings, namespaces: Sequence[str], text: str) -> planning.Plan:
    """`text` is OLD=NEW, the successor by digest: the workloads that take it next, with what the judge would say."""
    old, new = planning.successor(text)
    with console.record(settings) as kept:
        async with reading.opened(settings) as view, judging(settings, kept.ledger, view) as bench:
            snapshot = await view.reader.snapshot(planning.TEMPLATES, namespaces)
            desk = Desk(snapshot, view.clock.now(), looking.request(view.clock, namespaces).id, view.declared.objectives)
            found = planning.bumped(desk, old, new)
            return await planning.plan(
                found,
                (),
                partial(arbitrated, kept.ledger, view.reader, view.clock, view.declared),
                partial(previewed, bench),
                cluster=snapshot.cluster,
                context=view.context,
                at=view.clock.now(),
            )


@contextlib.asynccontextmanager
async def judging(settings: Settings, ledger: Ledger, view: Reading) -> AsyncIterator[Bench]:
    """The judge's bench without its key: it looks with the judge's own identity, previews by the server's dry run, and signs nothing."""
    own = settings.kubernetes
    connection = config.load(own.judge_kubeconfig or own.kubeconfig, "" if own.judge_kubeconfig else own.context, server=own.server)
    async with transport.connect(replace(connection, request_seconds=own.request_seconds or None)) as client:
        yield Bench(
            ledger=ledger,
            reader=SnapshotReader(client, view.clock),
            previewer=PreviewWriter(client),
            metrics=view.metrics,
            clock=view.clock,
            key=cast("Any", None),  # a preview signs nothing, so it holds no key
            doors={},
            rules=policies.in_force(settings.policy.rules),
            ids=RandomIds(),
            objectives=view.declared.objectives,
            grants=view.declared.grants,
            prices=view.declared.prices,
            record_key=console.judges_key(settings),
        )


async def previewed(bench: Bench, proposal: Proposal) -> Verdict:
    """What the judge would say now: its facts, its rules, nobody's approval. Raises Day2Error where it cannot look."""
    scratch = MemoryLedger()
    await LedgerDoor(scratch, bench.clock).submit(proposal, by=account())
    row = scratch.get(proposal.action.id)
    assert row is not None  # noqa: S101  it was submitted one line above
    seen = await gather(bench, row, proposal.action, NOBODY)
    results = bench.rules.judge(proposal.action, seen.facts) + floor(proposal.action, ())
    return Verdict(
        action_id=row.action_id,
        action_digest=row.digest,
        policy_digest=bench.rules.digest,
        facts=seen.facts,
        results=results,
        at=bench.clock.now(),
    )
