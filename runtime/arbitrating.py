"""Arbitration over what stands now: recent actions from the ledger, free capacity and owners from one look at the cluster. Called by the
roles that plan and run; the proposers supply none of it.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence

from core.cluster.looking import ClusterReader
from core.cluster.snapshot import Snapshot
from core.domain.clock import Clock
from core.domain.errors import Day2Error
from core.domain.finding import Severity
from core.domain.ledger import Ledger
from core.domain.proposal import Proposal
from core.domain.target import Target
from core.policy import contention
from core.policy.arbitration import UNDOING_WITHIN, Arbitration, Surroundings, arbitrate, recent_from
from runtime.declared import Declared

log = logging.getLogger(__name__)
OWNERS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "HorizontalPodAutoscaler")


async def arbitrated(
    ledger: Ledger,
    reader: ClusterReader,
    clock: Clock,
    declared: Declared,
    proposals: Sequence[Proposal],
    severity_of: Mapping[str, Severity],
) -> Arbitration:
    """A cluster that cannot be read now limits nobody: the judge reads it again before anything is permitted."""
    around = Surroundings(severity_of=severity_of)
    if len(proposals) > 1:
        try:
            snapshot = await reader.snapshot((*contention.KINDS, *OWNERS))
        except Day2Error as error:
            log.warning("arbitrating without knowing what is free: %s", error)
        else:
            around = seen(snapshot, declared, proposals, severity_of)
    now = clock.now()
    return arbitrate(proposals, recent=recent_from(ledger.search(since=now - UNDOING_WITHIN)), now=now, around=around)


def seen(snapshot: Snapshot, declared: Declared, proposals: Sequence[Proposal], severity_of: Mapping[str, Severity]) -> Surroundings:
    """What one look says about the targets of these proposals, and about what is left in their namespaces and on the nodes."""
    targets = [proposal.action.target for proposal in proposals]
    namespaces = {target.namespace for target in targets if target.namespace}
    return Surroundings(
        workload_of=dict(_owners(snapshot, targets)),
        severity_of=severity_of,
        pools=contention.pools(snapshot, namespaces, declared.objectives, declared.prices),
    )


def _owners(snapshot: Snapshot, targets: Sequence[Target]) -> Iterator[tuple[str, str]]:
    """Of each pod and each autoscaler its workload."""
    for target in targets:
        item = snapshot.find(target.kind, target.namespace, target.name)
        if item is None or item.metadata.uid != target.uid:
            continue
        if target.kind == "Pod" and (owner := snapshot.workload_of(item)) is not None:
            yield target.uid, owner[1].metadata.uid
        if target.kind == "HorizontalPodAutoscaler":
            scaled = snapshot.find(item.spec.scale_target_ref.kind, target.namespace, item.spec.scale_target_ref.name)
            if scaled is not None:
                yield target.uid, scaled.metadata.uid
