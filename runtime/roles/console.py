"""The command line's composition root: joins services to adapters for one command, then closes them. It holds no key that writes a cluster."""

import contextlib
import getpass
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.domain.clock import Clock
from core.domain.ledger import Ledger
from core.domain.request import Request, RunBudget
from core.domain.values import bounded
from core.policy.redaction import redact
from graph import supervising
from graph.routes import Route
from registry.membership import Member
from runtime import declared
from runtime.consulting import InProcess
from runtime.ids import RandomIds
from runtime.roles import reading
from runtime.roles.reading import Reading
from runtime.services import asking, manifests, scanning
from runtime.settings import Settings
from tools import clocks

DOOR = "cli"


def person() -> str:
    """Who types: the user of the operating system."""
    try:
        return f"local:{getpass.getuser()}"
    except (OSError, KeyError, ImportError):
        return "local:unknown"


@dataclass(frozen=True)
class Record:
    """The ledger of this data folder. `kept` is False where there is none yet; it then reads as empty, and nothing was made."""

    ledger: Ledger
    clock: Clock
    kept: bool


@contextlib.contextmanager
def record(settings: Settings, *, create: bool = False) -> Iterator[Record]:
    """Reading commands create nothing. Raises Corrupt or Unavailable with the mend."""
    clock = clocks.clock(settings.clock)
    if not create and not settings.store.ledger_url and not (settings.data_dir / "ledger.db").exists() and not (settings.data_dir / "audit.jsonl").exists():
        from tools.stores.memory import MemoryLedger  # noqa: PLC0415

        yield Record(MemoryLedger(), clock, kept=False)
        return
    from tools.stores import ledger, migrating  # noqa: PLC0415  SQL is slow to import

    if create:
        migrating.migrate(settings.ledger_url)
    sink = None if settings.store.ledger_url else settings.data_dir / "audit.jsonl"
    opened = ledger.opened(settings.ledger_url, sink)
    try:
        yield Record(opened, clock, kept=True)
    finally:
        opened.close()


def own_members() -> tuple[Member, ...]:
    """The agents of this process, as the supervisor knows members."""
    from agents.catalogue import AGENTS  # noqa: PLC0415
    from registry.membership import Member, State  # noqa: PLC0415
    from runtime.roles.controller import card_of  # noqa: PLC0415

    cards = [card_of(agent) for agent in AGENTS]
    return tuple(Member(card.name, State.READY, card, card.digest(), ("in-process",), 0) for card in cards)


async def scan(settings: Settings, namespaces: Sequence[str], names: Sequence[str], source: Path | None) -> tuple[scanning.Scan, dict[str, object]]:
    """On the cluster, or on manifests in files."""
    from agents.catalogue import AGENTS  # noqa: PLC0415

    agents = {agent.name: agent for agent in AGENTS}
    asked = scanning.chosen(names, tuple(agents))
    if source is not None:
        return await _scan_files(settings, namespaces, asked, source)
    async with reading.opened(settings) as view:
        consulting = InProcess(agents, view.reader, view.metrics, view.declared.objectives, view.declared.prices, view.clock)
        result = await scanning.scan(consulting, request(view.clock, namespaces, agents=asked), asked)
        return result, await _where(view, namespaces)


async def _scan_files(settings: Settings, namespaces: Sequence[str], asked: Sequence[str], source: Path) -> tuple[scanning.Scan, dict[str, object]]:
    from agents.catalogue import AGENTS  # noqa: PLC0415

    clock = clocks.SystemClock()
    found = manifests.read(source)
    documents = declared.read(settings.policy.objectives)
    reader = manifests.ManifestReader(found, clock.now())
    consulting = InProcess({agent.name: agent for agent in AGENTS}, reader, None, documents.objectives, documents.prices, clock)
    result = await scanning.scan(consulting, request(clock, namespaces, agents=asked), asked)
    where = {"context": str(source), "cluster": await reader.cluster_uid(), "namespaces": list(namespaces), "at": clock.now()}
    return scanning.with_unread(result, [(problem.place, problem.reason) for problem in found.problems]), where


async def route(settings: Settings, question: str) -> tuple[Route, tuple[str, ...]]:
    """Only words are looked at: no cluster is needed."""
    members = own_members()
    asked = request(clocks.clock(settings.clock), (), text=question)
    return supervising.choose(asked, members), tuple(member.name for member in members)


async def ask(settings: Settings, namespaces: Sequence[str], question: str) -> tuple[asking.Answer, dict[str, object]]:
    from agents.catalogue import AGENTS  # noqa: PLC0415

    async with reading.opened(settings) as view:
        consulting = InProcess({agent.name: agent for agent in AGENTS}, view.reader, view.metrics, view.declared.objectives, view.declared.prices, view.clock)
        asked = request(view.clock, namespaces, text=redact(question))
        why = "" if settings.model.enabled else "model.enabled is not set"
        answer = await asking.ask(asked, supervising.choose, own_members(), consulting, without_model=why or "the command line routes by words; a run of day2 serve asks the model")
        return answer, await _where(view, namespaces)


def request(clock: Clock, namespaces: Sequence[str], *, text: str = "", agents: Sequence[str] = ()) -> Request:
    return Request(
        id=RandomIds().new("run"), trigger="cli", by=person(), text=bounded(text, 2000), namespaces=tuple(namespaces), agents=tuple(agents), budget=RunBudget(), at=clock.now()
    )


async def _where(view: Reading, namespaces: Sequence[str]) -> dict[str, object]:
    return {"context": view.context, "cluster": await view.reader.cluster_uid(), "namespaces": list(namespaces), "at": view.clock.now()}
