"""SEC-103: a rollout that made a workload privileged. Called by the table of this agent."""

from collections.abc import Iterator
from datetime import timedelta

from agents.desk import Desk
from agents.reporting import found, seen
from agents.security.privileged_pods import reaches
from agents.workloads import Rollout, rollouts
from core.cluster.pod_security import violations
from core.domain.finding import Finding, Severity

CODE = "SEC-103"
RECENT = timedelta(days=7)  # an older rollout is what people live with; going back that far is no small change


def detect(desk: Desk) -> Iterator[Finding]:
    for rollout in rollouts(desk.snapshot):
        if desk.now - rollout.started_at <= RECENT and (gained := gained_reach(rollout)):
            yield _finding(desk, rollout, gained)


def gained_reach(rollout: Rollout) -> tuple[str, ...]:
    """What the current revision reaches of the node that the one before did not. Nothing where there is no one before."""
    if rollout.previous is None:
        return ()
    before = set(reaches(rollout.previous.spec.template.spec))
    return tuple(path for path in reaches(rollout.current.spec.template.spec) if path not in before)


def _finding(desk: Desk, rollout: Rollout, gained: tuple[str, ...]) -> Finding:
    item, hours = rollout.workload.item, int((desk.now - rollout.started_at).total_seconds() // 3600)
    short = ", ".join(path.rpartition(".")[2] for path in gained)
    broken = violations(rollout.current.spec.template, "baseline")
    return found(
        desk,
        CODE,
        Severity.HIGH,
        desk.snapshot.target("Deployment", item),
        f"{item.metadata.name} became {short} with the rollout {hours} hours ago",
        f"Whoever enters one of its {rollout.workload.replicas} pods owns the node; the revision before did its work without that.",
        *(seen(desk, "ReplicaSet", rollout.current, f"spec.template.spec.{path}", "true") for path in gained),
        seen(desk, "ReplicaSet", rollout.current, "Pod Security Standard baseline", "; ".join(str(each) for each in broken[:4])),
    )
