"""The command line's composition root: joins services to adapters for one command. It holds no key that writes a cluster."""

import asyncio
import contextlib
import json
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.domain.clock import Clock
from core.domain.errors import Day2Error, InvalidInput, Unavailable
from core.domain.ledger import Ledger
from core.domain.values import bounded
from runtime.roles.identifying import account
from runtime.settings import Settings
from tools import clocks

if TYPE_CHECKING:
    from core.domain.alert import Alert
    from gate.keys import Verifier
    from registry.membership import Member
    from runtime.services.trusting import Trust

DOOR = "cli"
ROLE = "door"


@contextlib.contextmanager
def clock_of(settings: Settings) -> Iterator[Clock]:
    """Real time, or a simulator's, which is trusted by the CA of its kubeconfig."""
    if settings.clock == "system":
        yield clocks.SystemClock()
        return
    from tools.kubernetes import config

    wanted = settings.kubernetes
    found = clocks.HttpClock(settings.clock, config.load(wanted.read_kubeconfig or wanted.kubeconfig, wanted.context).ca)
    try:
        yield found
    finally:
        found.close()


@dataclass(frozen=True)
class Record:
    """The ledger of this data folder. `kept` is False where there is none yet; it then reads as empty, and nothing was made."""

    ledger: Ledger
    clock: Clock
    kept: bool


@contextlib.contextmanager
def record(settings: Settings, *, create: bool = False, signs: bool = False) -> Iterator[Record]:
    """Reading commands create nothing; one that writes signs the door's head at its end. Raises Corrupt or Unavailable with the mend."""
    with contextlib.ExitStack() as stack:
        clock = stack.enter_context(clock_of(settings))
        if not create and not _kept(settings):
            from tools.stores.memory import MemoryLedger

            yield Record(MemoryLedger(), clock, kept=False)
            return
        from tools.stores import ledger, migrating

        if create:
            migrating.migrate(settings.ledger_url, settings.audit_sink)
        sink = None if settings.store.ledger_url else settings.audit_sink
        opened = ledger.opened(settings.ledger_url, sink)
        stack.callback(opened.close)
        yield Record(opened, clock, kept=True)
        if signs:
            _sign_head(settings, opened, clock)


def _sign_head(settings: Settings, ledger: Ledger, clock: Clock) -> None:
    """Anchor the other chains in the door's, and sign its head with this door's key. What was recorded stands also where this fails."""
    from gate import heads, keys

    name = f"{keys.DOOR}{DOOR}"
    with contextlib.suppress(Day2Error, OSError):
        key = keys.signer(settings.data_dir / "keys", name, settings.private_dir)
        book = heads.HeadBook(heads.file_of(settings.data_dir, name), key, ROLE)
        book.keep(ledger, clock.now(), at_once=True)


def _kept(settings: Settings) -> bool:
    """A second sink without its ledger is a loss, and opening it says so."""
    return bool(settings.store.ledger_url) or any(path.exists() for path in (settings.data_dir / "ledger.db", settings.audit_sink))


def judges_key(settings: Settings) -> "Verifier | None":
    """What proves the permits of the past; None where no judge ran yet, so that nothing was permitted."""
    from gate import keys

    with contextlib.suppress(Unavailable):
        return keys.verifier(settings.data_dir / "keys", keys.JUDGE)
    return None


def autonomy(settings: Settings, *, namespaces: Sequence[str], capability: str) -> "tuple[tuple[Trust, ...], str]":
    """How far agents may go, as the judge would find it from this ledger; and the cluster whose record was read."""
    from gate.judging import history
    from runtime import declared
    from runtime.services import trusting

    key = judges_key(settings)
    with record(settings) as kept:
        cluster = trusting.cluster_of(kept.ledger)
        found = trusting.trust(
            declared.read(settings.policy.objectives),
            lambda scope, where: history.outcomes(kept.ledger, scope, where, key),
            cluster=cluster,
            namespaces=namespaces,
            capability=capability,
        )
    return found, cluster


def stop(settings: Settings, *, scope: str, mode: str, reason: str) -> None:
    """Makes the ledger where there is none: a stop must hold for what starts later."""
    from gate import stopping

    with record(settings, create=True, signs=True) as kept:
        stopping.stop(kept.ledger, scope=scope, mode=mode, by=account(), reason=reason, at=kept.clock.now())


def audit_report(settings: Settings) -> dict[str, Any]:
    """All chains against their heads, the signed heads, and the second sink where there is one."""
    from gate import audit
    from tools.stores.sink import Sink

    with record(settings) as kept:
        sink = Sink(settings.audit_sink).rows() if kept.kept and settings.audit_sink.exists() else None
        signed, bad = audit.signed_heads(settings.data_dir, settings.data_dir / "keys")
        report = audit.verify_ledger(kept.ledger, sink=sink, signed=signed)
    return {
        "whole": report.whole and not bad,
        "records": report.records,
        "head": report.head,
        "chains": [chain._asdict() | {"signed": sum(head.role == chain.role for head in signed)} for chain in report.chains],
        "problems": [*report.problems, *bad],
        "sink": f"{report.mirrored} records" if sink is not None else "not used" if kept.kept else "none yet",
        "signed": len(signed),
    }


def alerts(settings: Settings) -> "list[tuple[Alert, tuple[str, ...]]]":
    """What stands by the ledger, newest first, with the channels that were told."""
    from runtime.services import alerting

    wanted = settings.alerts
    problems = audit_report(settings)["problems"]
    with record(settings) as kept:
        limits = alerting.limits(wanted.hold_minutes, wanted.approval_minutes, wanted.labels)
        return alerting.standing(kept.ledger, kept.clock.now(), limits, problems)


def own_members() -> "tuple[Member, ...]":
    """The agents of this process, as the supervisor knows members."""
    from agents.catalogue import AGENTS
    from registry.membership import Member, State
    from runtime.leasing import card_of

    cards = [card_of(agent) for agent in AGENTS]
    return tuple(Member(card.name, State.READY, card, card.digest(), ("in-process",), 0) for card in cards)


async def members(settings: Settings) -> "tuple[tuple[Member, ...], str]":
    """From the registry that runs for this data folder, or the agents of this process; and which of the two."""
    from registry import membership

    url = registry_url(settings)
    if not url:
        return own_members(), "this process"
    async with membership.opened(url, lease_seconds=settings.registry.lease_seconds) as registry:
        return await registry.members(), "registry"


def chosen(found: "Sequence[Member]", name: str) -> "Member":
    """Raises InvalidInput."""
    one = next((item for item in found if item.name == name), None)
    if one is None:
        raise InvalidInput(f"no agent {bounded(name, 40)!r}", mend=f"one of: {', '.join(item.name for item in found)}")
    return one


async def move_agent(settings: Settings, name: str, state: str) -> "Member":
    """Drain, suspend or resume: only where a registry runs. The change is kept in the audit chain where there is a ledger."""
    from registry import membership

    url = registry_url(settings)
    if not url:
        raise Unavailable("the registry", 1.0, reason="none runs for this data folder", mend="day2 serve, or set registry.url")
    async with membership.opened(url, lease_seconds=settings.registry.lease_seconds) as registry:
        await registry.move(name, membership.State(state))
    with record(settings, signs=True) as kept:
        if kept.kept:
            kept.ledger.record(role=ROLE, event=f"agent.{state}", subject=name, body={"by": account()}, at=kept.clock.now())
    return chosen((await members(settings))[0], name)


async def serve_agent(settings: Settings, name: str) -> None:
    """One agent as this process, registered where others of this data folder are; an embedded registry is started where there is none."""
    from registry.embedded import embedded
    from runtime.processes import dies_with_parent
    from runtime.roles import agent

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with contextlib.ExitStack() as stack:
        url = registry_url(settings) or stack.enter_context(embedded(settings.data_dir / "registry", dies_with_parent))
        await agent.run(agent.settings_for(settings, url), name, stop)


def registry_url(settings: Settings) -> str:
    """The configured address, or that of the embedded server which another process runs here; empty where there is none."""
    configured = settings.registry.url.get_secret_value()
    if configured:
        return configured
    path = settings.data_dir / "registry" / "address.json"
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
