"""Each fault as actions of the catalogue, in the order in which they are done. The gate judges and undoes them like any other action."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from agents.reliability.experiments import scenes
from agents.reliability.experiments.choosing import Choice
from agents.reliability.experiments.scenes import Scene
from core.actions.containers import FIELDS, Sizes, Sizing, find
from core.actions.cordon_node import CordonNode
from core.actions.cut_network import CutNetwork
from core.actions.delete_pod import DeletePod
from core.actions.edit_config import EditConfig
from core.actions.scale_workload import ScaleWorkload
from core.actions.set_image import ImageChange, SetImage
from core.actions.set_requests import SetRequests
from core.domain.action import Action, Change, Live
from core.domain.errors import Conflict, InvalidInput
from core.domain.evidence import observe
from core.domain.proposal import Effect, Proposal, Trial
from core.domain.target import Target
from core.domain.values import Json, at_path, bounded, digest, identifier
from core.policy import experiments as documents
from core.policy.experiments import Experiment

AGENT = "reliability"
GOOD_FOR = timedelta(hours=1)


class Part(NamedTuple):
    """One action with the object it acts on."""

    action: Action
    live: Live


class Ids(NamedTuple):
    """The same experiment gives the same ids: what is submitted again after a crash is the same action."""

    experiment: str
    cluster: str

    def target(self, item: Json) -> Target:
        return scenes.target(self.cluster, item)

    def action(self, kind: str, item: Json) -> str:
        return identifier("act", self.experiment, kind, item["metadata"]["uid"])


def parts(experiment: Experiment, scene: Scene, choice: Choice, identity: str) -> tuple[Part, ...]:
    """Raises InvalidInput with the mend for a fault that the object as it stands has no room for."""
    try:
        return _FAULTS[type(experiment.fault)](experiment.fault, scene, choice, Ids(identity, scene.cluster))
    except (Conflict, ValueError) as error:
        raise InvalidInput(f"{experiment.fault.kind}: {error}", mend="day2 chaos validate FILE shows what stands there") from error


def proposals(experiment: Experiment, found: tuple[Part, ...], identity: str, now: datetime) -> tuple[Proposal, ...]:
    """Marked as this experiment's, so that rules ask more of them."""
    trial = Trial(id=identity, seconds=experiment.seconds)
    return tuple(_proposal(experiment, part, trial, now) for part in found)


def _proposal(experiment: Experiment, part: Part, trial: Trial, now: datetime) -> Proposal:
    action = part.action
    changes: tuple[Change, ...] = action.changes(part.live)
    seen = observe("object", action.target, "metadata.uid", action.target.uid, now)
    back = "taken back when its lease ends" if action.reversible else "its controller makes another"
    return Proposal(
        action=action,
        agent=AGENT,
        run=trial.id,
        why=bounded(f"experiment {experiment.name} ({experiment.fault.kind}): {experiment.why}", 400),
        evidence=(seen,),
        effect=Effect(summary=f"a fault for {trial.seconds} s at most; {back}"),
        changes=changes,
        expires_at=now + GOOD_FOR,
        experiment=trial,
    )


def journal(found: Sequence[Proposal]) -> list[Json]:
    """What will be done and how it goes back, small enough for one record. Exact texts stand in each action's own undo permit."""
    return [
        {"id": row.action.id, "do": bounded(row.action.sentence(), 160), "undo": bounded(_back(row), 160), "uid": row.action.target.uid}
        for row in found
    ]


def _back(proposal: Proposal) -> str:
    if not proposal.action.reversible:
        return "none: its controller makes another"
    return "; ".join(f"{change.path} = {change.old}" for change in proposal.changes)


def _kill(fault: Any, scene: Scene, choice: Choice, ids: Ids) -> tuple[Part, ...]:  # noqa: ARG001 - every fault is asked the same way
    return tuple(_deletion(pod, ids, getattr(fault, "grace", None)) for pod in choice.pods)


def _deletion(pod: Json, ids: Ids, grace: int | None = None) -> Part:
    owner = next(item for item in pod["metadata"]["ownerReferences"] if item.get("controller"))
    action = DeletePod(
        id=ids.action("delete_pod", pod), target=ids.target(pod), from_owner=f"{owner['kind']}/{owner['name']}", grace_seconds=grace
    )
    return Part(action, Live(pod, {}))


def _cordon(fault: Any, scene: Scene, choice: Choice, ids: Ids) -> tuple[Part, ...]:  # noqa: ARG001
    node = choice.node or {}
    return (Part(CordonNode(id=ids.action("cordon_node", node), target=ids.target(node)), Live(node, {})),)


def _drain(fault: Any, scene: Scene, choice: Choice, ids: Ids) -> tuple[Part, ...]:
    return (*_cordon(fault, scene, choice, ids), *_kill(fault, scene, choice, ids))


def _press(fault: documents.CpuPressure | documents.MemoryPressure, scene: Scene, _: Choice, ids: Ids) -> tuple[Part, ...]:
    """By a lower limit. Never under the request, which other rules and the scheduler rest on."""
    spec = at_path(scene.workload, "spec.template.spec") or {}
    container = find(spec, fault.container or str(spec["containers"][0]["name"])).container
    cpu, memory, cpu_limit, memory_limit = (field.amount(container) for field in FIELDS)
    if isinstance(fault, documents.CpuPressure):
        asked, wanted, seen, unit = cpu, fault.cpu, Sizes(cpu_limit_milli=cpu_limit), "m"
        to = Sizes(cpu_limit_milli=wanted)
    else:
        asked, wanted, seen, unit = memory, fault.memory, Sizes(memory_limit_mib=memory_limit), "Mi"
        to = Sizes(memory_limit_mib=wanted)
    if asked is not None and wanted < asked:
        raise ValueError(f"{container['name']} asks for {asked}{unit}, and a limit of {wanted}{unit} would be under that")
    sizing = Sizing(container=container["name"], from_sizes=seen, to_sizes=to)
    action = SetRequests(id=ids.action("set_requests", scene.workload), target=ids.target(scene.workload), sizings=(sizing,))
    return (Part(action, Live(scene.workload, {})),)


def _cut(fault: documents.NetworkCut, scene: Scene, _: Choice, ids: Ids) -> tuple[Part, ...]:
    identity = ids.action("cut_network", scene.workload)
    action = CutNetwork(id=identity, target=ids.target(scene.workload), directions=fault.directions)
    return (Part(action, Live(scene.workload, {})),)


def _corrupt(fault: documents.ConfigCorruption, scene: Scene, _: Choice, ids: Ids) -> tuple[Part, ...]:
    config, workload = scene.config or {}, scene.workload
    action = EditConfig(
        id=ids.action("edit_config", config),
        target=ids.target(config),
        key=fault.key,
        from_digest=digest(config["data"][fault.key]),
        value=fault.value,
        reader_kind=workload["kind"],
        reader=scenes.name(workload),
    )
    return (Part(action, Live(config, {scenes.name(workload): workload})),)


def _down(fault: documents.DependencyDown, scene: Scene, _: Choice, ids: Ids) -> tuple[Part, ...]:  # noqa: ARG001
    other = scene.other or {}
    identity = ids.action("scale_workload", other)
    action = ScaleWorkload(id=identity, target=ids.target(other), from_replicas=scenes.replicas(other), to_replicas=0)
    return (Part(action, Live(other, {})),)


def _unpullable(fault: documents.ImagePullFailure, scene: Scene, _: Choice, ids: Ids) -> tuple[Part, ...]:
    spec = at_path(scene.workload, "spec.template.spec") or {}
    container = find(spec, fault.container or str(spec["containers"][0]["name"])).container
    image = ImageChange(container=container["name"], from_image=container["image"], to_image=fault.image)
    action = SetImage(id=ids.action("set_image", scene.workload), target=ids.target(scene.workload), images=(image,))
    return (Part(action, Live(scene.workload, {})),)


_FAULTS: dict[type, Callable[[Any, Scene, Choice, Ids], tuple[Part, ...]]] = {
    documents.PodKill: _kill,
    documents.NodeCordon: _cordon,
    documents.NodeDrain: _drain,
    documents.CpuPressure: _press,
    documents.MemoryPressure: _press,
    documents.NetworkCut: _cut,
    documents.ConfigCorruption: _corrupt,
    documents.DependencyDown: _down,
    documents.ImagePullFailure: _unpullable,
}
