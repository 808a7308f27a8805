"""How well the model judge agrees with the rules and with people, failure mode by failure mode. Behind `day2 policy agreement`.

The measure is Cohen's kappa (J. Cohen, 1960): agreement beyond what two judges with these habits reach by chance; 1 is full, 0 is chance.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from core.domain.review import Concern, Review
from core.domain.verdict import Decision, Verdict

PEOPLE = "people"
MOST = 10_000
"""The newest actions; older ones were judged by other models and rules."""


class Agreement(NamedTuple):
    """Counts of actions: where both spoke, one alone, or neither. `with_whom` is the pack of rules, or people."""

    with_whom: str
    both: int = 0
    model_only: int = 0
    other_only: int = 0
    neither: int = 0

    @property
    def kappa(self) -> float | None:
        """None where nothing was compared, or where both always said the same one thing: then chance explains all."""
        total = sum(self[1:])
        if not total:
            return None
        model, other = (self.both + self.model_only) / total, (self.both + self.other_only) / total
        chance = model * other + (1 - model) * (1 - other)
        return None if chance == 1 else ((self.both + self.neither) / total - chance) / (1 - chance)


def agreement(rows: Iterable[ActionRow], packs: Mapping[str, str]) -> tuple[Agreement, ...]:
    """`packs` names the pack of each rule. Only actions that the model was heard on count."""
    heard = [(row, verdict, verdict.review) for row in rows if row.verdict and (verdict := _verdict(row)).review is not None]
    found = [
        _counted(concern.value, ((review.concern is concern, _rules_speak(verdict, concern.value, packs)) for _, verdict, review in heard))
        for concern in Concern
        if concern.value in packs.values()
    ]
    decided = ((_worried(review), said) for row, verdict, review in heard if (said := _people_said_no(row, verdict)) is not None)
    return (*found, _counted(PEOPLE, decided))


def _verdict(row: ActionRow) -> Verdict:
    return Verdict.model_validate_json(row.verdict)


def _worried(review: Review | None) -> bool:
    return review is not None and review.concern is not Concern.NONE


def _rules_speak(verdict: Verdict, pack: str, packs: Mapping[str, str]) -> bool:
    return any(packs.get(result.rule) == pack and result.would is not Decision.ALLOW for result in verdict.results)


def _people_said_no(row: ActionRow, verdict: Verdict) -> bool | None:
    """None where no person decided."""
    if verdict.facts.approvals:
        return False
    return True if row.state is ActionState.DENIED and verdict.decision is Decision.NEEDS_APPROVAL else None


def _counted(with_whom: str, pairs: Iterable[tuple[bool, bool]]) -> Agreement:
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for pair in pairs:
        counts[pair] += 1
    return Agreement(with_whom, *counts.values())
