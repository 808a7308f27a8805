"""Where an action stands, and the moves between: the ledger accepts no other. The kill tests enumerate this table."""

from enum import StrEnum


class ActionState(StrEnum):
    SUBMITTED = "submitted"  # in the ledger, waits for the judge
    NEEDS_APPROVAL = "needs_approval"  # waits for people
    APPROVED = "approved"  # approvals are in; waits for the judge's second look
    PERMITTED = "permitted"  # forward and undo permit are minted; waits for the executor
    CLAIMED = "claimed"  # one executor owns it; nothing was sent
    SENDING = "sending"  # undo is on disk, dry-run passed; the write may be on the wire
    UNKNOWN = "unknown"  # the reply was lost; only reading back ends this
    APPLIED = "applied"  # read back and found; verification runs
    UNDOING = "undoing"  # the undo may be on the wire
    # terminal
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"  # refused by the API server or gone; nothing was changed
    VERIFIED = "verified"
    ROLLED_BACK = "rolled_back"
    ESCALATED = "escalated"  # a person must look: undo impossible or refused


TERMINAL = frozenset(
    {
        ActionState.DENIED,
        ActionState.EXPIRED,
        ActionState.CANCELLED,
        ActionState.FAILED,
        ActionState.VERIFIED,
        ActionState.ROLLED_BACK,
        ActionState.ESCALATED,
    }
)

_S = ActionState
TRANSITIONS: dict[ActionState, frozenset[ActionState]] = {
    _S.SUBMITTED: frozenset({_S.PERMITTED, _S.NEEDS_APPROVAL, _S.DENIED, _S.EXPIRED, _S.CANCELLED}),
    _S.NEEDS_APPROVAL: frozenset({_S.APPROVED, _S.DENIED, _S.EXPIRED, _S.CANCELLED}),
    _S.APPROVED: frozenset({_S.PERMITTED, _S.NEEDS_APPROVAL, _S.DENIED, _S.EXPIRED, _S.CANCELLED}),
    _S.PERMITTED: frozenset({_S.CLAIMED, _S.SUBMITTED, _S.EXPIRED, _S.CANCELLED}),
    _S.CLAIMED: frozenset({_S.SENDING, _S.SUBMITTED, _S.FAILED, _S.EXPIRED}),
    _S.SENDING: frozenset({_S.APPLIED, _S.FAILED, _S.UNKNOWN}),
    _S.UNKNOWN: frozenset({_S.APPLIED, _S.FAILED, _S.ESCALATED}),
    _S.APPLIED: frozenset({_S.VERIFIED, _S.UNDOING, _S.ESCALATED}),
    _S.UNDOING: frozenset({_S.ROLLED_BACK, _S.ESCALATED}),
}


def allowed(old: ActionState, new: ActionState) -> bool:
    return new in TRANSITIONS.get(old, frozenset())
