"""The plan to put a Deployment back on the revision that worked. Shared by the agents whose findings began with a rollout."""

from datetime import timedelta

from agents.desk import Desk
from agents.proposing import propose
from agents.remedies import roll_back
from agents.reporting import counted
from agents.workloads import PROVEN, SUSPECT, Rollout, rollout_of
from core.domain.finding import Finding
from core.domain.proposal import Proposal

MIGRATION = "day2.dev/migration"
"""Annotation of a Deployment or its template: this revision migrates data (`schema-42`), so there is no way back without a person."""


def plan(desk: Desk, finding: Finding, *, within: timedelta = SUSPECT) -> Proposal | None:
    """None where no earlier revision proved itself, or where the rollout is too old to be the cause."""
    rollout = rollout_of(desk.snapshot, finding.subject.uid)
    return plan_for(desk, finding, rollout, within=within) if rollout is not None else None


def plan_for(desk: Desk, finding: Finding, rollout: Rollout, *, within: timedelta = SUSPECT) -> Proposal | None:
    """The same for a rollout that is not the finding's own subject. None too where either revision says that it migrated data."""
    remedy = roll_back(desk, finding, rollout) if desk.now - rollout.started_at <= within else None
    if remedy is None or migrates(rollout):
        return None
    minutes = int((desk.now - rollout.started_at).total_seconds() // 60)
    return propose(
        desk,
        finding,
        *remedy,
        why=f"{finding.title}. It began with the rollout {minutes} minutes ago; {_record(rollout)}.",
        expect=f"{counted(rollout.workload.replicas, 'replica')} ready on the earlier revision within minutes; nothing else changes",
    )


def migrates(rollout: Rollout) -> bool:
    """Whether people marked this workload, or its new template, as one that changes its data's form: the older code may not read it."""
    marked = (rollout.workload.item.metadata.annotations, rollout.current.spec.template.metadata.annotations)
    return any(annotations.get(MIGRATION, "").lower() not in ("", "false", "no", "none") for annotations in marked)


def _record(rollout: Rollout) -> str:
    if rollout.previous is None:
        return "no earlier revision is known"
    ready, hours = rollout.previous.status.ready_replicas, rollout.proven_seconds / 3600
    served = f"was current for {hours:.0f} h" if rollout.proven_seconds >= PROVEN.total_seconds() else "was current before"
    return f"the revision before {served}, with {counted(ready, 'pod')} ready now"
