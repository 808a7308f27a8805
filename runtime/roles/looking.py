"""Looking from the command line: joins scan, ask and route to the cluster reader and the agents of this process. Writes nothing."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from agents.catalogue import AGENTS
from agents.consulting import wanted_kinds
from agents.desk import Desk
from agents.security import closing
from agents.security import namespaces as inhabiting
from core.cluster.looking import ClusterReader
from core.cluster.objects import LabelSelector
from core.cluster.reading import Metrics
from core.cluster.snapshot import Snapshot
from core.domain.clock import Clock
from core.domain.errors import InvalidInput, Unavailable
from core.domain.request import Request
from core.domain.values import bounded
from core.policy.mutes import Mute
from core.policy.redaction import redact
from core.policy.snapshots import Saved
from graph.routes import Route
from registry.membership import Member
from runtime import declared
from runtime.consulting import InProcess
from runtime.declared import Declared
from runtime.ids import RandomIds
from runtime.roles import console, modelling, reading
from runtime.roles.identifying import account
from runtime.roles.reading import Reading
from runtime.services import asking, describing, muting, narrowing, scanning, server_log, snapshotting
from runtime.services import vulnerabilities as weighing
from runtime.settings import Settings
from tools import clocks, hand_clock

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


LOOK_SECONDS = 2.0
"""What moves within that time is looked at together."""
IDLE_SHARE = 4.0
"""In a cluster that never rests: so many times as long as a look took, nobody looks."""
QUIET_SECONDS = 60.0
"""How often metrics are asked again where nothing moves in the cluster."""
SETTLE_SECONDS = 60.0


async def follow(
    settings: Settings,
    namespaces: Sequence[str],
    names: Sequence[str],
    tell: Callable[[scanning.Scan, Where], None],
    *,
    lost: Callable[[Unavailable], None],
    selector: LabelSelector | None = None,
    seconds: float | None = None,
) -> None:
    """Look, and look again whenever the cluster moved, for so many seconds or for ever. `tell` is called with every look that is whole,
    `lost` where the cluster does not answer: it is then tried again. The first look raises as `scan`."""
    asked = scanning.chosen(names, tuple(agent.name for agent in AGENTS))
    kinds = sorted({kind for agent in AGENTS if agent.name in asked for kind in wanted_kinds(agent)})
    loop = asyncio.get_running_loop()
    end = None if seconds is None else loop.time() + seconds
    async with reading.followed(settings, kinds, namespaces) as (view, follower):
        await follower.settled(SETTLE_SECONDS)
        looked = False
        while end is None or not looked or loop.time() < end:
            moves, began = follower.moves, loop.time()
            try:
                tell(await seen(view, namespaces, asked, selector), await where(view, namespaces))
                looked = True
            except Unavailable as error:
                if not looked:
                    raise
                lost(error)
            left = QUIET_SECONDS if end is None else max(0.0, end - loop.time())
            await asyncio.sleep(min(max(LOOK_SECONDS, IDLE_SHARE * (loop.time() - began)), left))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(follower.moved(moves), min(QUIET_SECONDS, max(0.0, left - LOOK_SECONDS)))


async def _scan_files(
    settings: Settings, namespaces: Sequence[str], asked: Sequence[str], source: Path, selector: LabelSelector | None
) -> tuple[scanning.Scan, Where]:
    found = snapshotting.opened(source, clocks.SystemClock().now())
    contents, scope = found.contents, found.scope(namespaces)
    clock = hand_clock.HandClock(contents.at) if contents.at else clocks.SystemClock()  # manifests have no time of their own
    working = in_process(found.reader, None, declared.read(settings.policy.objectives), clock)
    result = await scanning.scan(working, request(clock, scope, agents=asked), asked)
    result = scanning.without(result, found.implied)
    if selector:
        result = await scanning.selected(result, found.reader, selector, scope)
    place: Where = {
        "context": contents.context or str(source),
        "cluster": contents.cluster,
        "namespaces": list(scope),
        "at": clock.now(),
        "source": str(source),
        "asOf": contents.at,
    }
    if found.found is not None:
        result = scanning.located(result, found.found)
        result = scanning.with_unread(result, [(problem.place, problem.reason) for problem in found.found.problems])
    return result, place


async def saved(settings: Settings, namespaces: Sequence[str]) -> Saved:
    """One look at all that an agent may read, as a file keeps it."""
    async with reading.opened(settings) as view:
        return Saved(await view.reader.snapshot(snapshotting.KINDS, namespaces), view.context, tuple(namespaces))


def contents(source: Path) -> snapshotting.Contents:
    """What is in a file or folder that `--from` takes."""
    return snapshotting.opened(source, clocks.SystemClock().now()).contents


async def whole(settings: Settings, source: Path | None) -> tuple[Snapshot, Where]:
    """One look at all kinds in all namespaces that can be read, of the cluster or of a file."""
    if source is not None:
        found = snapshotting.opened(source, clocks.SystemClock().now())
        scope = found.scope(())
        place: Where = {"context": found.contents.context or str(source), "cluster": found.contents.cluster, "namespaces": list(scope)}
        snapshot = await found.reader.snapshot(snapshotting.KINDS, scope)
        return snapshot, place | {"at": snapshot.taken_at, "source": str(source), "asOf": found.contents.at}
    async with reading.opened(settings) as view:
        return await view.reader.snapshot(snapshotting.KINDS, ()), await where(view, ())


async def vulnerabilities(
    settings: Settings,
    *,
    reports: Sequence[Path],
    vex: Sequence[Path],
    kev: Path | None,
    epss: Path | None,
    source: Path | None,
    alone: bool,
) -> tuple[weighing.Weighed, tuple[weighing.Source, ...], Where]:
    """Files first: where one of them is wrong, no cluster is asked."""
    files = weighing.read(reports, vex, kev, epss, clocks.SystemClock().now().date())
    if alone:
        return weighing.weighed(files, None), files.sources, {}
    snapshot, place = await whole(settings, source)
    return weighing.weighed(files, snapshot), files.sources, place


async def narrowed(settings: Settings, account: str, log: Path, *, source: Path | None) -> narrowing.Proposed:
    """The log first: where it cannot be read, no cluster is asked."""
    identity = narrowing.account(account)
    seen = narrowing.observed(server_log.events(log), identity)
    snapshot, _ = await whole(settings, source)
    return narrowing.proposed(snapshot, identity, seen)


async def closed(settings: Settings, namespaces: Sequence[str], source: Path | None) -> tuple[closing.Closed, ...]:
    """The network policies that would do, of these namespaces, or of all with pods. Raises InvalidInput for one that is not there.

    All namespaces are read even so: who calls stands elsewhere.
    """
    snapshot, _ = await whole(settings, source)
    if lost := [kind for kind in closing.NEEDED if kind in snapshot.unread]:
        raise InvalidInput(f"{', '.join(lost)} could not be read: {bounded(snapshot.unread[lost[0]], 120)}", mend="day2 doctor")
    desk = Desk(snapshot, snapshot.taken_at, "network")
    there = desk.namespaces()
    if strange := [name for name in namespaces if name not in there]:
        raise InvalidInput(f"there is no namespace {bounded(strange[0], 63)}", mend=f"one of {bounded(', '.join(there), 120)}")
    wanted = namespaces or [item.metadata.name for item in inhabiting.inhabited(desk)]
    return tuple(closing.close(desk, name) for name in wanted)


def unmuted(settings: Settings, result: scanning.Scan) -> scanning.Scan:
    """Without what people muted. Nothing is asked, not even the time, where nothing is. Raises InvalidDocument."""
    held = muting.folder_of(settings.data_dir).all()
    if not held:
        return result
    with console.clock_of(settings) as clock:
        return muting.apart(result, held, clock.now())


def told(settings: Settings, result: scanning.Scan) -> None:
    """Which mutes ended was printed: it is not again."""
    muting.tell_ended(muting.folder_of(settings.data_dir), result.ended)


def mute(settings: Settings, what: str, namespaces: Sequence[str], *, reason: str, lasts: timedelta) -> Mute:
    """A finding by its id, or a check by its code. Raises InvalidInput."""
    with console.clock_of(settings) as clock:
        made = muting.wished(what, namespaces, reason=reason, by=account(), at=clock.now(), lasts=lasts)
    muting.folder_of(settings.data_dir).add(made)
    return made


def mutes_held(settings: Settings, *, ended: bool) -> tuple[tuple[Mute, ...], datetime]:
    """Those that hold, with those that ended where they are asked for; and the time by which that is judged."""
    folder = muting.folder_of(settings.data_dir)
    found = folder.all() + (folder.ended() if ended else ())
    with console.clock_of(settings) as clock:
        return found, clock.now()


async def explained(settings: Settings, namespaces: Sequence[str], name: str, source: Path | None) -> tuple[describing.Described, Where]:
    """One finding whole, as a scan sees it now. Raises InvalidInput with the nearest ids."""
    describing.finding_word(name)
    result, place = await scan(settings, namespaces, (), source)
    return describing.described(unmuted(settings, result)._replace(proposals=result.proposals), name), place


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
    return {
        "context": view.context,
        "cluster": await view.reader.cluster_uid(),
        "namespaces": list(namespaces),
        "at": view.clock.now(),
        "source": "",
        "asOf": None,
    }
