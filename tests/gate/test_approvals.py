"""Only people approve, each once, for exactly one action; silence, forgery and who asked for it do not."""

from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from core.domain.action import Risk
from core.domain.outcome import ActionState as S
from core.domain.verdict import Decision
from gate import approvals
from gate.keys import Signer


@pytest.fixture
async def waiting(gate: Any) -> str:
    gate.rules.decision = Decision.NEEDS_APPROVAL
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    assert gate.row(action).state is S.NEEDS_APPROVAL
    return str(action)


async def test_an_approved_action_goes_back_to_the_judge_and_then_runs(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    await gate.judge()
    assert gate.row(waiting).state is S.PERMITTED
    assert gate.rules.seen[-1].approvals == ("ann",)


async def test_facts_that_changed_while_people_thought_still_deny(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    gate.rules.decision = Decision.DENY
    await gate.judge()
    assert gate.row(waiting).state is S.DENIED


async def test_one_denial_ends_it(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann", "denied")
    gate.approve(waiting, "bob")
    await gate.judge()
    assert gate.row(waiting).state is S.DENIED
    assert "denied by ann" in gate.row(waiting).note


async def test_an_approval_that_was_not_enough_is_not_judged_over_and_over(gate: Any, waiting: str) -> None:
    gate.rules.enough = 2
    gate.approve(waiting, "ann")
    for _ in range(3):
        await gate.judge()
    assert gate.row(waiting).state is S.NEEDS_APPROVAL
    assert len(gate.rules.seen) == 2
    gate.approve(waiting, "bob")
    await gate.judge()
    assert gate.row(waiting).state is S.PERMITTED


FORGED = {
    "no signature": {"token": ""},
    "another digest": {"action_digest": "0" * 64},
    "another action": {"action_id": "act-other"},
    "a door that is none": {"door": "nowhere"},
}


@pytest.mark.parametrize("changes", FORGED.values(), ids=FORGED)
async def test_an_approval_that_no_door_signed_for_this_action_does_not_count(gate: Any, waiting: str, changes: dict[str, Any]) -> None:
    gate.approve(waiting, "ann")
    good = gate.ledger.approvals(waiting)[0]
    forged = good.model_copy(update={"id": "approval-forged", "by": "eve"} | changes)
    gate.ledger.approve(forged)
    found = [item for item in [good, forged] if item.by == "eve"]
    row = gate.row(waiting)
    counted = approvals.count(
        found, action_id=waiting, digest=row.digest, requester="operator", doors=gate.bench.doors, now=gate.clock.now()
    )
    assert counted.approved_by == ()
    assert len(counted.ignored) == 1


@pytest.mark.parametrize("field", ["by", "decision", "reason", "door", "at", "expires_at", "action_digest", "id"])
async def test_no_field_of_an_approval_can_be_changed_after_it_was_signed(gate: Any, waiting: str, field: str) -> None:
    gate.approve(waiting, "ann", "denied")
    good = gate.ledger.approvals(waiting)[0]
    assert approvals.signed(good, gate.bench.doors)
    later = good.at + timedelta(days=9)
    other = {"decision": "approved", "at": later, "expires_at": later}.get(field, "another")
    assert not approvals.signed(good.model_copy(update={field: other}), gate.bench.doors)


async def test_another_key_under_a_doors_name_signs_nothing(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    stranger = Signer(OKPKey.generate_key("Ed25519"))
    forged = approvals.sign(gate.ledger.approvals(waiting)[0], stranger)
    assert not approvals.signed(forged, gate.bench.doors)


async def test_who_asked_for_it_cannot_approve_it(gate: Any, waiting: str) -> None:
    for name in ("operator", " Operator "):
        gate.approve(waiting, name)
    await gate.judge()
    assert gate.row(waiting).state is S.NEEDS_APPROVAL


async def test_who_asked_for_it_may_deny_it(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "operator", "denied")
    await gate.judge()
    assert gate.row(waiting).state is S.DENIED


async def test_an_expired_approval_does_not_count(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann", expires_at=gate.clock.now() + timedelta(minutes=5))
    gate.clock.advance(301)
    await gate.judge()
    assert gate.row(waiting).state is S.NEEDS_APPROVAL


async def test_silence_expires_and_is_never_consent(gate: Any, waiting: str) -> None:
    gate.clock.advance(24 * 3600)
    await gate.judge()
    await gate.execute()
    assert gate.row(waiting).state is S.EXPIRED
    assert gate.cluster.effects == []


async def test_an_approved_wish_that_is_not_carried_out_expires_on_its_own_clock(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    await gate.judge()
    gate.clock.advance(3601)
    await gate.judge()
    assert gate.row(waiting).state is S.EXPIRED


def test_high_risk_takes_two_people() -> None:
    assert [approvals.people_needed(risk) for risk in Risk] == [1, 1, 2]


async def test_one_person_under_two_spellings_is_one_person(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    gate.approve(waiting, "ANN ")
    row = gate.row(waiting)
    found = gate.ledger.approvals(waiting)
    counted = approvals.count(
        found, action_id=waiting, digest=row.digest, requester="operator", doors=gate.bench.doors, now=gate.clock.now()
    )
    assert len(counted.approved_by) == 1
