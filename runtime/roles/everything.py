"""All roles on one machine: judge and executor as children, the embedded registry, and the controller in this process.

Behind `day2 serve`, `day2 apply` without a running server, the demo, and the whole runs of the tests.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, SecretStr

from core.domain.errors import Day2Error, InvalidInput, Unavailable
from core.domain.ledger import Ledger
from gate import keys
from gate.executing.preflight import Expected
from registry.embedded import embedded
from runtime import serving
from runtime.processes import dies_with_parent
from runtime.roles import console, controller, front, reading
from runtime.roles.controller import Controller
from runtime.roles.deciders import RoleSettings, WebhookSettings
from runtime.roles.front import ConsoleSettings
from runtime.roles.notifier import NotifierSettings
from runtime.roles.reading import Reading
from runtime.services import guarding, measuring
from runtime.settings import Settings
from tools.stores import grouping as stores
from tools.stores import migrating
from tools.telemetry import exposition

NOTIFIER = "notifier"


@dataclass(frozen=True)
class Everything:
    """The running product."""

    settings: Settings
    ledger: Ledger
    reading: Reading
    controller: Controller
    children: serving.Children
    registry_url: str = ""


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, *, family: serving.Children | None = None, children: Sequence[str] = ("judge", "executor")
) -> AsyncIterator[Everything]:
    """Start the controller here and `children` beside it, yield, stop all in reverse.

    Raises Busy where another process already serves this data folder.
    """
    folder = settings.data_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with contextlib.AsyncExitStack() as stack:
        if family is None:
            family = await stack.enter_async_context(serving.children())
        kept = stack.enter_context(ledger(settings, create=True))
        await asyncio.gather(*(start_role(family, role, settings) for role in children if role != SCHEDULER))
        url = settings.registry.url.get_secret_value() or stack.enter_context(embedded(folder / "registry", dies_with_parent))
        view = await stack.enter_async_context(reading.opened(settings))
        working = await stack.enter_async_context(controller.opened(settings, view, kept, registry_url=url))
        if SCHEDULER in children:  # it needs the registry, and the tables that the controller has made
            await start_role(family, SCHEDULER, settings, url)
        yield Everything(settings, kept, view, working, family, url)


CONSOLE = "console"
CONSOLE_MODULE = "interfaces.web"
"""The one role above this layer: its process is named, never imported."""
SCHEDULER = "scheduler"
ROLES = ("controller", "judge", "executor", "webhook", NOTIFIER, CONSOLE, SCHEDULER)
OWN_KEYS = {
    "controller": ("controller", f"{keys.DOOR}{console.DOOR}"),
    "judge": (keys.JUDGE,),
    "executor": ("executor",),
    NOTIFIER: (NOTIFIER,),
    CONSOLE: (f"{keys.DOOR}{front.DOOR}",),
}
"""With the controller, the door: the command line runs beside it."""
MAY_END = (NOTIFIER, CONSOLE, SCHEDULER)
FOLLOW_SECONDS = 1.0
AGAIN_SECONDS = 5.0
LEASES = "day2_agent_lease_seconds_remaining"
OWN_METRICS = [metric for metric in measuring.METRICS if metric.by == "controller"]
log = logging.getLogger(__name__)


async def serve(settings: Settings, roles: Sequence[str] = ()) -> None:
    """Behind `day2 serve`: these roles, or all, until SIGTERM or Ctrl-C. Raises Unavailable when a process that should run has ended."""
    _known(roles)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if roles and "controller" not in roles:
        await _serve_children(settings, roles, stop)
        return
    chosen = roles or _usual(settings)
    beside = dict.fromkeys((*chosen, SCHEDULER))  # where a controller empties the intake, schedules run
    async with opened(settings, children=tuple(role for role in beside if role != "controller")) as running:
        _ready(settings, chosen, running.children)
        following = asyncio.create_task(running.controller.serve(stop, FOLLOW_SECONDS))
        keeping = asyncio.create_task(_kept_up(running.children, settings, registry_url=running.registry_url))
        leases: dict[tuple[str, ...], float] = {}
        looking = asyncio.create_task(_leases(running.controller, leases))
        with exposition.serving(settings.telemetry.controller_listen, OWN_METRICS, lambda: {LEASES: dict(leases)}):
            await _until_told(stop, running.children, following, keeping, looking)


def _usual(settings: Settings) -> tuple[str, ...]:
    """All roles that these settings let run here."""
    left = {name for name, runs in (("webhook", settings.gate.serves), (CONSOLE, bool(settings.web.listen))) if not runs}
    return tuple(role for role in ROLES if role not in left)


def _known(roles: Sequence[str]) -> Sequence[str]:
    if unknown := [role for role in roles if role not in ROLES]:
        raise InvalidInput(f"there is no role {unknown[0]!r}", mend=f"one of: {', '.join(ROLES)}")
    return roles


async def _serve_children(settings: Settings, roles: Sequence[str], stop: asyncio.Event) -> None:
    async with serving.children() as family:
        prepare(settings)
        for role in roles:
            await start_role(family, role, settings)
        _ready(settings, roles, family)
        await _until_told(stop, family, asyncio.create_task(_kept_up(family, settings)))


async def _until_told(stop: asyncio.Event, family: serving.Children, *tasks: "asyncio.Task[None]") -> None:
    told = asyncio.create_task(stop.wait())
    lost = asyncio.create_task(family.any_ends(besides=MAY_END))
    done, pending = await asyncio.wait({told, lost, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in tasks:
        if task in done:
            task.result()
    if lost in done:
        child = lost.result()
        code = child.process.returncode
        raise Unavailable(f"the {child.name} process", 1.0, reason=f"it ended with code {code}", mend=f"see {child.log}")


async def _kept_up(family: serving.Children, settings: Settings, again_seconds: float = AGAIN_SECONDS, *, registry_url: str = "") -> None:
    """Notifier, console and scheduler are started again whenever they end: no write waits for them, and their end stops nothing."""
    await asyncio.gather(*(_again(family, name, settings, again_seconds, registry_url) for name in MAY_END))
    await asyncio.Event().wait()


async def _again(family: serving.Children, name: str, settings: Settings, again_seconds: float, registry_url: str) -> None:
    while child := family.find(name):
        await child.process.wait()
        log.warning("the %s ended with code %s, and is started again; see %s", name, child.process.returncode, child.log)
        await asyncio.sleep(again_seconds)
        family.running.remove(child)
        with contextlib.suppress(Unavailable):  # it stands in the family all the same, and has ended
            await start_role(family, name, settings, registry_url)


async def _leases(working: Controller, seen: dict[tuple[str, ...], float]) -> None:
    """Keeps how long each agent's lease still runs. A registry that does not answer leaves none: then that is what is shown."""
    while working.registry is not None:
        found = []
        with contextlib.suppress(Day2Error):
            found = list(await working.registry.members())
        seen.clear()
        seen.update({(member.name,): member.lease_ms / 1000 for member in found})
        await asyncio.sleep(FOLLOW_SECONDS)
    await asyncio.Event().wait()


def _ready(settings: Settings, roles: Sequence[str], family: serving.Children) -> None:
    """One line on standard output, for whoever started us. A person at a terminal is told the address that logs in; a log file is not."""
    console_child = family.find(CONSOLE)
    said = {"console": console_child.ready["url"]} if console_child else {}
    sys.stdout.write(json.dumps({"ready": list(roles), "pid": os.getpid(), "dataDir": str(settings.data_dir), **said}) + "\n")
    sys.stdout.flush()
    if console_child and sys.stderr.isatty():
        sys.stderr.write(f"console: {console_child.ready['login']}\n")


def prepare(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ledger(settings, create=True):
        pass


@contextlib.contextmanager
def ledger(settings: Settings, *, create: bool = False) -> Iterator[Ledger]:
    """The SQL ledger of these settings, brought up to date where `create`."""
    if create:
        migrating.migrate(settings.ledger_url, settings.audit_sink)
    sink = None if settings.store.ledger_url else settings.audit_sink
    found = stores.opened(settings.ledger_url, sink)
    try:
        yield found
    finally:
        found.close()


async def start_role(family: serving.Children, role: str, settings: Settings, registry_url: str = "") -> None:
    """Start a role other than the controller as a child. What it needs to know is handed over in a file of mode 0600."""
    path = hand_over(settings, role, parent=os.getpid(), registry_url=registry_url)
    module = CONSOLE_MODULE if role == CONSOLE else f"runtime.roles.{role}"
    await serving.start(family, role, module, ["--settings", str(path)], settings.data_dir / serving.LOGS)


def hand_over(settings: Settings, role: str, *, parent: int = 0, registry_url: str = "") -> Path:
    """Write what the role needs to know; the file's path. Without a parent, for whoever starts the process: it then ends by itself."""
    if role in (CONSOLE, SCHEDULER):
        bare = settings.model_copy(update={"registry": settings.registry.model_copy(update={"url": SecretStr("")})})
        url = registry_url or settings.registry.url.get_secret_value()
        return _handed(settings, role, ConsoleSettings(settings=bare, registry_url=url, parent=parent))
    wanted = role_settings(settings, role).model_copy(update={"parent": parent})
    path = _handed(settings, role, _notifying(settings, wanted) if role == NOTIFIER else wanted)
    if role == "judge" and reviewer(settings):
        _handed(settings, "reviewer", settings.review)
    return path


def prepared(settings: Settings, roles: Sequence[str]) -> list[Path]:
    """Behind `day2 serve --prepare`: the ledger in its newest form, each role's keys and its settings file. Nothing is started.

    Whoever starts the roles may then show them the folder of public keys read-only.
    """
    chosen = _known(roles) or _usual(settings)
    prepare(settings)
    for name in (name for role in chosen for name in OWN_KEYS.get(role, ())):
        keys.signer(settings.data_dir / "keys", name, settings.private_dir)
    return [hand_over(settings, role) for role in chosen if role != "controller"]


def _handed(settings: Settings, role: str, told: BaseModel) -> Path:
    path = _file_of(settings, role)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(0o600)
    path.write_text(told.model_dump_json(), encoding="utf-8")
    return path


def reviewer(settings: Settings) -> Path | None:
    """Where the settings of the model judge lie, if there is one. Raises InvalidInput where it is switched on and no model is named."""
    if not settings.review.enabled or settings.profile == "demo":
        return None
    if not settings.review.name:
        raise InvalidInput("review.enabled is set, but no model is named", mend="set review.name: day2 config explain review.name")
    return _file_of(settings, "reviewer")


def _file_of(settings: Settings, role: str) -> Path:
    return (settings.private_dir or settings.data_dir) / f"{role}.settings.json"


def role_settings(settings: Settings, role: str) -> RoleSettings:
    """Only what this role needs: its own kubeconfig, no key, no registry."""
    wanted, source = settings.kubernetes, settings.prometheus
    own = wanted.judge_kubeconfig if role == "judge" else wanted.executor_kubeconfig
    return RoleSettings(
        data_dir=settings.data_dir,
        private_dir=settings.private_dir,
        ledger_url=settings.ledger_url,
        audit_sink=settings.audit_sink,
        kubeconfig=own or wanted.kubeconfig,
        context="" if own else wanted.context,
        server=wanted.server,
        prometheus_url=source.url,
        prometheus_ca_file=source.ca_file,
        prometheus_token_file=source.token_file,
        clock=settings.clock,
        objectives=settings.policy.objectives,
        policies=settings.policy.rules.expanduser() if settings.policy.rules else None,
        poll_seconds=settings.flow.poll_seconds,
        approval_hours=settings.flow.approval_hours,
        execution_minutes=settings.flow.execution_minutes,
        denial_hours=settings.flow.denial_hours,
        cards_per_hour=settings.flow.cards_per_hour,
        canary_every=settings.flow.canary_every,
        reviewer=reviewer(settings) if role == "judge" else None,
        guard=expected(settings) if role == "executor" else None,
        webhook=WebhookSettings(
            listen=settings.gate.webhook_listen,
            url=settings.gate.webhook_url,
            ca=settings.gate.webhook_ca_file,
            ca_key=settings.gate.webhook_ca_key_file,
            certificate=settings.gate.webhook_certificate_file,
            key=settings.gate.webhook_key_file,
        ),
    )


def _notifying(settings: Settings, shared: RoleSettings) -> NotifierSettings:
    """Never another's kubeconfig for the Events: an identity that may do more is not the notifier's."""
    wanted = settings.alerts
    return NotifierSettings(
        **{name: getattr(shared, name) for name in RoleSettings.model_fields},
        alertmanager=wanted.alertmanager,
        alertmanager_ca_file=wanted.alertmanager_ca_file,
        alertmanager_token_file=wanted.alertmanager_token_file,
        pages_file=wanted.pages_file,
        labels=wanted.labels,
        again_seconds=wanted.again_seconds,
        hold_minutes=wanted.hold_minutes,
        approval_minutes=wanted.approval_minutes,
        audit_minutes=wanted.audit_minutes,
        events_kubeconfig=settings.kubernetes.notifier_kubeconfig,
        listen=settings.telemetry.notifier_listen,
    )


def expected(settings: Settings) -> Expected | None:
    """What the executor compares the cluster with. Raises InvalidInput where the guard is wanted and its CA is not known."""
    if settings.gate.guard == "off":
        return None
    constrained, legacy = guarding.expected(settings)
    return Expected(constrained=constrained, legacy=legacy, writes=guarding.writes())
