"""One action as a card needs it, in any state: who asked, what it changes, what was said of it, who decided, what came of it.

Read from the record alone, so that every copy of a card in every chat shows the same, however often it is drawn.
"""

from datetime import timedelta
from typing import Any, NamedTuple

from core.actions.catalogue import parse_proposal
from core.domain.action import Risk
from core.domain.approval import Approval
from core.domain.errors import Day2Error, InvalidInput
from core.domain.ledger import ActionRow, StopRow
from core.domain.outcome import TERMINAL
from core.domain.proposal import Proposal
from core.domain.values import bounded
from core.domain.verdict import Verdict
from runtime.services.offering import Ports

A_MONTH = timedelta(days=30)
MOST_SIMILAR = 3


class Similar(NamedTuple):
    """An earlier action on the same object."""

    action: str
    sentence: str
    state: str


class Carded(NamedTuple):
    """`stop` covers the action now. `answer` is what its run answered, empty while it works or where no run made it."""

    row: ActionRow
    proposal: Proposal
    verdict: Verdict | None
    approvals: tuple[Approval, ...]
    needed: int
    stop: StopRow | None
    similar: tuple[Similar, ...]
    answer: dict[str, Any]

    @property
    def severe(self) -> bool:
        """Never decided in a chat."""
        return self.proposal.action.risk is Risk.HIGH or not self.proposal.action.reversible

    @property
    def approved_by(self) -> tuple[Approval, ...]:
        return tuple(item for item in self.approvals if item.decision == "approved")

    @property
    def missing(self) -> int:
        return max(0, self.needed - len({item.by for item in self.approved_by}))


async def carded(ports: Ports, action_id: str) -> Carded:
    """Raises InvalidInput for an action that is not there, or whose stored proposal cannot be read."""
    row = ports.ledger.get(action_id)
    if row is None:
        raise InvalidInput(f"no action {bounded(action_id, 40)!r}", mend="day2 action list")
    proposal = parse_proposal(row.proposal)
    return Carded(
        row,
        proposal,
        Verdict.model_validate_json(row.verdict) if row.verdict else None,
        tuple(ports.ledger.approvals(action_id)),
        ports.people_needed(proposal.action.risk),
        None if row.state in TERMINAL else covering(ports.ledger.stops(), row),
        _similar(ports, row),
        await _answer(ports, row.run_id),
    )


def covering(stops: list[StopRow], row: ActionRow) -> StopRow | None:
    scopes = ("all", f"agent={row.agent}", f"namespace={row.namespace}")
    return next((stop for stop in stops if stop.scope in scopes), None)


def _similar(ports: Ports, row: ActionRow) -> tuple[Similar, ...]:
    rows = [other for other in ports.ledger.recent(row.target_uid, row.submitted_at - A_MONTH) if other.action_id != row.action_id]
    newest = sorted(rows, key=lambda other: other.submitted_at, reverse=True)[:MOST_SIMILAR]
    return tuple(Similar(other.action_id, _sentence(other), other.state.value) for other in newest)


def _sentence(row: ActionRow) -> str:
    try:
        return parse_proposal(row.proposal).action.sentence()
    except InvalidInput:
        return row.kind


async def _answer(ports: Ports, run_id: str) -> dict[str, Any]:
    """A run that works, or of the command line, has none: a card says less then, and is shown."""
    try:
        return await ports.answer(run_id)
    except Day2Error:
        return {}
