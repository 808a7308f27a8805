"""The executor's composition root. It loads nothing that thinks: no rules, no model, no registry, and no write rights of its own."""

import asyncio
import contextlib
import sys

from core.domain.errors import Day2Error
from gate import heads, keys
from gate.executing.hands import ROLE, Hands
from gate.executing.machine import execute_once, let_go, resume
from gate.executing.preflight import Preflight, unguarded
from runtime.ids import RandomIds
from runtime.roles import deciders
from runtime.roles.deciders import RoleSettings
from tools.clocks import clock_of
from tools.kubernetes import config, transport
from tools.kubernetes.reader import HttpReader
from tools.kubernetes.writer import ImpersonatingWriter
from tools.stores import ledger
from tools.stores.locks import RoleLock


async def run(settings: RoleSettings, stop: asyncio.Event) -> None:
    """Execute until told to stop. Raises Busy for a second executor, Corrupt for a damaged ledger."""
    lock = RoleLock(settings.data_dir, ROLE).take()
    key = keys.signer(settings.data_dir / "keys", ROLE, settings.private_dir)
    book = heads.HeadBook(heads.file_of(settings.data_dir, ROLE), key, ROLE)
    connection = config.load(settings.kubeconfig, settings.context, server=settings.server)
    clock = clock_of(settings.clock, connection.ca)
    store = ledger.opened(settings.ledger_url, settings.audit_sink or settings.data_dir / "audit.jsonl")
    store.hold(ROLE)
    metrics, due = deciders.metrics_of(settings), deciders.seldom(deciders.HEADS_SECONDS)
    owner, resumed = RandomIds().new(ROLE), False
    async with transport.connect(connection) as client:
        reader, writer = HttpReader(client), ImpersonatingWriter(client)
        guard = unguarded if settings.guard is None else Preflight(reader, writer, store, clock, settings.guard)

        def hands_of() -> Hands:
            return Hands(
                ledger=store,
                writer=writer,
                reader=reader,
                metrics=metrics,
                clock=clock,
                judge=keys.verifier(settings.data_dir / "keys", keys.JUDGE),  # Unavailable until the judge has made it
                key=key,
                owner=owner,
                settle_seconds=settings.settle_seconds,
                guard=guard,
            )

        async def step() -> int:
            nonlocal resumed
            hands = hands_of()
            if not resumed:
                await resume(hands)
                resumed = True
            waiting = await execute_once(hands)
            if due():
                book.keep(store, clock.now())
            return waiting

        deciders.ready(ROLE)
        try:
            await deciders.every(settings.poll_seconds, stop, step)
        finally:
            with contextlib.suppress(Day2Error):  # a damaged ledger or a gone clock is told by what ended us
                await let_go(hands_of())
            with contextlib.suppress(Day2Error):
                book.keep(store, clock.now(), at_once=True)
            clock.close()
            store.close()
            lock.release()
            if metrics:
                await metrics.close()


def main(argv: list[str] | None = None) -> int:
    return deciders.main(ROLE, run, RoleSettings, argv)


if __name__ == "__main__":
    sys.exit(main())
