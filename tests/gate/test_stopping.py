"""The emergency stop holds at once, for everybody, until a person lifts it."""

from typing import Any

import pytest

from core.domain.errors import InvalidInput, Refused, Unavailable
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


def test_what_was_stopped_is_told_and_can_be_read(gate: Any) -> None:
    row = stopping.stop(gate.ledger, scope="agent=finops", mode="forward", by="ann", reason="an incident", at=gate.clock.now())
    assert row == stopping.StopRow("agent=finops", "forward", "ann", "an incident", gate.clock.now())
    assert gate.ledger.stops() == [row]


@pytest.mark.parametrize("undo", [False, True])
def test_only_a_stop_of_forward_writes_lets_only_undo_through(gate: Any, *, undo: bool) -> None:
    def held() -> bool:
        return bool(stopping.reason_to_stop(gate.ledger, agent="scaling", namespace="shop", undo=undo))

    stop(gate, "namespace=shop", "forward")
    assert held() is not undo
    stop(gate, "agent=scaling", "all")
    assert held()


def test_a_paused_person_stops_no_write_and_another_person_must_resume(gate: Any) -> None:
    stop(gate, "approver=bert")
    stop(gate, "namespace=payments")
    assert stopping.paused(gate.ledger) == ("bert",)
    assert not stopping.reason_to_stop(gate.ledger, agent="scaling", namespace="shop")
    with pytest.raises(Refused):
        stopping.resume(gate.ledger, scope="approver=bert", by="bert", reason="it was nothing", at=gate.clock.now())
    assert stopping.resume(gate.ledger, scope="approver=bert", by="ann", reason="we talked", at=gate.clock.now())
    assert stopping.paused(gate.ledger) == ()


def test_who_stopped_all_may_resume_all_whatever_their_name(gate: Any) -> None:
    stop(gate)
    assert stopping.resume(gate.ledger, scope="all", by="all", reason="over", at=gate.clock.now())
