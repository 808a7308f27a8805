"""What would come of actions, without any of it: behind `--dry-run`. Nothing is submitted, so nothing is stored or can be executed.

`client` asks nobody: it shows what would be submitted. `server` asks the judge's rules, on facts read now, and the API server's dry run.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from core.domain.ledger import ActionRow
from core.domain.outcome import TERMINAL
from core.domain.proposal import Proposal
from core.domain.verdict import Decision
from runtime.services.planning import Judge, Planned, judged

Mode = Literal["client", "server"]
NOT_ASKED = "nobody was asked: --dry-run=server asks the judge's rules and the API server"


class Rehearsal(NamedTuple):
    """What would be submitted, and what the judge would say, where it was asked."""

    mode: Mode
    cluster: str
    context: str
    items: tuple[Planned, ...]

    def any_is(self, decision: Decision) -> bool:
        return any(item.verdict is not None and item.verdict.decision is decision for item in self.items)


async def rehearse(proposals: Sequence[Proposal], judge: Judge | None) -> tuple[Planned, ...]:
    """One after the other, as the judge would."""
    if judge is None:
        return tuple(Planned(proposal, None, NOT_ASKED) for proposal in proposals)
    return tuple([await judged(proposal, judge) for proposal in proposals])


def ended(row: ActionRow, proposal: Proposal) -> Planned | None:
    """An action that has ended is only shown again by `apply`; None for one that is open."""
    return Planned(proposal, None, f"nothing would happen: it is {row.state.value}") if row.state in TERMINAL else None
