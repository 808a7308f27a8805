"""One action from end to end on twins: submitted, judged, permitted, sent, read back, verified or taken back."""

from typing import Any

from core.domain.outcome import ActionState as S


async def test_an_allowed_action_is_permitted_applied_and_verified(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    assert gate.row(action).state is S.PERMITTED
    await gate.execute()
    assert gate.row(action).state is S.APPLIED
    assert gate.replicas == 4
    gate.settle()
    await gate.watch(900)
    assert gate.row(action).state is S.VERIFIED
    assert len(gate.cluster.effects) == 1


async def test_an_action_that_misses_is_taken_back(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    await gate.execute()
    await gate.watch(900)
    row = gate.row(action)
    assert row.state is S.ROLLED_BACK
    assert "rollout complete" in row.note
    assert gate.replicas == 2
    assert len(gate.cluster.effects) == 2
