"""The judge's composition root: reads as itself, previews as the agents' preview principals, holds the key that signs permits."""

import asyncio
import contextlib
import sys
from datetime import timedelta

from core.domain.errors import Day2Error
from gate import heads, keys
from gate.judging.loop import judge_once
from gate.judging.sources import Bench
from runtime import declared
from runtime.ids import RandomIds
from runtime.roles import deciders
from runtime.roles.deciders import RoleSettings
from runtime.roles.opinions import Opinions
from runtime.roles.rulebook import Rulebook
from tools.clocks import clock_of
from tools.kubernetes import config, transport
from tools.kubernetes.reader import HttpReader
from tools.kubernetes.writer import PreviewWriter
from tools.stores import ledger
from tools.stores.locks import RoleLock


async def run(settings: RoleSettings, stop: asyncio.Event) -> None:
    """Judge until told to stop. Raises Busy for a second judge, Corrupt for a damaged ledger or a key that others can read."""
    lock = RoleLock(settings.data_dir, keys.JUDGE).take()
    documents = declared.read(settings.objectives)
    key = keys.signer(settings.data_dir / "keys", keys.JUDGE, settings.private_dir)
    book = heads.HeadBook(heads.file_of(settings.data_dir, keys.JUDGE), key, keys.JUDGE)
    connection = config.load(settings.kubeconfig, settings.context, server=settings.server)
    clock = clock_of(settings.clock, connection.ca)
    store = ledger.opened(settings.ledger_url, settings.audit_sink or settings.data_dir / "audit.jsonl")
    store.hold(keys.JUDGE)
    rulebook = Rulebook(settings.policies, store, clock)
    await rulebook.begin()
    metrics, due = deciders.metrics_of(settings), deciders.seldom(deciders.HEADS_SECONDS)
    reviewer = Opinions(settings.reviewer) if settings.reviewer else None
    async with transport.connect(connection) as client:

        async def step() -> int:
            bench = Bench(
                ledger=store,
                reader=HttpReader(client),
                previewer=PreviewWriter(client),
                metrics=metrics,
                clock=clock,
                key=key,
                doors=keys.doors(settings.data_dir / "keys"),  # a door may come later than the judge
                rules=rulebook.look(),
                ids=RandomIds(),
                objectives=documents.objectives,
                grants=documents.grants,
                prices=documents.prices,
                approval_time=timedelta(hours=settings.approval_hours),
                execution_time=timedelta(minutes=settings.execution_minutes),
                denial_holds=timedelta(hours=settings.denial_hours),
                cards_per_hour=settings.cards_per_hour,
                canary_every=settings.canary_every,
                record_key=key.verifier,
                reviewer=reviewer,
            )
            waiting = await judge_once(bench)
            if due():
                book.keep(store, clock.now())
            return waiting

        deciders.ready(keys.JUDGE)
        try:
            await deciders.every(settings.poll_seconds, stop, step)
        finally:
            with contextlib.suppress(Day2Error):  # a damaged ledger or a gone clock is told by what ended us
                book.keep(store, clock.now(), at_once=True)
            if reviewer:
                await reviewer.close()
            clock.close()
            store.close()
            lock.release()
            if metrics:
                await metrics.close()


def main(argv: list[str] | None = None) -> int:
    return deciders.main(keys.JUDGE, run, RoleSettings, argv)


if __name__ == "__main__":
    sys.exit(main())
