"""A card that nobody should approve: it never runs, and who approves it is asked no more until another person resumes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.actions.catalogue import parse_proposal
from core.domain.errors import Refused
from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState as S
from core.domain.verdict import Decision
from gate import stopping
from gate.judging import canaries

ANN = "kube:cluster-1:ann local:ann"


@pytest.fixture
async def canary(gate: Any) -> ActionRow:
    gate.bench = replace(gate.bench, canary_every=1)
    gate.rules.decision = Decision.NEEDS_APPROVAL
    await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    real, found = sorted(gate.ledger.in_states(S.NEEDS_APPROVAL), key=lambda row: row.owner)
    assert (real.action_id, found.owner) == ("act-scale1", canaries.MARK)
    return found  # type: ignore[no-any-return]


async def test_a_canary_names_what_does_not_exist_and_looks_like_any_card(gate: Any, canary: ActionRow) -> None:
    action = parse_proposal(canary.proposal).action
    assert ("Deployment", action.target.namespace, action.target.name) not in gate.cluster.objects
    assert (action.digest(), action.intent_key()) == (canary.digest, canary.intent_key)
    assert canaries.MARK not in canary.proposal + canary.verdict + canary.note
    assert "the workload off" in canary.note


async def test_an_approved_canary_pauses_its_approver_and_runs_never(gate: Any, canary: ActionRow) -> None:
    gate.approve(canary.action_id, ANN)
    gate.approve("act-scale1", ANN)
    await gate.judge()
    await gate.execute()
    assert gate.row(canary.action_id).state is S.DENIED
    assert "a canary, approved by" in gate.row(canary.action_id).note
    assert [row.event for row in gate.ledger.chain(role="judge") if row.subject == canary.action_id][-2:] == ["canary.approved", "denied"]
    assert stopping.paused(gate.ledger) == (ANN,)
    await gate.judge()
    await gate.execute()
    assert gate.cluster.effects == []


async def test_the_pause_holds_until_another_person_resumes(gate: Any, canary: ActionRow) -> None:
    gate.approve(canary.action_id, ANN)
    await gate.judge()
    gate.approve("act-scale1", "kube:cluster-1:ann local:laptop")
    await gate.judge()
    assert gate.row("act-scale1").state is S.NEEDS_APPROVAL
    scope = f"{stopping.APPROVER}{ANN}"
    with pytest.raises(Refused, match="cannot resume"):
        stopping.resume(gate.ledger, scope=scope, by="local:ann", reason="I am awake", at=gate.clock.now())
    assert stopping.resume(gate.ledger, scope=scope, by="kube:cluster-1:bob", reason="we spoke", at=gate.clock.now())
    await gate.judge()
    assert gate.row("act-scale1").state is S.PERMITTED


async def test_a_paused_approver_stops_no_write_and_may_deny(gate: Any, canary: ActionRow) -> None:
    gate.approve(canary.action_id, ANN)
    await gate.judge()
    assert stopping.reason_to_stop(gate.ledger, agent="scaling", namespace="shop") == ""
    gate.approve("act-scale1", ANN, "denied")
    await gate.judge()
    assert gate.row("act-scale1").state is S.DENIED


async def test_a_denied_canary_ends_and_harms_nobody(gate: Any, canary: ActionRow) -> None:
    gate.approve(canary.action_id, ANN, "denied")
    await gate.judge()
    assert gate.row(canary.action_id).note == f"a canary, denied by {ANN}"
    assert stopping.paused(gate.ledger) == ()


async def test_an_approval_that_no_door_signed_pauses_nobody(gate: Any, canary: ActionRow) -> None:
    gate.approve(canary.action_id, ANN)
    (good,) = gate.ledger.approvals(canary.action_id)
    gate.ledger._approvals.clear()
    gate.ledger.approve(good.model_copy(update={"token": "forged"}))
    await gate.judge()
    assert (gate.row(canary.action_id).state, stopping.paused(gate.ledger)) == (S.NEEDS_APPROVAL, ())


async def test_a_canary_whose_mark_was_taken_away_still_meets_the_judge(gate: Any, canary: ActionRow) -> None:
    gate.ledger._actions[canary.action_id] = canary._replace(owner="")
    gate.approve(canary.action_id, "kube:cluster-1:bob")
    await gate.judge()
    await gate.execute()
    assert gate.row(canary.action_id).state is not S.PERMITTED
    assert not gate.rules.seen[-1].exists
    assert gate.cluster.effects == []


async def test_a_canary_that_nobody_answers_expires(gate: Any, canary: ActionRow) -> None:
    gate.clock.advance(24 * 3600)
    await gate.judge()
    assert gate.row(canary.action_id).state is S.EXPIRED


@pytest.mark.parametrize(("every", "least", "most"), [(0, 0, 0), (50, 4, 40), (1, 1000, 1000)])
def test_about_one_of_so_many_cards_is_followed_by_a_canary(gate: Any, every: int, least: int, most: int) -> None:
    bench = replace(gate.bench, canary_every=every, approval_time=timedelta(hours=1))
    card = card_of(gate)
    assert least <= sum(canaries.place(bench, card) for _ in range(1000)) <= most


def card_of(gate: Any) -> ActionRow:
    return gate.door._row(gate.proposal(gate.scale()), "operator")  # type: ignore[no-any-return]


async def test_a_second_look_at_a_card_is_no_second_card(gate: Any, canary: ActionRow) -> None:
    gate.rules.enough = 2
    gate.approve("act-scale1", "bob")
    await gate.judge()
    assert len(gate.rules.seen) == 2
    assert len(gate.ledger.in_states(S.NEEDS_APPROVAL)) == 2
