"""The plan to put a Deployment back on the revision that worked. Shared by the agents whose findings began with a rollout."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from agents.desk import Desk
from agents.proposing import propose
from agents.remedies import roll_back
from agents.reporting import counted
from agents.sizes import limited
from agents.workloads import PROVEN, SUSPECT, Rollout, rollout_of
from core.cluster.objects import Container
from core.domain.finding import Finding
from core.domain.proposal import Proposal


def plan(desk: Desk, finding: Finding, *, within: timedelta = SUSPECT) -> Proposal | None:
    """None where no earlier revision proved itself, or where the rollout is too old to be the cause."""
    rollout = rollout_of(desk.snapshot, finding.subject.uid)
    if rollout is not None and desk.now - rollout.started_at > within:
        return None
    remedy = roll_back(desk, finding, rollout) if rollout is not None else None
    if rollout is None or remedy is None:
        return None
    minutes = int((desk.now - rollout.started_at).total_seconds() // 60)
    return propose(
        desk,
        finding,
        *remedy,
        why=f"{finding.title}. It began with the rollout {minutes} minutes ago; {_record(rollout)}.",
        expect=f"{counted(rollout.workload.replicas, 'replica')} ready on the earlier revision within minutes; nothing else changes",
    )


def beside(desk: Desk, finding: Finding) -> Proposal | None:
    """Where pods of the revision before serve now and this one's do not: whatever is wrong with them, the rollout brought it."""
    rollout = rollout_of(desk.snapshot, finding.subject.uid)
    if rollout is None or rollout.previous is None or not rollout.previous.status.ready_replicas:
        return None
    return plan(desk, finding)


def of_probes(desk: Desk, finding: Finding) -> Proposal | None:
    """Where the rollout changed what kills the containers, though all of its pods came up first."""
    return plan(desk, finding) if _changed(desk, finding, _probes) else beside(desk, finding)


def of_memory(desk: Desk, finding: Finding) -> Proposal | None:
    """Where the rollout cut the limit that now is too small: the earlier one is known to be enough."""
    rollout = rollout_of(desk.snapshot, finding.subject.uid)
    if rollout is None or rollout.previous is None:
        return None
    now, before = (_limits(each.spec.template.spec.containers) for each in (rollout.current, rollout.previous))
    cut = any(0 < now[name] < before.get(name, 0) for name in now)
    return plan(desk, finding) if cut else None


def _changed(desk: Desk, finding: Finding, part: Callable[[Container], object]) -> bool:
    rollout = rollout_of(desk.snapshot, finding.subject.uid)
    if rollout is None or rollout.previous is None:
        return False
    now, before = ({one.name: part(one) for one in each.spec.template.spec.containers} for each in (rollout.current, rollout.previous))
    return now != before


def _probes(container: Container) -> object:
    return container.liveness_probe, container.startup_probe


def _limits(containers: Iterable[Container]) -> dict[str, int]:
    return {each.name: limited(each).memory_mib for each in containers}


def _record(rollout: Rollout) -> str:
    if rollout.previous is None:
        return "no earlier revision is known"
    ready, hours = rollout.previous.status.ready_replicas, rollout.proven_seconds / 3600
    served = f"was current for {hours:.0f} h" if rollout.proven_seconds >= PROVEN.total_seconds() else "was current before"
    return f"the revision before {served}, with {counted(ready, 'pod')} ready now"
