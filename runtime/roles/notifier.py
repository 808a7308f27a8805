"""The notifier's composition root: tells people and objects what the ledger says, and shows its numbers to Prometheus.

It reads the ledger, speaks to the channels that are configured, creates Kubernetes Events with credentials that may do nothing else, and
keeps an audit chain of what it told. Judge and executor do not know it, and go on without it.
"""

import asyncio
import contextlib
import sys
from datetime import timedelta
from importlib import metadata
from pathlib import Path

from core.domain.alert import Channel
from core.domain.errors import Corrupt, Day2Error
from core.domain.ledger import Ledger
from gate import audit, heads, keys
from runtime.roles import deciders
from runtime.roles.deciders import RoleSettings
from runtime.services import alerting, measuring
from runtime.services.alerting import Watch
from runtime.services.measuring import Numbers, Tally
from runtime.services.notifying import Notifier, Verification
from tools.alerting import pages
from tools.alerting.alertmanager import Alertmanagers
from tools.clocks import clock_of
from tools.kubernetes import config, transport
from tools.kubernetes.events import HttpEvents
from tools.stores import ledger
from tools.stores.locks import RoleLock
from tools.stores.sink import Sink
from tools.telemetry import exposition

ROLE = alerting.ROLE
PACE = 5
"""It looks so many times less often than those who do the work."""


class NotifierSettings(RoleSettings):
    """What it needs beside what every role does. `events_kubeconfig` is the identity that creates Events; none: no Events."""

    alertmanager: tuple[str, ...] = ()
    alertmanager_ca_file: Path | None = None
    alertmanager_token_file: Path | None = None
    pages_file: Path | None = None
    labels: tuple[str, ...] = ()
    again_seconds: int = 60
    hold_minutes: int = 60
    approval_minutes: int = 60
    audit_minutes: int = 15
    events_kubeconfig: Path | None = None
    listen: str = ""


async def run(settings: NotifierSettings, stop: asyncio.Event) -> None:
    """Tell until told to stop. Raises Busy for a second notifier, Corrupt for a damaged ledger, InvalidInput for unusable settings."""
    lock = RoleLock(settings.data_dir, ROLE).take()
    book = heads.HeadBook(heads.file_of(settings.data_dir, ROLE), keys.signer(settings.data_dir / "keys", ROLE, settings.private_dir), ROLE)
    simulated = settings.clock != "system"
    clock = clock_of(settings.clock, config.load(settings.kubeconfig, settings.context).ca if simulated else "")
    store = ledger.opened(settings.ledger_url, settings.audit_sink or settings.data_dir / "audit.jsonl")
    store.hold(ROLE)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(lock.release)
        stack.callback(store.close)
        stack.callback(clock.close)
        watch = Watch(alerting.limits(settings.hold_minutes, settings.approval_minutes, settings.labels))
        notifier = Notifier(
            ledger=store,
            clock=clock,
            watch=watch,
            channels=_channels(settings, stack),
            events=await _events(settings, stack),
            verification=Verification(lambda: problems(store, settings), timedelta(minutes=settings.audit_minutes)),
        )

        async def step() -> int:
            waiting = await notifier.step()
            book.keep(store, clock.now())
            return waiting

        tally = Tally()

        def gather() -> Numbers:
            return measuring.numbers(
                store,
                tally,
                watch,
                clock.now(),
                version=metadata.version("day2ops"),
                broken=bool(notifier.verification.problems),
                failures=notifier.failures,
            )

        own = [metric for metric in measuring.METRICS if metric.by == ROLE]
        port = stack.enter_context(exposition.serving(settings.listen, own, gather))
        deciders.ready(ROLE, port=port)
        try:
            await deciders.every(PACE * settings.poll_seconds, stop, step)
        finally:
            with contextlib.suppress(Day2Error):  # a damaged ledger or a gone clock is told by what ended us
                book.keep(store, clock.now(), at_once=True)


def _channels(settings: NotifierSettings, stack: contextlib.AsyncExitStack) -> list[Channel]:
    found: list[Channel] = []
    if settings.alertmanager:
        managers = Alertmanagers(
            settings.alertmanager,
            ca_file=settings.alertmanager_ca_file,
            token_file=settings.alertmanager_token_file,
            again_seconds=settings.again_seconds,
        )
        stack.push_async_callback(managers.close)
        found.append(managers)
    if settings.pages_file:
        found += pages.opened(settings.pages_file)
    return found


async def _events(settings: NotifierSettings, stack: contextlib.AsyncExitStack) -> HttpEvents | None:
    if settings.events_kubeconfig is None:
        return None
    connection = config.load(settings.events_kubeconfig, server=settings.server)
    return HttpEvents(await stack.enter_async_context(transport.connect(connection)))


def problems(store: Ledger, settings: RoleSettings) -> list[str]:
    """What a verification of the audit chains finds, against heads, signatures and the second sink. Raises Unavailable."""
    sink = settings.audit_sink or settings.data_dir / "audit.jsonl"
    signed, bad = audit.signed_heads(settings.data_dir, settings.data_dir / "keys")
    try:
        report = audit.verify_ledger(store, sink=Sink(sink).rows() if sink.exists() else None, signed=signed)
    except Corrupt as error:
        return [*bad, str(error)]
    return [*report.problems, *bad]


def main(argv: list[str] | None = None) -> int:
    return deciders.main(ROLE, run, NotifierSettings, argv)


if __name__ == "__main__":
    sys.exit(main())
