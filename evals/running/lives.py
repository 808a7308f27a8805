"""One case on one seed, from its start to the oracle's last look. Virtual time only: the same case, seed and code give the same trial."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from agents.catalogue import AGENTS
from core.domain.errors import Day2Error
from core.domain.finding import Finding
from core.domain.money import HOURS_PER_MONTH, PriceList
from core.domain.request import Request
from evals.cases.case import Case, Edit, Planted
from evals.contestants import table
from evals.contestants.contestant import Contestant
from evals.faults import scoring
from evals.judging.trials import in_fork
from evals.running import asking, expecting, meters, scenes
from evals.running.alone import Alone
from evals.running.scenes import Scene
from evals.running.stages import Stage
from evals.running.trial import Told, Trial, as_json, of_json
from runtime.declared import Declared
from runtime.roles.looking import in_process
from runtime.services import scanning, snapshotting
from runtime.settings import ModelSettings
from simulator.clock import parse
from simulator.controllers import interruptions
from simulator.faults import oracle
from simulator.faults.fault import Cause
from simulator.faults.ground import Ground, Home
from simulator.faults.table import BY_ID
from simulator.faults.writes import Write, create, delete, patch

Json = dict[str, Any]
LOOKER = "operator@example.com"


def lived(case: Case, seed: int, contestant: str, model: ModelSettings | None = None) -> Trial:
    """`model` is the endpoint for a contestant that speaks with one. What broke the trial itself (an edit that the API refuses, say) is
    told in it, and is no pass."""
    head: Json = {"case": case.id, "suite": case.suite, "seed": seed, "contestant": contestant}
    try:
        if case.world.is_still:
            return asyncio.run(_still(case, seed, contestant))
        scene = scenes.alive(case, seed)
        told = in_fork(lambda: _told(case, scene, contestant, model))
        return of_json(told) if "case" in told else _broken(head, told["broke"])
    except (RuntimeError, Day2Error) as broken:
        return _broken(head, str(broken))


def _told(case: Case, scene: Scene, contestant: str, model: ModelSettings | None) -> Json:
    """The trial, or what broke it."""
    try:
        return as_json(asyncio.run(_life(case, scene, table.named(contestant, model))))
    except (RuntimeError, Day2Error) as broken:
        return {"broke": str(broken)}


def _broken(head: Json, why: str) -> Trial:
    return Trial(**head, broke=why[:400], misses=(f"not tried: {why[:300]}",))


class _Moment(NamedTuple):
    """What happens when. Looks come last among what happens at the same time."""

    at: float
    order: int
    what: Planted | Edit | None


async def _life(case: Case, scene: Scene, contestant: Contestant) -> Trial:
    with tempfile.TemporaryDirectory() as folder:
        async with scenes.opened(scene, case.people, Path(folder)) as court:
            stage = Stage(case, scene, court, scene.running.clock.now(), budgets=meters.kept_budgets(scene.running))
            stage.spared = _spared(stage)
            return await _lived(stage, contestant)


async def _lived(stage: Stage, contestant: Contestant) -> Trial:
    case, running, prices = stage.case, stage.scene.running, stage.court.bench.prices
    assert prices is not None  # noqa: S101  scenes declare some
    before, costs = await stage.seen(), meters.monthly(running, prices)
    best = meters.best(running, prices, case.expect.gives_back) if case.expect.gives_back else None
    asks = [await asking.judged(stage, number, asked) for number, asked in enumerate(case.asks)] if contestant.tells else []
    watch = _Watch(stage, contestant, causes(case, stage.scene.ground))
    alone = Alone(stage, watch.told) if case.schedules and contestant.tells else None
    for moment in sorted(_moments(case), key=lambda each: each[:2]):
        await (alone.until(moment.at) if alone else stage.until(moment.at))
        if moment.what is not None:
            await _happens(stage, moment.what)
        elif alone is None and (case.length or not case.asks):
            await watch.look(last=moment.at >= case.length)
    settled = stage.now + (case.settles if case.acts != "never" else 0)
    await (alone.until(settled) if alone else stage.until(settled))
    after = await stage.seen()
    ills = oracle.ills(after, stage.scene.namespaces)
    wrote = await _wrote(stage)
    writes, taken = len(wrote), tuple(interruptions.taken(running.cluster))
    harmed = oracle.harmed(before, after, stage.spared, taken) if writes else ()  # who wrote nothing harmed nobody
    spared = meters.keys(stage.spared)
    lost = meters.lost_minutes(
        running, stage.begun, spared, wrote, per_mille=case.people.error_per_mille, p99_ms=float(case.people.latency_p99_ms)
    )
    trial = Trial(
        case=case.id,
        suite=case.suite,
        seed=stage.scene.seed,
        contestant=contestant.name,
        **watch.figures(),
        mended=(not ills and not harmed) if _is_mendable(case) else None,
        mending=_between(stage.acted_at, stage.verified_at),
        actions=tuple(stage.actions),
        asks=tuple(asks),
        held=tuple(stage.held),
        ills=ills,
        harmed=harmed,
        budgets=tuple(sorted(stage.breaches)) if writes else (),
        lost_minutes=lost,
        cost_before=costs,
        cost_after=meters.monthly(running, prices),
        best=best,
        claimed=stage.claims.said,
        metered=stage.claims.metered,
        within=case.expect.claims_within,
        writes=writes,
        tokens=stage.asked.tokens if stage.asked else None,
        micro_usd=stage.asked.micro_usd if stage.asked else None,
        model_calls=stage.asked.calls if stage.asked else None,
        model_seconds=round(stage.asked.seconds, 3) if stage.asked else None,
        looks=watch.looks,
        **(await _unattended(stage, alone)),
        virtual=stage.now,
    )
    return expecting.held(case, trial, watch.last)


async def _unattended(stage: Stage, alone: Alone | None) -> Json:
    """What only a case with schedules tells, of any contestant."""
    case = stage.case
    if not case.schedules:
        return {}
    all_minutes, missed = meters.minutes(
        stage.scene.running, stage.begun, per_mille=case.people.error_per_mille, p99_ms=float(case.people.latency_p99_ms)
    )
    told: Json = {"spent": round(stage.spent / 3600 / HOURS_PER_MONTH), "service_minutes": all_minutes, "missed_minutes": missed}
    return told | (await alone.held() if alone else {})


class _Watch:
    """What was told, look by look, against the causes that there are."""

    def __init__(self, stage: Stage, contestant: Contestant, wanted: Sequence[Cause] | None) -> None:
        self._stage, self._contestant, self._wanted = stage, contestant, wanted
        self.last: tuple[Finding, ...] = ()
        self.looks = 0
        self._first_told: dict[tuple[str, str], float] = {}
        self._detected: float | None = None
        self._acted = False

    async def look(self, *, last: bool) -> None:
        stage, acts = self._stage, self._stage.case.acts
        self.last, self.looks = tuple(await self._contestant.look(stage)), self.looks + 1
        self._note()
        if self._wanted and self._detected is None and scoring.diagnosed(self.last, self._wanted).found:
            self._detected = stage.now - _begin(stage.case)
        if acts == "always" or (acts == "end" and (last or self._contestant.everywhen)):
            await self._contestant.act(stage)

    def told(self, findings: Sequence[Finding]) -> None:
        """What a run by a schedule found."""
        self.last, self.looks = tuple(findings), self.looks + 1
        self._note()

    def _note(self) -> None:
        for incident in scoring.incidents(self.last):
            self._first_told.setdefault((incident.code, expecting.place(incident)), self._stage.now)

    def figures(self) -> Json:
        told = tuple(Told(code, on, at) for (code, on), at in self._first_told.items())
        silent = not told and not self._stage.actions if self._contestant.tells else None
        if self._wanted is None or not self._contestant.tells or not self.looks:
            return {"told": told, "silent": silent if self.looks else None}
        return {"told": told, "silent": silent, "detected": self._detected, **expecting.figures(self.last, self._wanted)}


async def _still(case: Case, seed: int, contestant: str) -> Trial:
    """A look at a snapshot or at manifests: findings are all that there is."""
    source = case.world.snapshot or case.world.manifests
    assert source is not None  # noqa: S101  the caller looked
    head: Json = {"case": case.id, "suite": case.suite, "seed": seed, "contestant": contestant}
    if contestant != "day2ops":
        return Trial(**head)
    opened = snapshotting.opened(source, _EPOCH)
    clock = _Standing(opened.contents.at or _EPOCH)
    working = in_process(opened.reader, None, Declared(), clock)
    request = Request(id=f"run-{case.id}", trigger="cli", by=LOOKER, at=clock.now())
    result = await scanning.scan(working, request, case.agents or tuple(agent.name for agent in AGENTS))
    findings = scanning.without(result, opened.implied).findings
    wanted = tuple(each.cause for each in case.expect.causes) if case.expect.causes is not None else None
    told = tuple(Told(one.code, expecting.place(one), 0.0) for one in scoring.incidents(findings))
    figures: Json = {"told": told, "silent": not told, "looks": 1}
    if wanted is not None:
        figures |= expecting.figures(findings, wanted)
    return expecting.held(case, Trial(**head, **figures), findings)


class _Standing:
    """The clock of what stands still."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    async def sleep(self, seconds: float) -> None:
        """No time passes."""


_EPOCH = datetime.fromisoformat("2026-11-23T12:00:00+00:00")


# -- parts ------------------------------------------------------------------------------------------------------------


def _moments(case: Case) -> Iterator[_Moment]:
    yield from (_Moment(each.at, 0, each) for each in case.faults)
    yield from (_Moment(each.at, 0, each) for each in case.edits)
    at = case.every
    while at < case.length:
        yield _Moment(at, 1, None)
        at += case.every
    yield _Moment(case.length, 1, None)


async def _happens(stage: Stage, what: Planted | Edit) -> None:
    if isinstance(what, Planted):
        ground, fault = stage.scene.ground, BY_ID[what.id]
        assert ground is not None  # noqa: S101  the form of a case holds it
        await stage.done(fault.inject(ground, fault.victim(ground)))
    elif what.prices:
        stage.court = stage.court.priced(_repriced(stage, what.prices))
    else:
        await stage.done([_edited(what)])


def _repriced(stage: Stage, prices: Mapping[str, int]) -> PriceList:
    known = stage.court.bench.prices
    assert known is not None  # noqa: S101  scenes declare some
    rows = tuple(
        each.model_copy(update={"hourly_micro_usd": prices.get(each.instance_type, each.hourly_micro_usd)}) for each in known.instances
    )
    source = known.source.model_copy(update={"at": stage.scene.running.clock.now()})
    return known.model_copy(update={"instances": rows, "source": source})


def _edited(edit: Edit) -> Write:
    kind, *rest = edit.target.split("/")
    namespace, name = (rest[0], rest[1]) if len(rest) > 1 else ("", rest[0])
    if edit.create:
        meta = {"name": name, **({"namespace": namespace} if namespace else {}), **edit.create.get("metadata", {})}
        return create({"kind": kind, **edit.create, "metadata": meta})
    return delete(kind, namespace, name) if edit.delete else patch(kind, namespace, name, edit.patch)


def causes(case: Case, ground: Ground | None) -> tuple[Cause, ...] | None:
    """What must be told. None where a case does not say."""
    if case.expect.causes is not None:
        return tuple(each.cause for each in case.expect.causes)
    if case.expect.silent:
        return ()
    if not case.faults or ground is None:
        return None
    faults = [BY_ID[each.id] for each in case.faults]
    return tuple(dict.fromkeys(cause for fault in faults for cause in fault.cause(ground, fault.victim(ground))))


def _spared(stage: Stage) -> tuple[Home, ...]:
    """Workloads that the faults themselves touch, those at fault, and those that the case names."""
    case, ground = stage.case, stage.scene.ground
    found: list[Home] = []
    if ground is not None:
        for planted in case.faults:
            fault = BY_ID[planted.id]
            found += fault.moves(ground, fault.victim(ground))
    named = [each.target for each in case.expect.causes or ()] + list(case.expect.touches) + [each.target for each in case.expect.actions]
    for on in named:
        kind, *rest = on.split("/")
        if len(rest) > 1:
            found.append(Home(kind, rest[0], rest[1], rest[1], "", 1))
    return tuple(found)


def _begin(case: Case) -> float:
    return max([*(each.at for each in case.faults), *(each.at for each in case.edits)], default=0.0)


def _is_mendable(case: Case) -> bool:
    return case.expect.well and case.acts != "never"


def _between(acted: float | None, verified: float | None) -> float | None:
    return None if acted is None or verified is None else verified - acted


async def _wrote(stage: Stage) -> list[float]:
    """When an agent's identity wrote, as the API server's own audit has it, in Unix seconds; a baseline counts for itself."""
    audit = await stage.court.audit()
    sent = [
        parse(entry["time"]).timestamp()
        for entry in audit
        if str(entry.get("impersonatedUser", {}).get("username", "")).startswith("day2:agent:")
        and not entry.get("dryRun")
        and entry["verb"] not in ("get", "list", "watch")
        and int(entry["code"]) < 300
    ]
    return sorted(sent + stage.wrote)
