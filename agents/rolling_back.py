"""The plan to put a Deployment back on the revision that worked. Shared by the agents whose findings began with a rollout."""

from datetime import timedelta

from agents.desk import Desk
from agents.proposing import propose
from agents.remedies import roll_back
from agents.reporting import counted
from agents.workloads import PROVEN, SUSPECT, Rollout, rollout_of
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


def _record(rollout: Rollout) -> str:
    if rollout.previous is None:
        return "no earlier revision is known"
    ready, hours = rollout.previous.status.ready_replicas, rollout.proven_seconds / 3600
    served = f"was current for {hours:.0f} h" if rollout.proven_seconds >= PROVEN.total_seconds() else "was current before"
    return f"the revision before {served}, with {counted(ready, 'pod')} ready now"
