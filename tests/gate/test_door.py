"""The gate as the flow sees it: submit, look, wait, cancel."""

import asyncio
from typing import Any

import pytest

from core.domain.errors import InvalidInput
from core.domain.outcome import ActionState as S
from core.domain.submitting import Standing
from core.domain.verdict import Decision


async def test_a_duplicate_of_an_open_wish_is_answered_and_not_stored(gate: Any) -> None:
    await gate.door.submit(gate.proposal(gate.scale()), by="operator")
    again = await gate.door.submit(gate.proposal(gate.scale(action_id="act-scale2")), by="operator")
    assert again.state is S.CANCELLED
    assert "open already" in again.note
    assert gate.ledger.get("act-scale2") is None


async def test_the_standing_tells_decision_and_reasons(gate: Any) -> None:
    gate.rules.decision = Decision.DENY
    action = await gate.submit(gate.proposal(gate.scale()))
    assert await gate.door.standing(action) == Standing(action, S.SUBMITTED, "", "", ())
    await gate.judge()
    found = await gate.door.standing(action)
    assert (found.state, found.decision, found.reasons) == (S.DENIED, "deny", ("table: the table says so",))


async def test_waiting_ends_when_the_action_has_left_the_states(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    waiting = asyncio.create_task(gate.door.until(action, S.SUBMITTED))
    await asyncio.sleep(0)
    assert not waiting.done()
    await gate.judge()
    gate.clock.advance(1)
    assert (await waiting).state is S.PERMITTED


async def test_what_was_not_sent_can_be_cancelled(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    found = await gate.door.cancel(action, by="ann", reason="not today")
    assert (found.state, found.note) == (S.CANCELLED, "cancelled by ann: not today")
    await gate.execute()
    assert gate.cluster.effects == []


async def test_what_was_sent_cannot_be_cancelled(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    await gate.execute()
    assert (await gate.door.cancel(action, by="ann", reason="too late")).state is S.APPLIED


async def test_an_unknown_action_is_said_to_be_unknown(gate: Any) -> None:
    with pytest.raises(InvalidInput, match="no action"):
        await gate.door.standing("act-none")
