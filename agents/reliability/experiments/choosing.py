"""Whether an experiment may begin here, and whom it may hit: every reason against it, and the pods within its limits."""

from typing import NamedTuple

from agents.reliability.experiments import scenes
from agents.reliability.experiments.scenes import Scene
from core.domain.values import Json, at_path
from core.policy import experiments as documents
from core.policy.experiments import Experiment

_ROLLING = (documents.CpuPressure, documents.MemoryPressure, documents.ImagePullFailure)
_PICKING = (documents.PodKill, documents.NodeDrain)


class Choice(NamedTuple):
    """`pods` are those that are hit one by one, `node` the one that is closed. With `refused`, nothing may begin."""

    pods: tuple[Json, ...] = ()
    node: Json | None = None
    refused: tuple[str, ...] = ()


def choose(experiment: Experiment, scene: Scene) -> Choice:
    place = _place(experiment, scene)
    if place or len(scene.workloads) != 1:
        return Choice(refused=(*place, *_subject(experiment, scene)))
    node = _node(experiment, scene)
    pods = _picked(experiment, scene, node) if isinstance(experiment.fault, _PICKING) else ()
    refused = (*_named(experiment, scene, node), *_blast(experiment, scene, pods))
    return Choice(pods, node, refused)


def most(experiment: Experiment, scene: Scene, *, of: Json | None = None) -> int:
    """Pods that may go at once: the least of the number, the share, and what each disruption budget allows."""
    workload = of or scene.workload
    share = scenes.replicas(workload) * experiment.blast.percent // 100
    marks = at_path(workload, "spec.template.metadata.labels") or {}
    allowed = [int(at_path(item, "status.disruptionsAllowed") or 0) for item in scene.budgets if _covers(item, marks)]
    return min((experiment.blast.pods, share, *allowed))


def _covers(budget: Json, marks: dict[str, str]) -> bool:
    """By its labels; one with expressions is taken as covering, for it may."""
    wanted = at_path(budget, "spec.selector.matchLabels") or {}
    return all(marks.get(key) == value for key, value in wanted.items())


def _place(experiment: Experiment, scene: Scene) -> tuple[str, ...]:
    space, found = experiment.target.namespace, []
    if space in scenes.SYSTEM:
        found.append(f"{space} is the cluster's or day2's own: no experiment ever runs there")
    if scene.namespace is None:
        found.append(f"there is no namespace {space}")
    elif not scenes.opened(scene.namespace):
        label = "=".join(scenes.OPEN)
        found.append(f"{space} is not open to experiments; its owners open it: kubectl label namespace {space} {label}")
    if scene.running:
        found.append(f"experiment {scene.running} has not ended, and two are never told apart: day2 chaos show {scene.running}")
    if scene.budget is None:
        found.append("the error budget is not known: errors were promised, and nobody measured them in the last hour")
    elif scene.budget < experiment.abort.budget:
        found.append(f"{scene.budget} % of the error budget of this hour is left, and {experiment.abort.budget} % is asked for")
    return tuple(found)


def _subject(experiment: Experiment, scene: Scene) -> tuple[str, ...]:
    wanted = experiment.target
    said = wanted.name or ",".join(f"{key}={value}" for key, value in sorted(wanted.labels.items()))
    if scene.namespace is None or len(scene.workloads) == 1:
        return ()
    if not scene.workloads:
        return (f"there is no {wanted.kind} {said} in {wanted.namespace}",)
    names = ", ".join(sorted(map(scenes.name, scene.workloads))[:5])
    return (f"{said} means {len(scene.workloads)} of {wanted.namespace} ({names}): one workload is hit at a time",)


def _node(experiment: Experiment, scene: Scene) -> Json | None:
    """The named one, or the open one with the most of the target's pods."""
    fault = experiment.fault
    if not isinstance(fault, documents.NodeCordon | documents.NodeDrain):
        return None
    if fault.node:
        return next((item for item in scene.nodes if scenes.name(item) == fault.node), None)
    able = [item for item in scene.nodes if scenes.opened(item) and not at_path(item, "spec.unschedulable")]
    return max(able, key=lambda item: (len(_on(scene, item)), scenes.name(item)), default=None)


def _on(scene: Scene, node: Json) -> list[Json]:
    return [pod for pod in scene.pods if at_path(pod, "spec.nodeName") == scenes.name(node)]


def _picked(experiment: Experiment, scene: Scene, node: Json | None) -> tuple[Json, ...]:
    """In the order of names, so that the same look picks the same pods."""
    fault, limit = experiment.fault, most(experiment, scene)
    able = [pod for pod in (_on(scene, node) if node else scene.pods) if scenes.ready(pod) and at_path(pod, "metadata.ownerReferences")]
    wanted = min(limit, fault.pods) if isinstance(fault, documents.PodKill) else limit
    picked: list[Json] = []
    for pod in sorted(able, key=scenes.name):
        taken = {scenes.zone(scene, other) for other in picked}
        if len(picked) < wanted and not (experiment.blast.spread and scenes.zone(scene, pod) in taken):
            picked.append(pod)
    return tuple(picked)


def _named(experiment: Experiment, scene: Scene, node: Json | None) -> tuple[str, ...]:
    """What the fault itself needs to be there."""
    match experiment.fault:
        case documents.NodeCordon(node=named) | documents.NodeDrain(node=named):
            if node is None:
                label = "=".join(scenes.OPEN)
                return (f"there is no node {named}" if named else f"no open node carries {label}: kubectl label node NODE {label}",)
            if not scenes.opened(node):
                return (f"node {scenes.name(node)} is not open to experiments; its owners label it {'='.join(scenes.OPEN)}",)
            return (f"node {scenes.name(node)} is closed already",) if at_path(node, "spec.unschedulable") else ()
        case documents.NetworkCut(directions=directions):
            let = [scenes.name(item) for item in scene.policies if _lets_through(item, scene.workload, directions)]
            return tuple(
                f"the NetworkPolicy {name} lets traffic of its pods through, and policies add up: nothing would be cut" for name in let
            )
        case documents.DependencyDown(workload=named, of=kind):
            return () if scene.other else (f"there is no {kind} {named} in {experiment.target.namespace}",)
        case documents.ConfigCorruption(map=named, key=key):
            held = at_path(scene.config or {}, "data") or {}
            return () if key in held else (f"there is no key {key} in a ConfigMap {named} of {experiment.target.namespace}",)
        case (
            documents.CpuPressure(container=named) | documents.MemoryPressure(container=named) | documents.ImagePullFailure(container=named)
        ):
            names = [str(item.get("name")) for item in at_path(scene.workload, "spec.template.spec.containers") or ()]
            return () if not named or named in names else (f"there is no container {named}; there are {', '.join(names)}",)
        case _:
            return ()


def _lets_through(policy: Json, workload: Json, directions: tuple[str, ...]) -> bool:
    """Whether it selects such pods, by labels as far as it uses them, and has a rule in a direction that would be cut."""
    marks = at_path(workload, "spec.template.metadata.labels") or {}
    wanted = at_path(policy, "spec.podSelector.matchLabels") or {}
    rules = [at_path(policy, f"spec.{direction.lower()}") for direction in directions]
    return any(rules) and all(marks.get(key) == value for key, value in wanted.items())


def _blast(experiment: Experiment, scene: Scene, pods: tuple[Json, ...]) -> tuple[str, ...]:
    fault = experiment.fault
    if isinstance(fault, documents.NodeCordon):
        return ()  # what runs stays
    hit = scene.other if isinstance(fault, documents.DependencyDown) and scene.other else scene.workload
    limit = most(experiment, scene, of=hit)
    if isinstance(fault, _PICKING):
        return () if pods else (f"no pod may be hit: {_limits(experiment, limit)}, and only Ready pods that are made again count",)
    touched = scenes.replicas(hit)
    if isinstance(fault, _ROLLING):  # its update strategy keeps the rest
        touched = min(touched, max(1, at_once(hit)))
    return () if touched <= limit else (f"{touched} pods of {scenes.name(hit)} would be hit at once: {_limits(experiment, limit)}",)


def _limits(experiment: Experiment, limit: int) -> str:
    blast = experiment.blast
    return f"{limit} may be (the least of {blast.pods} pods, {blast.percent} %, and what disruption budgets allow)"


def at_once(workload: Json) -> int:
    """Pods that a rolling update may take away at once."""
    kind = "updateStrategy" if workload["kind"] != "Deployment" else "strategy"
    if at_path(workload, f"spec.{kind}.type") == "Recreate":
        return scenes.replicas(workload)
    said = str(at_path(workload, f"spec.{kind}.rollingUpdate.maxUnavailable") or ("25%" if workload["kind"] == "Deployment" else 1))
    return scenes.replicas(workload) * int(said[:-1]) // 100 if said.endswith("%") else int(said)
