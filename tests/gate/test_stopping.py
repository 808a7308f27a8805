"""The emergency stop holds at once, for everybody, until a person lifts it."""

from typing import Any

import pytest

from core.domain.errors import InvalidInput, Unavailable
from core.domain.outcome import ActionState as S
from gate import stopping

pytestmark = pytest.mark.bypass


def stop(gate: Any, scope: str = "all", mode: str = "all") -> None:
    stopping.stop(gate.ledger, scope=scope, mode=mode, by="ann", reason="an incident", at=gate.clock.now())


@pytest.mark.parametrize("scope", ["all", "agent=scaling", "namespace=shop"])
async def test_a_permitted_action_is_not_sent_while_it_is_stopped(gate: Any, scope: str) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    stop(gate, scope)
    await gate.execute()
    assert gate.row(action).state is S.PERMITTED
    assert gate.cluster.effects == []


async def test_a_stop_between_the_claim_and_the_write_still_holds(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    reader = gate.cluster.get

    async def stops_first(*place: Any) -> Any:
        stop(gate)
        return await reader(*place)

    gate.cluster.get = stops_first
    await gate.execute()
    assert gate.row(action).state is S.SUBMITTED
    assert gate.cluster.effects == []


@pytest.mark.parametrize("scope", ["agent=finops", "namespace=payments"])
async def test_a_stop_of_others_stops_only_them(gate: Any, scope: str) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    stop(gate, scope)
    await gate.execute()
    assert gate.row(action).state is S.APPLIED


@pytest.mark.parametrize(("mode", "state"), [("forward", S.ROLLED_BACK), ("all", S.APPLIED)])
async def test_a_stop_of_forward_writes_lets_undo_through(gate: Any, mode: str, state: S) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    await gate.execute()
    stop(gate, mode=mode)
    await gate.watch(900)
    assert gate.row(action).state is state
    stopping.resume(gate.ledger, scope="all", by="ann", reason="over", at=gate.clock.now())
    await gate.execute()
    assert gate.row(action).state is S.ROLLED_BACK


async def test_the_judge_knows_of_the_stop(gate: Any) -> None:
    stop(gate, "namespace=shop")
    await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    assert gate.rules.seen[-1].stop == "namespace=shop: an incident (ann)"


def test_a_ledger_that_cannot_be_read_stops(gate: Any) -> None:
    assert not stopping.reason_to_stop(gate.ledger, agent="scaling", namespace="shop")
    gate.ledger.down = Unavailable("the ledger")
    assert "cannot be read" in stopping.reason_to_stop(gate.ledger, agent="scaling", namespace="shop", undo=True)


@pytest.mark.parametrize(("scope", "mode"), [("everything", "all"), ("pod=x", "all"), ("all", "half")])
def test_a_stop_of_nothing_known_is_refused(gate: Any, scope: str, mode: str) -> None:
    with pytest.raises(InvalidInput):
        stop(gate, scope, mode)


def test_resuming_what_was_not_stopped_says_so(gate: Any) -> None:
    assert not stopping.resume(gate.ledger, scope="all", by="ann", reason="", at=gate.clock.now())
