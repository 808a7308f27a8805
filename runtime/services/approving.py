"""People's decisions: what waits for one, who may give it, and keeping it. Behind `day2 approve|deny|approvals`.

The door signs what it authenticated; the judge counts signatures. Checks here are for a clear answer at once, not for safety.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from core.domain import access, people
from core.domain.action import Risk
from core.domain.approval import Approval
from core.domain.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, Refused
from core.domain.ledger import ActionRow, Ledger
from core.domain.outcome import ActionState
from core.domain.proposal import Proposal
from core.domain.verdict import Verdict
from runtime.services import recording

AN_HOUR = timedelta(hours=1)
FRESH = timedelta(minutes=5)
WEB_DOORS = frozenset({"console", "chat"})
"""Where a login lasts for hours, and somebody else may sit there by now: what is severe asks who it is again."""


class Decide(Protocol):
    """Signs and keeps a decision. Raises Refused where this person may not decide."""

    def __call__(self, action_id: str, *, by: str, approve: bool, reason: str, groups: tuple[str, ...] = ()) -> Approval: ...


class Decision(NamedTuple):
    """What a person says. `confirmed` is the object's name where one is asked for; `groups` are what the cluster says of the person;
    `authenticated_at` is when they last proved to this door who they are."""

    by: str
    approve: bool
    reason: str
    confirmed: str = ""
    groups: tuple[str, ...] = ()
    door: str = ""
    authenticated_at: datetime | None = None


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


class Queue(NamedTuple):
    """What is asked of people now, and how many more cards wait until they may be asked again."""

    cards: tuple[Waiting, ...]
    queued: int = 0


class Decided(NamedTuple):
    waiting: Waiting
    approval: Approval


def waiting(ledger: Ledger, people_needed: Callable[[Risk], int]) -> list[Waiting]:
    return ranked(_waiting(ledger, row, people_needed) for row in ledger.in_states(ActionState.NEEDS_APPROVAL) if _readable(row))


def ranked(cards: Iterable[Waiting]) -> list[Waiting]:
    """High risk first; of one risk, those that expire first."""
    return sorted(cards, key=lambda card: (-list(Risk).index(card.proposal.action.risk), card.row.expires_at, card.row.action_id))


def queue(cards: Sequence[Waiting], decided: Sequence[Approval], *, per_hour: int, only_for: str = "") -> Queue:
    """At most `per_hour` cards an hour; of a person, who decided on some already, fewer. `only_for` leaves out what is not theirs.

    `decided` are the decisions of the last hour.
    """
    if not only_for:
        return Queue(tuple(cards[:per_hour]), max(0, len(cards) - per_hour))
    theirs = [card for card in cards if not _done(card, only_for)]
    room = max(0, per_hour - sum(people.same(item.by, only_for) for item in decided))
    return Queue(tuple(theirs[:room]), max(0, len(theirs) - room))


def _done(card: Waiting, by: str) -> bool:
    return people.same(card.row.submitted_by, by) or any(people.same(item.by, by) for item in card.approvals)


def _readable(row: ActionRow) -> bool:
    """Nobody can decide on what cannot be shown: such a row expires. `day2 action list` names it."""
    try:
        recording.proposal_of(row.proposal)
        recording.verdict_of(row.verdict)
    except (InvalidInput, ValueError):  # a stored verdict that does not fit its form is a ValueError of pydantic's
        return False
    return True


def decide(
    ledger: Ledger, keep: Decide, people_needed: Callable[[Risk], int], action_id: str, said: Decision, *, now: datetime, per_hour: int
) -> Decided:
    """Raises InvalidInput, Conflict for what is decided already, Refused for the requester and for who decided enough for now,
    NotAuthenticated where the action is severe and the login too long ago."""
    if said.by.strip().casefold().startswith(access.MACHINE):
        raise Refused((f"{said.by} is a machine, and people decide",), mend="decide under your own name: day2 approve")
    row = ledger.get(action_id)
    if row is None:
        raise NotFound(f"no action {action_id[:40]!r}", mend="day2 approvals")
    if row.state is not ActionState.NEEDS_APPROVAL:
        raise Conflict(
            f"{action_id} is {row.state.value} and waits for nobody{f': {row.note}' if row.note else ''}",
            mend=f"day2 action get {action_id}",
        )
    if now >= row.expires_at:  # the judge says so in the ledger at its next look
        raise Conflict(f"{action_id} expired at {row.expires_at:%Y-%m-%d %H:%MZ}: nothing is decided any more", mend="ask for it again")
    card = _waiting(ledger, row, people_needed)
    if said.approve:
        _may_approve(card, said)
        _not_too_many(ledger.decisions(now - AN_HOUR), said.by, per_hour)
        _fresh(card, said, now)
    return Decided(card, keep(action_id, by=said.by, approve=said.approve, reason=said.reason, groups=said.groups))


def _may_approve(card: Waiting, said: Decision) -> None:
    name, action_id, action = card.proposal.action.target.name, card.row.action_id, card.proposal.action
    if people.same(card.row.submitted_by, said.by):
        raise Refused((f"{said.by} asked for {action_id}, and who asks cannot approve",), mend="another person approves: day2 approvals")
    known_to = people.read(said.by).cluster
    if known_to and known_to != action.target.cluster.casefold():
        raise Refused((f"another cluster than that of {action_id} authenticated you",), mend="choose its context: --context NAME")
    if action.risk is Risk.HIGH and people.unproven(said.by):
        raise Refused(
            (f"{action_id} is of high risk, and {said.by} is no person whom the cluster authenticated",),
            mend="approve with a kubeconfig of your own that reaches the cluster: --kubeconfig FILE",
        )
    if card.severe and said.confirmed != name:
        what = "cannot be undone" if not action.reversible else "is of high risk"
        raise InvalidInput(
            f"{action_id} {what}: confirm the object by its name", mend=f'day2 approve {action_id} --confirm={name} --reason "..."'
        )


def _fresh(card: Waiting, said: Decision, now: datetime) -> None:
    if not card.severe or said.door not in WEB_DOORS:
        return
    if said.authenticated_at is None or now - said.authenticated_at > FRESH:
        raise NotAuthenticated(
            f"{card.row.action_id} is severe, and {said.by} proved who they are more than {FRESH.seconds // 60} minutes ago",
            mend="log in again, then approve",
        )


def _not_too_many(decided: Sequence[Approval], by: str, per_hour: int) -> None:
    mine = [item.at for item in decided if people.same(item.by, by)]
    if len(mine) >= per_hour:
        again = mine[-per_hour] + AN_HOUR
        raise Refused(
            (f"{by} decided on {len(mine)} actions within an hour, and nobody is asked for more than {per_hour}",),
            mend=f"approve after {again:%H:%MZ}, or another person does; denying is always possible",
        )


def _waiting(ledger: Ledger, row: ActionRow, people_needed: Callable[[Risk], int]) -> Waiting:
    proposal, verdict = recording.proposal_of(row.proposal), recording.verdict_of(row.verdict)
    return Waiting(row, proposal, verdict, tuple(ledger.approvals(row.action_id)), people_needed(proposal.action.risk))
