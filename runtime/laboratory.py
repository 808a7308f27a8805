"""What an experiment reads and keeps, over the ports of its process: scene, looks, leases, record. Used by `experimenting`."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from agents.reliability.experiments import choosing, faults, probing, scenes, verdicts, weaknesses
from agents.reliability.experiments.scenes import Scene
from core.actions.catalogue import parse_proposal
from core.actions.checks import LEASE_SECONDS
from core.cluster.kinds import KINDS
from core.cluster.queries import Query, Sample, Shape
from core.cluster.reading import Metrics, ObjectReader
from core.domain.check import Look, Signal
from core.domain.clock import Clock
from core.domain.errors import Day2Error, InvalidInput
from core.domain.ledger import Ledger
from core.domain.objective import Objectives
from core.domain.outcome import ActionState
from core.domain.values import Json, at_path, bounded
from core.policy import experiments as documents
from core.policy.experiments import Experiment
from graph.state import Plain
from graph.trials import ExperimentState
from runtime.services import experiments

log = logging.getLogger(__name__)
HOUR = 3600
LOOK_SECONDS = 4.0
"""Of real time for one look: shorter than a lease, or a slow metrics source would end every experiment."""
RATE_SECONDS = 60


class Bench:
    """Implements `graph.trials.Laboratory`."""

    def __init__(self, ledger: Ledger, reader: ObjectReader, metrics: Metrics | None, clock: Clock, objectives: Objectives) -> None:
        self._ledger, self._reader, self._metrics, self._clock, self._objectives = ledger, reader, metrics, clock, objectives
        self._heard = experiments.Heard(ledger)

    async def plan(self, state: ExperimentState) -> Plain:
        experiment = documents.again(state["name"], state["spec"])
        scene = await self.scene(experiment, besides=state["id"])
        choice = choosing.choose(experiment, scene)
        refused, proposals = list(choice.refused), list[Json]()
        if not refused:
            try:
                parts = faults.parts(experiment, scene, choice, state["id"])
                found = faults.proposals(experiment, parts, state["id"], self._clock.now())
                proposals = [proposal.model_dump(mode="json") for proposal in found]
            except (InvalidInput, Day2Error) as error:
                refused = [str(error)]
        return {"refused": refused, "target": scenes.name(scene.workload) if scene.workloads else "", "proposals": proposals}

    async def scene(self, experiment: Experiment, *, besides: str = "") -> Scene:
        """As it stands now. Raises Unavailable or NotAuthorised for what cannot be read."""
        wanted, fault, read = experiment.target, experiment.fault, self._reader
        space, kind = wanted.namespace, KINDS[wanted.kind]
        found = await read.list(kind, space, labels=wanted.labels or None) if wanted.labels else [await read.get(kind, space, wanted.name)]
        workloads = tuple(_whole(item, wanted.kind) for item in found if item is not None)
        scalers = await read.list(KINDS["HorizontalPodAutoscaler"], space)
        other = config = None
        if isinstance(fault, documents.DependencyDown):
            other = await read.get(KINDS[fault.of], space, fault.workload)
        if isinstance(fault, documents.ConfigCorruption):
            config = await read.get(KINDS["ConfigMap"], space, fault.map)
        return Scene(
            cluster=await read.cluster_uid(),
            namespace=await read.get(KINDS["Namespace"], "", space),
            workloads=workloads,
            pods=tuple(await self._pods(workloads[0])) if workloads else (),
            nodes=tuple(_whole(item, "Node") for item in await read.list(KINDS["Node"])),
            budgets=tuple(await read.list(KINDS["PodDisruptionBudget"], space)),
            policies=tuple(await read.list(KINDS["NetworkPolicy"], space)),
            autoscaled=any(at_path(item, "spec.scaleTargetRef.name") in map(scenes.name, workloads) for item in scalers),
            other=_whole(other, getattr(fault, "of", "")) if other else None,
            config=_whole(config, "ConfigMap") if config else None,
            running=next((row.id for row in experiments.unfinished(self._ledger) if row.id != besides), ""),
            budget=await self._budget(experiment),
        )

    async def look(self, state: ExperimentState) -> list[Plain]:
        experiment = documents.again(state["name"], state["spec"])
        view = probing.View({}, {})
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                view = await self._view(experiment, state["target"])
        except TimeoutError:
            log.warning("%s: a look took longer than %s s, and has no data", state["id"], LOOK_SECONDS)
        return [row._asdict() for row in probing.look(experiment, view, state["target"])]

    async def _view(self, experiment: Experiment, target: str) -> probing.View:
        names = {probing.workload_of(experiment, probe, target) for probe in experiment.hypothesis}
        pods = {name: await self._named_pods(experiment, name) for name in sorted(names)}
        metrics = [probe for probe in experiment.hypothesis if probe.metric is not None]
        return probing.View(pods, {probe.name: await self._samples(experiment, probe.metric) for probe in metrics if probe.metric})

    async def _named_pods(self, experiment: Experiment, name: str) -> Sequence[Json] | None:
        try:
            kinds = dict.fromkeys((experiment.target.kind, "Deployment", "StatefulSet", "DaemonSet"))
            for kind in kinds:
                if item := await self._reader.get(KINDS[kind], experiment.target.namespace, name):
                    return await self._pods(_whole(item, kind))
        except Day2Error as error:
            log.warning("the pods of %s: %s", name, error)
        return None

    async def _samples(self, experiment: Experiment, shape: Shape) -> Sequence[Sample] | None:
        if self._metrics is None:
            return None
        try:
            query = Query(shape, experiment.target.namespace, rate_seconds=RATE_SECONDS)
            return await self._metrics.instant(query, self._clock.now())
        except Day2Error as error:
            log.warning("%s: %s", shape, error)
            return None

    async def _pods(self, workload: Json) -> Sequence[Json]:
        """By its selector; those that ended are none of it."""
        chosen = at_path(workload, "spec.selector.matchLabels") or {}
        found = await self._reader.list(KINDS["Pod"], workload["metadata"]["namespace"], labels=chosen or None)
        return [_whole(pod, "Pod") for pod in found if at_path(pod, "status.phase") not in ("Succeeded", "Failed")] if chosen else ()

    async def budget(self, state: ExperimentState) -> int | None:
        return await self._budget(documents.again(state["name"], state["spec"]))

    async def _budget(self, experiment: Experiment) -> int | None:
        slo = self._objectives.slo(experiment.target.namespace)
        if not slo.error_per_mille:
            return 100
        if self._metrics is None:
            return None
        try:
            found = await self._metrics.instant(Query(Shape.ERROR_RATIO, experiment.target.namespace, rate_seconds=HOUR), self._clock.now())
        except Day2Error:
            return None
        return slo.budget_left(max(sample.value for sample in found)) if found else None

    def beat(self, actions: Sequence[str]) -> None:
        self._lease(actions, LEASE_SECONDS, "renewed")

    def release(self, actions: Sequence[str]) -> None:
        self._lease(actions, 0, "given up")

    def _lease(self, actions: Sequence[str], seconds: int, word: str) -> None:
        """The next look of each applied fault, which is what takes it back; of nothing else."""
        now = self._clock.now()
        until = now + timedelta(seconds=seconds)
        seen = (Look(signal=Signal.LEASE_HELD, held=seconds > 0, seen=f"{word} at {now:%H:%M:%S}"),)
        for name in actions:
            row = self._ledger.get(name)
            if row is not None and row.state is ActionState.APPLIED and Signal.LEASE_HELD in row.check:
                self._ledger.observe(name, looks=seen, next_look_at=until, at=now)

    def record(self, event: str, identity: str, body: Plain) -> None:
        self._ledger.record(role=experiments.ROLE, event=event, subject=identity, body=body, at=self._clock.now())

    def stopped(self, state: ExperimentState) -> str:
        scopes = ("all", f"agent={faults.AGENT}", f"namespace={(state['spec'].get('target') or {}).get('namespace')}")
        stops = (f"emergency stop of {row.scope} by {row.by}" for row in self._ledger.stops() if row.scope in scopes)
        return self._heard.stop(state["id"]) or next(stops, "")

    async def conclude(self, state: ExperimentState) -> Plain:
        experiment = documents.again(state["name"], state["spec"])
        course: Any = {name: state.get(name) for name in verdicts.Course.__annotations__}
        found = verdicts.verdict(experiment, course)
        weak: tuple[weaknesses.Weakness, ...] = ()
        if state["injected"]:
            scene = await self.scene(experiment, besides=state["id"])
            weak = weaknesses.found(experiment, scene, course["tallies"], state["id"], self._clock.now()) if scene.workloads else ()
        report = {
            "verdict": dict(found),
            "fault": experiment.fault.kind,
            "target": state.get("target", ""),
            "actions": [
                {"id": item.action.id, "kind": item.action.kind, "sentence": item.action.sentence()}
                for item in map(parse_proposal, state["proposals"])
            ],
            "tallies": state["tallies"],
            "ended": state["ended"],
            "undone_seconds": state.get("undone_seconds"),
            "recovered": state["recovered"],
            "recovered_seconds": state.get("recovered_seconds"),
            "leftovers": state["leftovers"],
            "findings": [item.finding.model_dump(mode="json") for item in weak],
            "proposals": [item.proposal.model_dump(mode="json") for item in weak if item.proposal],
        }
        self.record(experiments.FINISHED, state["id"], _summary(report))
        return report


def _summary(report: Mapping[str, Any]) -> Plain:
    """What the audit chain keeps: words, counts and ids."""
    verdict = report["verdict"]
    reasons = [bounded(reason, 200) for reason in verdict["reasons"][:5]]
    return {
        **verdict,
        "reasons": reasons,
        "recovered": report["recovered"],
        "undone_seconds": report["undone_seconds"],
        "leftovers": len(report["leftovers"]),
        "findings": [row["id"] for row in report["findings"]][:10],
    }


def _whole(item: Json, kind: str) -> Json:
    """Lists leave kind and version of their items out."""
    return {"apiVersion": KINDS[kind].api_version, "kind": kind, **item}
