"""Looking from the command line: joins scan, ask and route to the cluster reader and the agents of this process. Writes nothing."""

from collections.abc import Sequence
from pathlib import Path

from agents.catalogue import AGENTS
from core.cluster.looking import ClusterReader
from core.cluster.objects import LabelSelector
from core.cluster.reading import Metrics
from core.domain.clock import Clock
from core.domain.request import Request
from core.domain.values import bounded
from core.policy.redaction import redact
from graph.routes import Route
from registry.membership import Member
from runtime import declared
from runtime.consulting import InProcess
from runtime.declared import Declared
from runtime.ids import RandomIds
from runtime.roles import console, modelling, reading
from runtime.roles.identifying import account
from runtime.roles.reading import Reading
from runtime.services import asking, manifests, scanning
from runtime.settings import Settings
from tools import clocks

Where = dict[str, object]
"""Context, cluster, namespaces and time of a look."""


async def scan(
    settings: Settings, namespaces: Sequence[str], names: Sequence[str], source: Path | None, selector: LabelSelector | None = None
) -> tuple[scanning.Scan, Where]:
    """On the cluster, or on manifests in files; only what has labels that fit, where there is a selector."""
    asked = scanning.chosen(names, tuple(agent.name for agent in AGENTS))
    if source is not None:
        return await _scan_files(settings, namespaces, asked, source, selector)
    async with reading.opened(settings) as view:
        return await seen(view, namespaces, asked, selector), await where(view, namespaces)


async def seen(view: Reading, namespaces: Sequence[str], asked: Sequence[str], selector: LabelSelector | None) -> scanning.Scan:
    """What these agents see on the cluster."""
    result = await scanning.scan(consulting(view), request(view.clock, namespaces, agents=asked), asked)
    return await scanning.selected(result, view.reader, selector, namespaces) if selector else result


async def _scan_files(
    settings: Settings, namespaces: Sequence[str], asked: Sequence[str], source: Path, selector: LabelSelector | None
) -> tuple[scanning.Scan, Where]:
    clock = clocks.SystemClock()  # files have no time of their own
    found = manifests.read(source)
    reader = manifests.ManifestReader(found, clock.now())
    working = in_process(reader, None, declared.read(settings.policy.objectives), clock)
    result = await scanning.scan(working, request(clock, namespaces, agents=asked), asked)
    if selector:
        result = await scanning.selected(result, reader, selector, namespaces)
    place: Where = {"context": str(source), "cluster": await reader.cluster_uid(), "namespaces": list(namespaces), "at": clock.now()}
    return scanning.with_unread(scanning.located(result, found), [(problem.place, problem.reason) for problem in found.problems]), place


async def route(settings: Settings, question: str) -> tuple[Route, tuple[str, ...]]:
    """Only the question is looked at: no cluster is needed."""
    members = await living(settings)
    asked = _question(settings, clocks.SystemClock(), (), question)
    async with modelling.available(settings, asked.budget) as (model, without):
        found = await asking.route(asked, members, model, without=without)
    return found, tuple(member.name for member in members)


async def ask(settings: Settings, namespaces: Sequence[str], question: str) -> tuple[asking.Answer, Where]:
    members = await living(settings)
    async with reading.opened(settings) as view:
        asked = _question(settings, view.clock, namespaces, question)
        async with modelling.available(settings, asked.budget) as (model, without):
            answer = await asking.ask(asked, members, consulting(view), model, without=without)
        return answer, await where(view, namespaces)


def _question(settings: Settings, clock: Clock, namespaces: Sequence[str], question: str) -> Request:
    asked = request(clock, namespaces, text=redact(question))
    return asked.model_copy(update={"budget": modelling.budget(settings)})


async def living(settings: Settings) -> tuple[Member, ...]:
    found, _ = await console.members(settings)
    return found


def consulting(view: Reading) -> InProcess:
    return in_process(view.reader, view.metrics, view.declared, view.clock)


def in_process(reader: ClusterReader, metrics: Metrics | None, documents: Declared, clock: Clock) -> InProcess:
    """The agents of this process, over these ports."""
    return InProcess({agent.name: agent for agent in AGENTS}, reader, metrics, documents.objectives, documents.prices, clock)


def request(clock: Clock, namespaces: Sequence[str], *, text: str = "", agents: Sequence[str] = ()) -> Request:
    """What a person typed, as a request."""
    return Request(
        id=RandomIds().new("run"),
        trigger="cli",
        by=account(),
        text=bounded(text, 2000),
        namespaces=tuple(namespaces),
        agents=tuple(agents),
        at=clock.now(),
    )


async def where(view: Reading, namespaces: Sequence[str]) -> Where:
    return {"context": view.context, "cluster": await view.reader.cluster_uid(), "namespaces": list(namespaces), "at": view.clock.now()}
