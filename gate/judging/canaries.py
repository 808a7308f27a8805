"""Canaries: cards that no attentive person approves. Who approves one is tired, and is asked no more until another person resumes.

A canary looks like any other card and is marked only in the ledger. It names no object that exists, the judge never moves it to where an
executor looks, and the rules would deny it if it did.
"""

import logging
from uuid import NAMESPACE_URL, uuid5

from core.actions.catalogue import parse_proposal
from core.actions.scale_workload import ScaleWorkload
from core.domain.evidence import observe
from core.domain.facts import Facts
from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from core.domain.proposal import Effect
from core.domain.target import Target
from core.domain.values import canonical, digest
from core.domain.verdict import Decision, RuleResult, Verdict
from gate import stopping
from gate.approvals import Count
from gate.judging.sources import Bench

MARK = "canary"
ROLE = "judge"
log = logging.getLogger(__name__)


def place(bench: Bench, after: ActionRow) -> bool:
    """Behind some cards, by chance, a card that switches the cluster's name service off."""
    if not bench.canary_every:
        return False
    action_id = bench.ids.new("act")
    if int(digest(action_id)[:8], 16) % bench.canary_every:
        return False
    now = bench.clock.now()
    real = parse_proposal(after.proposal)
    cluster, uid = real.action.target.cluster, str(uuid5(NAMESPACE_URL, action_id))
    target = Target(cluster=cluster, group="apps", kind="Deployment", namespace="kube-system", name="cluster-dns", uid=uid)
    action = ScaleWorkload(id=action_id, target=target, from_replicas=3, to_replicas=0)
    proposal = real.model_copy(
        update={
            "action": action,
            "run": bench.ids.new("run"),
            "why": "it looks idle from here, and nobody asked for it today",
            "findings": (),
            "evidence": (observe("metric", target, "queries a second that it answers", "4212", now),),
            "effect": Effect(summary="three copies fewer to pay for"),
            "changes": (),
        }
    )
    said = RuleResult(rule="scale-to-zero", result="fail", on_fail=Decision.NEEDS_APPROVAL, message="this switches the workload off")
    facts, policy = Facts(read_at=now, cluster=cluster, exists=False), bench.rules.digest
    verdict = Verdict(action_id=action_id, action_digest=action.digest(), policy_digest=policy, facts=facts, results=(said,), at=now)
    row = after._replace(
        action_id=action_id,
        digest=action.digest(),
        intent_key=action.intent_key(),
        run_id=proposal.run,
        kind=action.kind,
        target_uid=target.uid,
        namespace=target.namespace,
        proposal=canonical(proposal).decode(),
        submitted_at=now,
        changed_at=now,
        verdict="",
        note="",
        attempts=0,
    )
    note = f"{said.rule}: {said.message}"
    return bench.ledger.submit(row) and bench.ledger.move(
        action_id,
        ActionState.SUBMITTED,
        ActionState.NEEDS_APPROVAL,
        role=ROLE,
        at=now,
        event={"note": note, MARK: True},
        verdict=canonical(verdict).decode(),
        owner=MARK,
        note=note,
        expires_at=now + bench.approval_time,
    )


def hear(bench: Bench, row: ActionRow, counted: Count) -> str:
    """Why the canary ends, if it does: denied as it should be, or approved, which pauses each who did."""
    now = bench.clock.now()
    for name in counted.approved_by:
        reason = f"approved the canary {row.action_id}"
        log.error("%s %s: these approvals count no more until another person resumes", name, reason)
        bench.ledger.record(role=ROLE, event="canary.approved", subject=row.action_id, body={"by": name}, at=now)
        stopping.stop(bench.ledger, scope=f"{stopping.APPROVER}{name}", mode=stopping.ALL, by=ROLE, reason=reason, at=now)
    if counted.approved_by:
        return f"a canary, approved by {', '.join(counted.approved_by)}: whose approvals count no more until another person resumes"
    return f"a canary, denied by {counted.denied.by}" if counted.denied else ""
