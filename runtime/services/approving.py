"""People's decisions: what waits for one, who may give it, and keeping it. Behind `day2 approve|deny|approvals`.

The door signs what it authenticated; the judge counts signatures. Checks here are for a clear answer at once, not for safety.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from core.actions.catalogue import parse_proposal
from core.domain.action import Risk
from core.domain.approval import Approval
from core.domain.errors import Conflict, InvalidInput, Refused
from core.domain.ledger import ActionRow, Ledger
from core.domain.outcome import ActionState
from core.domain.proposal import Proposal
from core.domain.verdict import Verdict


class Decide(Protocol):
    """Signs and keeps a decision. Raises Refused where this person may not decide."""

    def __call__(self, action_id: str, *, by: str, approve: bool, reason: str) -> Approval: ...


class Waiting(NamedTuple):
    """An action that waits for people. `needed` counts distinct people other than who asked."""

    row: ActionRow
    proposal: Proposal
    verdict: Verdict | None
    approvals: tuple[Approval, ...]
    needed: int

    @property
    def severe(self) -> bool:
        return self.proposal.action.risk is Risk.HIGH or not self.proposal.action.reversible

    @property
    def missing(self) -> int:
        return max(0, self.needed - len({approval.by for approval in self.approvals if approval.decision == "approved"}))


class Decided(NamedTuple):
    waiting: Waiting
    approval: Approval


def waiting(ledger: Ledger, people_needed: Callable[[Risk], int]) -> list[Waiting]:
    """Those that expire first, first."""
    rows = sorted(ledger.in_states(ActionState.NEEDS_APPROVAL), key=lambda row: (row.expires_at, row.action_id))
    return [_waiting(ledger, row, people_needed) for row in rows if _readable(row)]


def _readable(row: ActionRow) -> bool:
    """Nobody can decide on what cannot be shown: such a row expires. `day2 action list` names it."""
    try:
        parse_proposal(row.proposal)
    except InvalidInput:
        return False
    return True


def decide(
    ledger: Ledger,
    keep: Decide,
    people_needed: Callable[[Risk], int],
    action_id: str,
    *,
    by: str,
    approve: bool,
    reason: str,
    confirmed: str,
) -> Decided:
    """Raises InvalidInput, Conflict for what is decided already, Refused for the requester."""
    row = ledger.get(action_id)
    if row is None:
        raise InvalidInput(f"no action {action_id[:40]!r}", mend="day2 approvals")
    if row.state is not ActionState.NEEDS_APPROVAL:
        raise Conflict(
            f"{action_id} is {row.state.value} and waits for nobody{f': {row.note}' if row.note else ''}",
            mend=f"day2 action get {action_id}",
        )
    card = _waiting(ledger, row, people_needed)
    if approve:
        _may_approve(card, by, confirmed)
    return Decided(card, keep(action_id, by=by, approve=approve, reason=reason))


def _may_approve(card: Waiting, by: str, confirmed: str) -> None:
    name = card.proposal.action.target.name
    if card.row.submitted_by.strip().casefold() == by.strip().casefold():
        raise Refused(
            (f"{by} asked for {card.row.action_id}, and who asks cannot approve",), mend="another person approves: day2 approvals"
        )
    if card.severe and confirmed != name:
        what = "cannot be undone" if not card.proposal.action.reversible else "is of high risk"
        raise InvalidInput(
            f"{card.row.action_id} {what}: confirm the object by its name",
            mend=f'day2 approve {card.row.action_id} --confirm={name} --reason "..."',
        )


def _waiting(ledger: Ledger, row: ActionRow, people_needed: Callable[[Risk], int]) -> Waiting:
    proposal = parse_proposal(row.proposal)
    verdict = Verdict.model_validate_json(row.verdict) if row.verdict else None
    return Waiting(row, proposal, verdict, tuple(ledger.approvals(row.action_id)), people_needed(proposal.action.risk))
