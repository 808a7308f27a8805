"""What a failed probe says about the workload: a finding, with the catalogue's action where one mends it, else what a person should do."""

from datetime import datetime
from typing import NamedTuple

from agents.desk import Detector
from agents.reliability.experiments import scenes
from agents.reliability.experiments.faults import AGENT, GOOD_FOR
from agents.reliability.experiments.probing import Tallies, nothing
from agents.reliability.experiments.scenes import Scene
from core.actions.scale_workload import ScaleWorkload
from core.domain.action import Live
from core.domain.evidence import observe
from core.domain.finding import Finding, Severity, finding_id
from core.domain.proposal import Effect, Proposal
from core.domain.values import at_path, bounded, identifier
from core.policy.experiments import Experiment, Probe

CODE = "REL-191"
_ADVICE = {
    "pod_kill": "give it a second pod and a readiness probe, so that one may go unnoticed",
    "node_cordon": "leave room on other nodes, and let its pods run there",
    "node_drain": "spread its pods over nodes (topologySpreadConstraints), so that one node is not all of it",
    "cpu_pressure": "raise its CPU limit or shed load earlier; a limit this low is met at the next peak",
    "memory_pressure": "raise its memory limit over what it needs, or bound what it keeps in memory",
    "network_cut": "set timeouts and retries in its callers, and let them answer without it",
    "config_corruption": "check the configuration before it is used, and keep the last one that worked",
    "dependency_down": "answer without the dependency: timeouts, retries, a cache or a plain refusal",
    "image_pull_failure": "set maxUnavailable to 0 and a progress deadline, so that a bad image never takes a pod away",
}


LEARNED = Detector(
    CODE,
    "workload that an experiment broke",
    Severity.HIGH,
    "before an experiment has run, while its probes pass or fail less often in a row than ends it, and where no probe had data",
    ("ConfigMap", "Deployment", "PodDisruptionBudget", "StatefulSet"),
    lambda _: iter(()),
    looks="The probes of an experiment (day2 chaos run): one that failed as often in a row as ends it, and passed before the fault.",
    plan="A second pod, through `scale_workload`, where the loss of one was the loss of all and no autoscaler decides the number.",
    mend=" ".join(f"After {kind}: {advice}." for kind, advice in _ADVICE.items()),
    limits="Medium where the probe is not a critical one. Of a snapshot or a scan it is never told: it stands in the experiment's report.",
)
"""No look at a cluster finds this: it was tried."""


class Weakness(NamedTuple):
    finding: Finding
    proposal: Proposal | None


def found(experiment: Experiment, scene: Scene, tallies: Tallies, identity: str, now: datetime) -> tuple[Weakness, ...]:
    """One for each probe that failed as often in a row as ends an experiment. `scene` is from before the fault."""
    bad = [probe for probe in experiment.hypothesis if _fell(experiment, tallies, probe)]
    return tuple(_weakness(experiment, scene, tallies, probe, identity, now) for probe in bad)


def _fell(experiment: Experiment, tallies: Tallies, probe: Probe) -> bool:
    return (tallies.get(probe.name) or nothing())["longest"] >= experiment.abort.failures


def _weakness(experiment: Experiment, scene: Scene, tallies: Tallies, probe: Probe, identity: str, now: datetime) -> Weakness:
    subject, tally = scenes.target(scene.cluster, scene.workload), tallies[probe.name]
    looks = tally["passed"] + tally["failed"] + tally["missing"]
    seen = f"{tally['failed']} of {looks} looks: {tally['worst']}"
    evidence = observe("derived", subject, f"experiment {identity} probe {probe.name}", seen, now)
    finding = Finding(
        id=finding_id(CODE, subject),
        code=CODE,
        agent=AGENT,
        severity=Severity.HIGH if probe.severity == "critical" else Severity.MEDIUM,
        subject=subject,
        title=bounded(f"{experiment.fault.kind.replace('_', ' ')} breaks {probe.name}: {tally['worst']}", 200),
        matters=bounded(f"{experiment.why}. {_advice(experiment, scene)}", 300),
        evidence=(evidence,),
        at=now,
    )
    return Weakness(finding, _proposal(experiment, scene, finding, identity, now))


def _advice(experiment: Experiment, scene: Scene) -> str:
    marks = at_path(scene.workload, "spec.template.metadata.labels") or {}
    kept = any(
        all(marks.get(key) == value for key, value in (at_path(item, "spec.selector.matchLabels") or {}).items()) for item in scene.budgets
    )
    budget = "" if kept or experiment.fault.kind not in ("pod_kill", "node_drain") else "; and add a PodDisruptionBudget: it has none"
    return _ADVICE[experiment.fault.kind] + budget


def _proposal(experiment: Experiment, scene: Scene, finding: Finding, identity: str, now: datetime) -> Proposal | None:
    """A second pod, where the loss of one was all of it and no autoscaler decides the number."""
    workload = scene.workload
    alone = scenes.replicas(workload) == 1 and workload["kind"] in ("Deployment", "StatefulSet")
    if not alone or scene.autoscaled or experiment.fault.kind not in ("pod_kill", "node_drain", "image_pull_failure"):
        return None
    target = scenes.target(scene.cluster, workload)
    action = ScaleWorkload(id=identifier("act", identity, CODE, target.uid), target=target, from_replicas=1, to_replicas=2)
    seen = observe("object", target, "spec.replicas", "1", now)
    return Proposal(
        action=action,
        agent=AGENT,
        run=identity,
        why=bounded(f"{finding.title}. It runs as one pod, so the loss of one is the loss of all", 400),
        findings=(finding.id,),
        evidence=(*finding.evidence, seen),
        effect=Effect(summary="one pod goes on answering while another is lost", capacity_pods=1),
        changes=action.changes(Live(workload, {})),
        expires_at=now + GOOD_FOR,
    )
