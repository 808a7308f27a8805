"""What the ledger says about this target, this wish and this capability before."""

from datetime import timedelta
from functools import lru_cache
from typing import Any

from core.actions.catalogue import parse_proposal
from core.domain.errors import PermitRefused
from core.domain.facts import ChangeFact
from core.domain.ledger import ActionRow, Ledger
from core.domain.outcome import ActionState
from core.domain.verdict import Decision, Verdict
from core.policy import autonomy as earning
from core.policy.autonomy import LATEST, Outcome
from gate import permits
from gate.judging.sources import Bench
from gate.keys import Verifier

S = ActionState
AHEAD = (S.PERMITTED, S.CLAIMED, S.SENDING, S.UNKNOWN, S.APPLIED, S.UNDOING)
WROTE = (S.SENDING, S.UNKNOWN, S.APPLIED, S.UNDOING, S.VERIFIED, S.ROLLED_BACK, S.ESCALATED)
MISSED = (S.ROLLED_BACK, S.ESCALATED, S.UNKNOWN)
A_DAY = timedelta(hours=24)
ASSESSOR = "assessor"  # the chain of actions that `runtime.services.assessing` found wrong after their runs had ended


def past(bench: Bench, row: ActionRow, changes: tuple[ChangeFact, ...]) -> dict[str, Any]:
    """An action that waits for people or for the judge is no open one: it would block all others for as long as it waits."""
    now = bench.clock.now()
    known = bench.ledger.recent(row.target_uid, now - max(A_DAY, bench.denial_holds))
    others = [other for other in known if other.action_id != row.action_id and now - other.changed_at <= A_DAY]
    ahead = [other for other in bench.ledger.in_states(*AHEAD) if other.target_uid == row.target_uid and other.action_id != row.action_id]
    until = max([now, *(other.changed_at + bench.denial_holds for other in known if other.intent_key == row.intent_key and _denied(other))])
    opposite = [other.changed_at for other in others if other.state in WROTE and not tried(other) and _opposite(other, changes)]
    return {
        "open_actions_on_target": len(ahead),
        "actions_on_target_24h": sum(other.state in WROTE for other in others),
        "denied_recently": until > now,
        "denied_until": f"{until:%Y-%m-%dT%H:%MZ}" if until > now else "",
        "seconds_since_opposite": int((now - max(opposite)).total_seconds()) if opposite else None,
        "actions_in_run": sum(other.state not in (S.CANCELLED, S.EXPIRED) for other in bench.ledger.of_run(row.run_id)),
    }


def _denied(other: ActionRow) -> bool:
    """By a rule or a person; and people's silence is a denial too."""
    if other.state is S.EXPIRED and other.verdict:
        return Verdict.model_validate_json(other.verdict).decision is Decision.NEEDS_APPROVAL
    return other.state is S.DENIED


def _opposite(other: ActionRow, changes: tuple[ChangeFact, ...]) -> bool:
    """It moved one of these fields to where this action finds it, and this one moves it back, or the other way."""
    if not other.verdict:
        return False
    theirs = {change.path: change for change in Verdict.model_validate_json(other.verdict).facts.changes}
    return any(_against(theirs[change.path], change) for change in changes if change.path in theirs)


def _against(then: ChangeFact, now: ChangeFact) -> bool:
    if then.old == now.new:
        return True
    numbers = (then.old, then.new, now.old, now.new)
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in numbers):
        return False
    return bool((then.new - then.old) * (now.new - now.old) < 0)


def tried(row: ActionRow) -> bool:
    """Whether it was the fault of an experiment: it was meant to be taken back, and says nothing of the kind."""
    return parse_proposal(row.proposal).experiment is not None


def autonomy(bench: Bench, row: ActionRow, namespace: str, cluster: str) -> str:
    """What the record of this capability in this scope has earned, within what people grant."""
    found = outcomes(bench.ledger, (row.kind, row.namespace), cluster, bench.record_key)
    level = earning.standing(found, bench.objectives.granted(namespace, row.kind)).level
    return min(level.value, parse_proposal(row.proposal).leash.ceiling, key=earning.LEVELS.index)


def outcomes(ledger: Ledger, scope: tuple[str, str], cluster: str, key: Verifier | None) -> list[Outcome]:
    """Hits count only with a permit that the judge signed for this action on this cluster; a miss needs no proof to be one.

    What the assessor of finished runs found wrong is a miss too. Its chain is read and never trusted: it makes no hit of anything.
    """
    rows = (*ledger.search(states=(S.VERIFIED,), scope=scope, limit=LATEST), *ledger.search(states=MISSED, scope=scope, limit=LATEST))
    end = ledger.head().get(ASSESSOR)
    wrong = {link.subject for link in ledger.chain(max(1, end.seq - 9_999), role=ASSESSOR)} if end else set()
    placed = [(row, _cluster_of(row.permit, row.digest, key) if key else "") for row in rows if not tried(row)]
    counted = [row for row, where in placed if where == cluster or (not where and row.state is not S.VERIFIED)]
    return [Outcome(row.target_uid, row.changed_at, row.state is S.VERIFIED and row.action_id not in wrong) for row in counted]


@lru_cache(maxsize=4096)
def _cluster_of(token: str, digest: str, key: Verifier) -> str:
    """The cluster in a row's permit, empty where that is not the judge's or of another action."""
    try:
        permit = permits.read(token, key)
    except PermitRefused:
        return ""
    return permit.cluster if permit.action_digest == digest else ""
