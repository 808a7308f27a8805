"""All roles on one machine: judge and executor as children with keys of their own, the embedded registry, and the controller in this process.

Behind `day2 serve`, `day2 apply` without a running server, the demo, and the whole runs of the tests.
"""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

from core.domain.ledger import Ledger
from registry.embedded import embedded
from runtime import serving
from runtime.processes import dies_with_parent
from runtime.roles import controller, reading
from runtime.roles.controller import Controller
from runtime.roles.deciders import RoleSettings
from runtime.roles.reading import Reading
from runtime.settings import Settings
from tools.stores import ledger as stores
from tools.stores import migrating

LOGS = "logs"


@dataclass(frozen=True)
class Everything:
    """The running product."""

    settings: Settings
    ledger: Ledger
    reading: Reading
    controller: Controller
    children: serving.Children


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, family: serving.Children | None = None) -> AsyncIterator[Everything]:
    """Start all, yield, stop all in reverse. Raises Busy where another process already serves this data folder."""
    folder = settings.data_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with contextlib.AsyncExitStack() as stack:
        if family is None:
            family = await stack.enter_async_context(serving.children())
        kept = stack.enter_context(ledger(settings, create=True))
        for role in ("judge", "executor"):
            await start_role(family, role, settings)
        url = settings.registry.url.get_secret_value() or stack.enter_context(embedded(folder / "registry", dies_with_parent))
        view = await stack.enter_async_context(reading.opened(settings))
        working = await stack.enter_async_context(controller.opened(settings, view, kept, registry_url=url))
        yield Everything(settings, kept, view, working, family)


@contextlib.contextmanager
def ledger(settings: Settings, *, create: bool = False) -> "contextlib.AbstractContextManager[Ledger]":  # type: ignore[misc]
    """The SQL ledger of these settings, brought up to date where `create`."""
    if create:
        migrating.migrate(settings.ledger_url)
    sink = None if settings.store.ledger_url else settings.data_dir / "audit.jsonl"
    found = stores.opened(settings.ledger_url, sink)
    try:
        yield found
    finally:
        found.close()


async def start_role(family: serving.Children, role: str, settings: Settings) -> None:
    """Start judge or executor as a child. What it needs to know is handed over in a file of mode 0600."""
    path = settings.data_dir / f"{role}.settings.json"
    path.touch(0o600)
    path.write_text(role_settings(settings, role).model_dump_json(), encoding="utf-8")
    await serving.start(family, role, f"runtime.roles.{role}", ["--settings", str(path)], settings.data_dir / LOGS)


def role_settings(settings: Settings, role: str) -> RoleSettings:
    """Only what this role needs: its own kubeconfig, no key, no registry."""
    wanted, source = settings.kubernetes, settings.prometheus
    own = wanted.judge_kubeconfig if role == "judge" else wanted.executor_kubeconfig
    return RoleSettings(
        data_dir=settings.data_dir,
        ledger_url=settings.ledger_url,
        kubeconfig=own or wanted.kubeconfig,
        context="" if own else wanted.context,
        prometheus_url=source.url,
        prometheus_ca_file=source.ca_file,
        prometheus_token_file=source.token_file,
        clock=settings.clock,
        objectives=settings.policy.objectives,
        policies=settings.policy.rules,
        poll_seconds=settings.flow.poll_seconds,
        approval_hours=settings.flow.approval_hours,
        parent=os.getpid(),
    )
