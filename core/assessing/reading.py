"""A trajectory out of what is stored: the run's answer, the ledger's rows, people's decisions, and the audit chains."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from core.actions.catalogue import parse_proposal
from core.assessing.trajectory import OURS, After, Asked, Claim, Consent, Diagnosis, Move, Ruling, Says, Step, Trajectory
from core.domain.approval import Approval
from core.domain.check import Check, Look
from core.domain.evidence import Evidence
from core.domain.facts import Facts
from core.domain.finding import Finding
from core.domain.ledger import ActionRow, AuditRow
from core.domain.outcome import TERMINAL, ActionState
from core.domain.proposal import Proposal
from core.domain.request import Request
from core.domain.values import bounded
from core.domain.verdict import Decision, Verdict
from core.policy.redaction import redact, redact_data

S = ActionState
LONGEST = 400
_LOOKS: TypeAdapter[tuple[Look, ...]] = TypeAdapter(tuple[Look, ...])
_FINDINGS: TypeAdapter[tuple[Finding, ...]] = TypeAdapter(tuple[Finding, ...])
_SAYS: Mapping[ActionState, Says] = {
    S.VERIFIED: "mended",
    S.ROLLED_BACK: "taken_back",
    S.ESCALATED: "a_person_must_look",
    S.UNKNOWN: "a_person_must_look",
    S.DENIED: "not_done",
    S.EXPIRED: "not_done",
    S.CANCELLED: "not_done",
    S.FAILED: "not_done",
}
_LEFT_OUT = {"labels", "changes", "dry_run_message", "approvals", "requested_by", "uid", "resource_version"}
"""Of the facts: text of strangers, and what the trajectory has elsewhere."""


class Stored(NamedTuple):
    """What there is of a run. `response` is what it answered; `later` the answer of a later look, where there was one."""

    request: Request
    response: Mapping[str, Any]
    rows: Sequence[ActionRow]
    approvals: Sequence[Approval]
    chain: Sequence[AuditRow]
    finished_at: datetime
    later: Mapping[str, Any] | None = None


def trajectory(stored: Stored) -> Trajectory:
    """All of it, redacted."""
    findings = _findings(stored.response.get("findings", ()))
    proposals = {row.action_id: parse_proposal(row.proposal) for row in stored.rows}
    steps = tuple(_step(row, proposals[row.action_id], stored) for row in stored.rows)
    seen = {item.id: item for finding in findings for item in finding.evidence}
    seen |= {item.id: item for proposal in proposals.values() for item in proposal.evidence}
    return Trajectory(
        run=stored.request.id,
        cluster=_cluster(findings, steps),
        asked=_asked(stored.request),
        evidence=tuple(_shown(item) for item in seen.values()),
        before=tuple(map(_diagnosis, findings)),
        held=tuple(_text(f"{row['proposal']['action']['kind']}: {row['reason']}") for row in stored.response.get("held", ())),
        not_run=tuple(_text(f"{row['check']}: {row['reason']}") for row in stored.response.get("coverage", {}).get("not_run", ())),
        steps=steps,
        report=tuple(map(_claim, steps)),
        finished_at=stored.finished_at,
        after=_after(stored.later),
    )


def ended(rows: Iterable[ActionRow]) -> bool:
    """Whether a run can be assessed: nothing of it goes on."""
    return all(row.state in TERMINAL for row in rows)


def _cluster(findings: Sequence[Finding], steps: Sequence[Step]) -> str:
    """As the judge saw it, where it saw one; else as most of the findings have it."""
    judged = [str(step.ruling.facts["cluster"]) for step in steps if step.ruling and "cluster" in step.ruling.facts]
    named = (
        judged
        or [finding.subject.cluster for finding in findings if finding.subject.group != OURS]
        or [step.target.cluster for step in steps]
    )
    return max(sorted(set(named)), key=named.count, default="")


def _asked(request: Request) -> Asked:
    return Asked(
        trigger=request.trigger,
        by=request.by,
        text=bounded(redact(request.text), 4000),
        namespaces=request.namespaces,
        act=request.act,
        writes=request.budget.writes,
        at=request.at,
    )


def _findings(rows: Any) -> tuple[Finding, ...]:
    return _FINDINGS.validate_json(json.dumps(list(rows)))


def _diagnosis(finding: Finding) -> Diagnosis:
    return Diagnosis(
        id=finding.id,
        code=finding.code,
        agent=finding.agent,
        severity=finding.severity,
        subject=finding.subject,
        title=_text(finding.title),
        symptom_of=finding.symptom_of,
        evidence=tuple(item.id for item in finding.evidence),
    )


def _shown(item: Evidence) -> Evidence:
    return item.model_copy(update={"query": redact(item.query), "value": bounded(redact(item.value), 512)})


def _after(later: Mapping[str, Any] | None) -> After | None:
    if later is None:
        return None
    return After(at=datetime.fromisoformat(str(later["at"])), findings=tuple(map(_diagnosis, _findings(later["findings"]))))


def _step(row: ActionRow, proposal: Proposal, stored: Stored) -> Step:
    action = proposal.action
    check = Check.model_validate_json(row.check) if row.check else None
    left_out = {"id", "kind", "target"}
    return Step(
        id=row.action_id,
        kind=action.kind,
        arguments=redact_data(action.model_dump(mode="json", exclude=left_out)),
        target=action.target,
        sentence=_text(action.sentence()),
        risk=action.risk,
        reversible=action.reversible,
        experiment=proposal.experiment is not None,
        agent=proposal.agent,
        objective=proposal.objective,
        why=_text(proposal.why),
        expected=_text(proposal.effect.summary),
        findings=proposal.findings,
        evidence=tuple(item.id for item in proposal.evidence),
        changes=tuple(change.model_copy(update=redact_data({"old": change.old, "new": change.new})) for change in proposal.changes),
        digest=row.digest,
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        state=row.state,
        ruling=_ruling(row.verdict),
        consents=tuple(_consent(approval) for approval in stored.approvals if approval.action_id == row.action_id),
        moves=tuple(_move(link) for link in stored.chain if link.subject == row.action_id),
        undo_kept=bool(row.undo_request and row.undo_permit),
        expectations=check.expectations if check else (),
        settle_seconds=check.settle_seconds if check else 0,
        looks=_LOOKS.validate_json(row.looks) if row.looks else (),
        note=_text(row.note),
    )


def _ruling(stored: str) -> Ruling | None:
    if not stored:
        return None
    verdict = Verdict.model_validate_json(stored)
    reasons = verdict.reasons()
    return Ruling(
        at=verdict.at,
        action_digest=verdict.action_digest,
        decision=verdict.decision,
        against=tuple(result.rule for result in reasons if result.decision is Decision.NEEDS_APPROVAL),
        denied=tuple(result.rule for result in reasons if result.decision is Decision.DENY),
        facts=_told(verdict.facts),
    )


def _told(facts: Facts) -> dict[str, Any]:
    known = facts.model_dump(mode="json", exclude=_LEFT_OUT, exclude_defaults=True)
    found: dict[str, Any] = redact_data(known)
    return found


def _consent(approval: Approval) -> Consent:
    return Consent.model_validate(approval.model_dump(include={"by", "decision", "action_digest", "at", "expires_at"}))


def _move(link: AuditRow) -> Move:
    return Move(id=link.name, role=link.role, event=link.event, left=str(json.loads(link.body).get("from", "")), at=link.at)


def _claim(step: Step) -> Claim:
    """What `day2 run get` and `day2 action get` say of it."""
    return Claim(about=step.id, says=_SAYS.get(step.state, "open"), words=step.note, cites=step.findings)


def _text(text: str) -> str:
    return bounded(redact(text), LONGEST)
