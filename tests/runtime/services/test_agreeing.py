"""The model judge is measured: against the rules of each failure mode, and against people."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.domain.facts import Facts
from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState as S
from core.domain.review import Concern, Review
from core.domain.values import canonical
from core.domain.verdict import Decision, RuleResult, Verdict
from runtime.services.agreeing import Agreement, agreement

AT = datetime(2026, 11, 2, tzinfo=UTC)
PACKS = {"gpu-allowance": "money", "too-many-pods": "blast_radius", "asks-a-person": "approval"}


def row(concern: Concern | None, *speaking: str, state: S = S.VERIFIED, approvals: tuple[str, ...] = ()) -> ActionRow:
    """An action that these rules spoke against, with what the model said."""
    results = [RuleResult(rule=name, result="fail" if name in speaking else "pass", on_fail=Decision.NEEDS_APPROVAL) for name in PACKS]
    verdict = Verdict(
        action_id="act-1",
        action_digest="d",
        policy_digest="p",
        facts=Facts(read_at=AT, cluster="c-1", exists=True, approvals=approvals),
        results=tuple(results),
        review=None if concern is None else Review(concern=concern),
        at=AT,
    )
    told: dict[str, Any] = dict.fromkeys(ActionRow._fields, "")
    return ActionRow(**told | {"state": state, "verdict": canonical(verdict).decode()})


def found(*rows: ActionRow) -> dict[str, Agreement]:
    return {item.with_whom: item for item in agreement(rows, PACKS)}


def test_each_failure_mode_is_counted_against_the_rules_that_know_it() -> None:
    said = found(
        row(Concern.MONEY, "gpu-allowance"),
        row(Concern.MONEY),
        row(Concern.NONE, "gpu-allowance"),
        row(Concern.BLAST_RADIUS, "too-many-pods", "gpu-allowance"),
        row(Concern.NONE),
    )
    assert said["money"] == Agreement("money", both=1, model_only=1, other_only=2, neither=1)
    assert said["blast_radius"] == Agreement("blast_radius", both=1, neither=4)
    assert set(said) == {"money", "blast_radius", "people"}, "only failure modes that rules know"


def test_actions_that_no_model_looked_at_do_not_count() -> None:
    assert found(row(None, "gpu-allowance"))["money"] == Agreement("money")


def test_people_are_counted_where_a_person_decided() -> None:
    said = found(
        row(Concern.MONEY, "asks-a-person", state=S.DENIED),
        row(Concern.MONEY, state=S.VERIFIED, approvals=("ann",)),
        row(Concern.NONE, "asks-a-person", state=S.DENIED),
        row(Concern.NONE, state=S.ROLLED_BACK, approvals=("ann",)),
        row(Concern.MONEY, state=S.VERIFIED),
        row(Concern.MONEY, "asks-a-person", state=S.EXPIRED),
    )
    assert said["people"] == Agreement("people", both=1, model_only=1, other_only=1, neither=1)


@pytest.mark.parametrize(
    ("counts", "kappa"),
    [((20, 5, 10, 15), 0.4), ((10, 0, 0, 10), 1.0), ((5, 5, 5, 5), 0.0), ((0, 0, 0, 9), None), ((0, 0, 0, 0), None)],
)
def test_kappa_is_agreement_beyond_chance(counts: tuple[int, int, int, int], kappa: float | None) -> None:
    """The first is the worked example of the literature: 20 and 15 of 50 agree, by chance 25 would."""
    assert Agreement("money", *counts).kappa == (None if kappa is None else pytest.approx(kappa))
