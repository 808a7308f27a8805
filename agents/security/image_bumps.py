"""A successor for an image that runs: the smallest workload first, the others once that one runs it well. Called by `day2 plan --bump`.

Which image succeeds another no agent can know: whoever built and scanned it says its digest. What is proposed goes the way of every other
change: judged, verified by the workload's own state, and taken back where it misses; then the others are never proposed.
"""

from agents.desk import Desk
from agents.proposing import GOOD_FOR, SERVES
from agents.remedies import as_json
from agents.reporting import counted, seen
from agents.workloads import Controlled, controlled, settled
from core.actions.set_image import ImageChange, SetImage
from core.cluster.objects import Container
from core.domain.action import Live
from core.domain.proposal import Effect, Proposal
from core.domain.values import bounded, identifier

AGENT = "security"


def bumps(desk: Desk, old: str, new: str) -> tuple[Proposal, ...]:
    """Empty where no workload's template has the old image as it is written. Raises ValueError for a successor without a digest."""
    behind = [workload for workload in controlled(desk.snapshot) if _of(workload, old)]
    ahead = [workload for workload in controlled(desk.snapshot) if _of(workload, new)]
    proven = [workload for workload in ahead if settled(workload) and workload.replicas > 0]
    if ahead and not proven:
        return ()  # the first one is still on its way, or does not come up
    chosen = behind if proven else sorted(behind, key=lambda workload: (workload.replicas, workload.name))[:1]
    return tuple(_proposal(desk, workload, old, new, proven, len(behind)) for workload in chosen)


def images(desk: Desk) -> frozenset[str]:
    """Every image that a workload's template names, as it is written there."""
    return frozenset(container.image for workload in controlled(desk.snapshot) for container in _containers(workload))


def _containers(workload: Controlled) -> tuple[Container, ...]:
    spec = workload.item.spec.template.spec
    return (*spec.init_containers, *spec.containers)


def _of(workload: Controlled, image: str) -> list[Container]:
    return [container for container in _containers(workload) if container.image == image]


def _proposal(desk: Desk, workload: Controlled, old: str, new: str, proven: list[Controlled], behind: int) -> Proposal:
    target, item = desk.snapshot.target(workload.kind, workload.item), workload.item
    changes = tuple(ImageChange(container=each.name, from_image=old, to_image=new) for each in _of(workload, old))
    identity = identifier("act", desk.run, "set_image", target.cluster, target.uid, new)
    action = SetImage(id=identity, target=target, images=changes)
    objective = desk.objectives.serving(target.namespace, SERVES[AGENT])
    why = (
        f"{proven[0].name} runs the successor well"
        if proven
        else f"the smallest of {counted(behind, 'workload')} first; the others follow it"
    )
    where = "spec.template.spec.containers[*].image"
    return Proposal(
        action=action,
        agent=AGENT,
        run=desk.run,
        why=bounded(f"A person names {new} as the successor of {old}: {why}.", 400),
        objective=objective.name if objective else "",
        priority=objective.priority if objective else 0,
        evidence=(seen(desk, workload.kind, item, where, old), *(seen(desk, one.kind, one.item, where, new) for one in proven[:1])),
        effect=Effect(summary=f"{counted(workload.replicas, 'pod')} start anew with the successor, and go back where they do not come up"),
        changes=action.changes(Live(as_json(item), {})),
        expires_at=desk.now + GOOD_FOR,
    )
