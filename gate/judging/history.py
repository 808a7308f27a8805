"""What the ledger says about this target, this wish and this capability before."""

from datetime import timedelta
from typing import Any

from core.domain.facts import ChangeFact
from core.domain.ledger import ActionRow
from core.domain.objective import Autonomy
from core.domain.outcome import ActionState
from core.domain.verdict import Decision, Verdict
from gate.judging.sources import Bench

S = ActionState
AHEAD = (S.PERMITTED, S.CLAIMED, S.SENDING, S.UNKNOWN, S.APPLIED, S.UNDOING)
WROTE = (S.SENDING, S.UNKNOWN, S.APPLIED, S.UNDOING, S.VERIFIED, S.ROLLED_BACK, S.ESCALATED)
MISSED = (S.ROLLED_BACK, S.ESCALATED)
A_DAY = timedelta(hours=24)


def past(bench: Bench, row: ActionRow, changes: tuple[ChangeFact, ...]) -> dict[str, Any]:
    """An action that waits for people or for the judge is no open one: it would block all others for as long as it waits."""
    now = bench.clock.now()
    known = bench.ledger.recent(row.target_uid, now - max(A_DAY, bench.denial_holds))
    others = [other for other in known if other.action_id != row.action_id and now - other.changed_at <= A_DAY]
    ahead = [other for other in bench.ledger.in_states(*AHEAD) if other.target_uid == row.target_uid and other.action_id != row.action_id]
    until = max(
        (other.changed_at + bench.denial_holds for other in known if other.intent_key == row.intent_key and _denied(other)), default=now
    )
    opposite = [other.changed_at for other in others if other.state in WROTE and _opposite(other, changes)]
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


def autonomy(bench: Bench, row: ActionRow, namespace: str) -> str:
    """What people granted, one step less while the last outcome of this capability in this scope, within a day, was a miss."""
    granted = bench.objectives.autonomy(namespace, row.kind)
    since = bench.clock.now() - A_DAY
    ended = [
        item
        for item in bench.ledger.search(states=(S.VERIFIED, *MISSED), since=since)
        if (item.kind, item.namespace) == (row.kind, row.namespace)
    ]
    last = max(ended, key=lambda item: item.changed_at, default=None)
    if last is None or last.state is S.VERIFIED:
        return granted.value
    levels = list(Autonomy)
    return levels[max(0, levels.index(granted) - 1)].value
