"""Cases of the evaluations on the real control plane, all of them side by side: each on a ground of its own, named by a suffix.

What is expected of a trial, and how what was told and done is kept, is the evaluations' own (`evals.running`); only the cluster is another.

Everything is real but the nodes and the waiting: patience of detectors and the time that a verification watches are passed by moving our
own clock ahead, while what is looked at stands in the real API server at that moment.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agents.catalogue import AGENTS
from core.cluster.queries import Query, Sample, Series
from core.cluster.reading import Metrics
from core.domain.finding import Finding
from core.domain.proposal import Proposal
from core.domain.request import Request
from evals.cases.case import Case
from evals.contestants import product
from evals.faults import scoring, trials
from evals.running import expecting, lives
from evals.running.trial import Judged, Told, Trial
from runtime.arbitrating import arbitrated
from runtime.roles import judged
from runtime.roles.judged import Court
from runtime.services import scanning
from runtime.services.scanning import Scan
from simulator.faults import ground as grounds
from simulator.faults import oracle
from simulator.faults.fault import Cause, Fault
from simulator.faults.ground import Ground, Home
from simulator.faults.table import BY_ID
from simulator.faults.writes import Write, path
from tests.cluster.access import identities
from tests.controlplane.rig import ControlPlane, node
from tools.kubernetes import config, transport
from tools.metrics.prometheus import PrometheusMetrics

Json = dict[str, Any]
AHEAD = 1500
"""Seconds: every detector's patience but those of the most patient."""
PATIENCE_SECONDS, SETTLING_SECONDS = 75.0, 150.0
"""Of the real clock. Who makes pods asks again ever more seldom while a quota refuses them: what has to be well by then has this long."""
LARGE = {"cpu": "48", "memory": "192Gi", "pods": "400"}
NODES = 8
LONGEST_WRITE = 3.0
"""Seconds between two writes of one fault, at most: controllers here need no longer to see the first."""
GRANTS = {agent.name: agent.capabilities for agent in AGENTS}


PEOPLE = (*trials.PEOPLE, "third-approver@example.com", "fourth-approver@example.com")
"""So many actions of one run ask a person each, and nobody is shown more than 20 cards an hour."""


class Ahead:
    """A clock that runs with the real one, so much ahead. Whoever may wait moves it on instead."""

    def __init__(self) -> None:
        self.by = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by

    async def sleep(self, seconds: float) -> None:
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        """The control plane gets a moment of its own time."""
        begun = time.monotonic()
        time.sleep(min(seconds, 1.0))
        self.by += timedelta(seconds=max(0.0, seconds - (time.monotonic() - begun)))


@dataclass(frozen=True)
class Behind:
    """Metrics asked at a time ahead answer for the real now."""

    metrics: Metrics
    clock: Ahead

    async def instant(self, query: Query, at: datetime) -> tuple[Sample, ...]:
        return await self.metrics.instant(query, at - self.clock.by)

    async def range(self, query: Query, start: datetime, end: datetime, step_seconds: int) -> tuple[Series, ...]:
        return await self.metrics.range(query, start - self.clock.by, end - self.clock.by, step_seconds)


@dataclass(frozen=True)
class Stand:
    """One case on its ground. `spaces` are the namespaces that its fault needs; only they are made."""

    case: Case
    ground: Ground

    @property
    def fault(self) -> Fault:
        return BY_ID[self.case.faults[0].id]

    @property
    def home(self) -> Home:
        return self.fault.victim(self.ground)

    @property
    def spaces(self) -> tuple[str, ...]:
        moved = self.fault.moves(self.ground, self.home)
        blamed = self.fault.cause(self.ground, self.home)
        own = [*(each.namespace for each in (self.home, *moved, *blamed))]
        return tuple(name for name in self.ground.namespaces if name in own)

    @property
    def causes(self) -> tuple[Cause, ...]:
        return lives.causes(self.case, self.ground) or ()

    @property
    def acts(self) -> bool:
        return self.case.acts != "never"

    def owns(self, finding: Finding) -> bool:
        subject = finding.subject
        named = subject.name.endswith(self.ground.suffix) or any(scoring.is_on(cause, finding) for cause in self.causes)
        return subject.namespace in self.spaces or (not subject.namespace and named)


@dataclass
class Came:
    """What came of it. `broke` says why the fault could not be done at all, `quiet` what was told of the ground before."""

    broke: str = ""
    quiet: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    actions: list[Judged] = field(default_factory=list)
    ills: tuple[str, ...] = ()
    harmed: tuple[str, ...] = ()

    def trial(self, stand: Stand) -> Trial:
        """As the evaluations keep one, with all that it missed."""
        told = tuple(Told(one.code, expecting.place(one), 0.0) for one in scoring.incidents(self.findings))
        case = stand.case
        came = Trial(
            case=case.id,
            suite=case.suite,
            seed=stand.ground.seed,
            contestant="day2ops",
            broke=self.broke,
            told=told,
            **expecting.figures(self.findings, stand.causes),
            actions=tuple(self.actions),
            ills=self.ills,
            harmed=self.harmed,
            looks=1,
        )
        return expecting.held(case, came, self.findings)


def stands(cases: Sequence[Case], seed: int = 1) -> list[Stand]:
    return [Stand(case, grounds.drawn(seed, suffix=f"-f{number}", autoscaled=False)) for number, case in enumerate(cases)]


# -- grounds ----------------------------------------------------------------------------------------------------------


def lay(plane: ControlPlane, found: Sequence[Stand]) -> None:
    """Nodes for all, then each ground; back when every pod is ready."""
    plane.add_nodes(NODES, prefix="general", capacity=LARGE)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda case: _made(plane, case), found))
    plane.until(lambda: not _unready(plane), "all pods of all grounds", timeout_seconds=120)


def _made(plane: ControlPlane, case: Stand) -> None:
    if case.home == case.ground.batch:
        for name in case.ground.pool:
            plane.request("POST", path("Node"), _pool_node(name, case.ground)).raise_for_status()
    for manifest in case.ground.manifests:
        meta = manifest["metadata"]
        space = meta["name"] if manifest["kind"] == "Namespace" else meta.get("namespace") or manifest_space(manifest, case)
        if space in case.spaces:
            plane.request("POST", path(manifest["kind"], meta.get("namespace", "")), manifest).raise_for_status()


def manifest_space(manifest: Json, case: Stand) -> str:
    """Of what has no namespace: whose it is."""
    return case.ground.files.namespace if manifest["kind"] == "PersistentVolume" else case.ground.front.namespace


def _pool_node(name: str, ground: Ground) -> Json:
    label = f"batch{ground.suffix}"
    body = node(name, zone="zone-a", capacity={"cpu": "8", "memory": "32Gi"}, labels={"pool": label})
    return {**body, "spec": {"taints": [{"key": label, "value": "only", "effect": "NoSchedule"}]}}


def _unready(plane: ControlPlane) -> list[str]:
    items = (item for kind in ("Deployment", "StatefulSet") for item in plane.get(path(kind))["items"])
    return [item["metadata"]["name"] for item in items if item.get("status", {}).get("readyReplicas", 0) < item["spec"]["replicas"]]


def inject(plane: ControlPlane, case: Stand) -> None:
    for write in case.fault.inject(case.ground, case.home):
        time.sleep(min(write.after_seconds, LONGEST_WRITE))
        send(plane, write)


def send(plane: ControlPlane, write: Write) -> None:
    """A write that meets a conflict is sent again: its author would have done so."""
    for _ in range(5):
        answer = plane.request(write.method, write.path, write.body, content_type=write.content_type)
        if answer.status_code != 409:
            break
        time.sleep(0.2)
    if not answer.is_success:
        raise RuntimeError(f"{write.method} {write.path}: {answer.text[:400]}")


def seen(plane: ControlPlane) -> dict[str, list[Json]]:
    return {kind: plane.get(path(kind))["items"] for kind in oracle.KINDS}


def of(everything: Mapping[str, Sequence[Json]], case: Stand) -> dict[str, list[Json]]:
    """What belongs to one ground; nodes are shared."""
    return {
        kind: [item for item in items if item["metadata"].get("namespace") in case.spaces or kind == "Node"]
        for kind, items in everything.items()
    }


# -- looking and mending ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def court(plane: ControlPlane, folder: Path, clock: Ahead, kubeconfigs: Mapping[str, Path]) -> AsyncIterator[Court]:
    async with AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(transport.connect(config.load(file), connections=20))
            for name, file in kubeconfigs.items()
        }
        metrics = Behind(PrometheusMetrics(plane.prometheus_url), clock)
        yield judged.joined(clients, metrics, clock, trials.DECLARED, held=folder)


def rights(plane: ControlPlane, folder: Path) -> dict[str, Path]:
    return identities(plane, folder, GRANTS)


async def look(found: Court, run: str) -> Scan:
    request = Request(id=run, trigger="cli", by=trials.REQUESTER, at=found.agents.clock.now())
    return await scanning.scan(found.agents, request, tuple(agent.name for agent in AGENTS))


def part(result: Scan, stand: Stand) -> Scan:
    """What is told of one ground, and proposed for that."""
    findings = tuple(one for one in result.findings if stand.owns(one))
    ids = {one.id for one in findings}
    return result._replace(findings=findings, proposals=tuple(each for each in result.proposals if ids & set(each.findings)))


@dataclass
class Proof:
    """The whole of it, step by step; `came` is what came of each case."""

    plane: ControlPlane
    found: Sequence[Stand]
    clock: Ahead = field(default_factory=Ahead)
    came: dict[str, Came] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    before: dict[str, list[Json]] = field(default_factory=dict)
    proposals: list[tuple[Stand, Proposal]] = field(default_factory=list)

    async def lived(self, court: Court) -> dict[str, Came]:
        self.came = {stand.case.id: Came() for stand in self.found}
        for step in (self._healthy, self._broken, self._looked, self._mended, self._outlived):
            begun = time.monotonic()
            await step(court)
            self.took[step.__name__] = time.monotonic() - begun
        return self.came

    async def _healthy(self, court: Court) -> None:
        self.before = seen(self.plane)
        self.clock.by = timedelta(seconds=AHEAD)
        result = await look(court, "healthy")
        for stand in self.found:
            self.came[stand.case.id].quiet = tuple(map(scoring.shown, scoring.incidents(part(result, stand).findings)))

    async def _broken(self, _: Court) -> None:
        with ThreadPoolExecutor(12) as pool:
            for stand, broke in zip(self.found, pool.map(self._tried, self.found), strict=True):
                self.came[stand.case.id].broke = broke

    def _tried(self, stand: Stand) -> str:
        try:
            inject(self.plane, stand)
        except RuntimeError as broken:
            return str(broken)
        return ""

    async def _looked(self, court: Court) -> None:
        """Those whose detectors are the most patient last."""
        for seconds in sorted({stand.case.length for stand in self.found}):
            group = [stand for stand in self.found if stand.case.length == seconds]
            self.clock.by = timedelta(seconds=seconds)
            end = time.monotonic() + PATIENCE_SECONDS
            while True:
                result = await look(court, f"broken-{seconds:.0f}")
                for stand in group:
                    self.came[stand.case.id].findings = part(result, stand).findings
                if all(self._is_right(stand) for stand in group) or time.monotonic() > end:
                    break
                await asyncio.sleep(1)
            for stand in group:
                if stand.acts:
                    self.proposals += [(stand, each) for each in await _winners(court, part(result, stand))]

    def _is_right(self, stand: Stand) -> bool:
        found = scoring.diagnosed(self.came[stand.case.id].findings, stand.causes)
        return found.right and not found.elsewhere

    async def _mended(self, court: Court) -> None:
        proposals = [proposal for _, proposal in self.proposals]
        rows = await court.mend(proposals, by=trials.REQUESTER, people=PEOPLE, pass_time=self.clock.pass_time)
        for (stand, _), row in zip(self.proposals, rows, strict=True):
            self.came[stand.case.id].actions.append(product.told(court, row))
        await self._settled()
        cured = seen(self.plane)
        for stand, _ in self.proposals:
            spared = stand.fault.moves(stand.ground, stand.home)
            self.came[stand.case.id].harmed = oracle.harmed(of(self.before, stand), of(cured, stand), spared)

    async def _outlived(self, _: Court) -> None:
        """A cure outlives a pod of the workload that was mended."""
        cured = seen(self.plane)
        for stand in {stand.case.id: stand for stand, _ in self.proposals}.values():
            if name := oracle.one_pod_of(of(cured, stand), stand.home):
                self.plane.request("DELETE", path("Pod", stand.home.namespace, name))
        await asyncio.sleep(2)
        await self._settled()

    async def _settled(self) -> None:
        """Until the oracle has nothing more to say of what must be well, or time is up."""
        end = time.monotonic() + SETTLING_SECONDS
        while True:
            now = seen(self.plane)
            for stand in self.found:
                self.came[stand.case.id].ills = oracle.ills(of(now, stand), stand.spaces)
            if not any(self.came[stand.case.id].ills for stand in self.found if stand.case.expect.well) or time.monotonic() > end:
                return
            await asyncio.sleep(1)


async def _winners(court: Court, result: Scan) -> Sequence[Proposal]:
    """Of one ground, as arbitration has it."""
    severities = {finding.id: finding.severity for finding in result.findings}
    bench = court.bench
    return (await arbitrated(bench.ledger, court.agents.reader, bench.clock, trials.DECLARED, result.proposals, severities)).winners
