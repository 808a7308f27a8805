"""How planners turn an action into a proposal: who, why, for which objective, with which effect, until when. Called by every planner."""

from datetime import timedelta
from typing import Literal

from agents.desk import Desk
from agents.sizes import Size
from core.domain.action import Action, Change
from core.domain.evidence import Evidence
from core.domain.finding import Finding
from core.domain.money import Saving
from core.domain.proposal import Effect, Proposal
from core.domain.target import Target
from core.domain.values import bounded, identifier

Serves = Literal["reliability", "cost", "security", "performance"]
SERVES: dict[str, Serves] = {"finops": "cost", "reliability": "reliability", "security": "security", "scaling": "performance"}
NOTHING = Size()
GOOD_FOR = timedelta(hours=4)
"""A proposal rests on what was seen; after this long somebody must look again."""


def action_id(desk: Desk, finding: Finding, capability: str, target: Target) -> str:
    """The same finding in the same run gives the same id; the next run gives another, so that a change can be made again."""
    return identifier("act", desk.run, finding.code, capability, target.cluster, target.uid)


def propose(
    desk: Desk,
    finding: Finding,
    action: Action,
    changes: tuple[Change, ...],
    *,
    why: str,
    expect: str,
    saving: Saving | None = None,
    gpu_hours_per_day: int = 0,
    takes: Size = NOTHING,
    pods: int = 0,
    evidence: tuple[Evidence, ...] = (),
    good_for: timedelta = GOOD_FOR,
) -> Proposal:
    """`takes` and `pods` are what the cluster has less of afterwards; below zero it gets them back.

    `evidence` is added to the finding's own. The objective is the one in force for the agent's business in that namespace.
    """
    objective = desk.objectives.serving(finding.subject.namespace or finding.subject.name, SERVES[finding.agent])
    return Proposal(
        action=action,
        agent=finding.agent,
        run=desk.run,
        why=bounded(why, 400),
        objective=objective.name if objective else "",
        priority=objective.priority if objective else 0,
        findings=(finding.id,),
        evidence=(*finding.evidence, *evidence),
        effect=Effect(
            saving=saving,
            gpu_hours_per_day=gpu_hours_per_day,
            summary=bounded(expect, 300),
            capacity_cpu_milli=takes.cpu_milli,
            capacity_memory_mib=takes.memory_mib,
            capacity_gpus=takes.gpus,
            capacity_pods=pods,
        ),
        changes=changes,
        expires_at=desk.now + good_for,
    )
