"""What the ledger knows of actions: list, one with its way, and taking a wish back. Behind `day2 action`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from core.actions.catalogue import parse_proposal
from core.domain.approval import Approval
from core.domain.errors import InvalidInput, NotFound
from core.domain.ledger import ActionRow, AuditRow, Ledger
from core.domain.outcome import ActionState
from core.domain.proposal import Proposal
from core.domain.verdict import Verdict

MOST = 1000
PAGE = 5000


@lru_cache(2048)
def proposal_of(stored: str) -> Proposal:
    """What a row's text says: it never changes, and a list is read again and again. Raises InvalidInput for what cannot be read."""
    return parse_proposal(stored)


@lru_cache(512)
def verdict_of(stored: str) -> Verdict | None:
    """None for what was not judged yet."""
    return Verdict.model_validate_json(stored) if stored else None


class Recorded(NamedTuple):
    """One action with all that was stored about it. `way` is its part of the audit chains."""

    row: ActionRow
    proposal: Proposal
    verdict: Verdict | None
    approvals: tuple[Approval, ...]
    way: tuple[AuditRow, ...]


def states(words: Sequence[str]) -> tuple[ActionState, ...]:
    """Raises InvalidInput for a word that is no state."""
    known = {state.value: state for state in ActionState}
    for word in words:
        if word not in known:
            raise InvalidInput(f"{word[:40]!r} is no state", mend=f"one of: {', '.join(known)}")
    return tuple(known[word] for word in words)


def actions(
    ledger: Ledger,
    *,
    wanted: tuple[ActionState, ...] = (),
    agent: str = "",
    namespaces: Sequence[str] = (),
    since: datetime | None = None,
    limit: int = 200,
) -> list[ActionRow]:
    """Newest first."""
    rows = ledger.search(states=wanted, agent=agent, since=since, limit=min(limit, MOST))
    return [row for row in rows if not namespaces or row.namespace in namespaces]


def get(ledger: Ledger, action_id: str, way: Callable[[Sequence[str]], tuple[AuditRow, ...]] | None = None) -> Recorded:
    """`way` knows the records of a subject; without it the whole chain is read. Raises InvalidInput for an id that is not here."""
    row = ledger.get(action_id)
    if row is None:
        raise NotFound(f"no action {action_id[:40]!r}", mend="day2 action list")
    links = way([action_id]) if way else tuple(link for link in chain(ledger) if link.subject == action_id)
    return Recorded(row, proposal_of(row.proposal), verdict_of(row.verdict), tuple(ledger.approvals(action_id)), links)


def chain(ledger: Ledger) -> list[AuditRow]:
    """All audit chains in the order of their commits, page by page."""
    rows: list[AuditRow] = []
    while page := ledger.chain(rows[-1].place + 1 if rows else 1, PAGE):
        rows += page
    return rows
