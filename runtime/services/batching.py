"""Several cards of one kind, approved with one reason; each keeps a record of its own. Behind the inbox of the console."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from core.domain.action import Risk
from core.domain.errors import Conflict, InvalidInput, Refused
from runtime.services.approving import Decided, Waiting

MOST = 50


class Left(NamedTuple):
    """One that was not approved with the others, and why."""

    action: str
    why: str


class Batched(NamedTuple):
    decided: tuple[Decided, ...]
    left: tuple[Left, ...]


def together(waiting: Sequence[Waiting], wanted: Sequence[str]) -> tuple[Waiting, ...]:
    """These cards, in the order of the queue. Raises Conflict where one waits no more, InvalidInput where one is not like the others."""
    asked = set(wanted)
    cards = tuple(card for card in waiting if card.row.action_id in asked)
    if gone := sorted(asked - {card.row.action_id for card in cards}):
        raise Conflict(f"{', '.join(gone)[:300]}: waits for nobody any more, and nothing was approved", mend="load the inbox again")
    for card in cards:
        if card.severe or card.proposal.action.risk is not Risk.LOW:
            raise InvalidInput(f"{card.row.action_id} is not of low risk: nothing was approved", mend="decide it on its own page")
    if len({card.row.kind for card in cards}) > 1:
        raise InvalidInput("these are of several kinds: nothing was approved", mend="choose those of one kind")
    if len({card.verdict.policy_digest if card.verdict else "" for card in cards}) > 1:
        raise InvalidInput("these were judged by different rules: nothing was approved", mend="decide each on its own page")
    return cards


def each(cards: Sequence[Waiting], approve: Callable[[str], Decided]) -> Batched:
    """One decision after the other. What is refused of one (who asked for it cannot approve it) keeps none of the others."""
    decided: list[Decided] = []
    left: list[Left] = []
    for card in cards:
        try:
            decided.append(approve(card.row.action_id))
        except (Refused, Conflict) as error:
            left.append(Left(card.row.action_id, str(error)))
    return Batched(tuple(decided), tuple(left))
