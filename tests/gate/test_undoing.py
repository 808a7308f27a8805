"""Taking an action back: seen through after a lost reply, held by a stop, and left alone where others wrote."""

from dataclasses import replace
from typing import Any

import pytest

from core.domain.api_request import ApiRequest
from core.domain.errors import Conflict, OutcomeUnknown, Refused
from core.domain.outcome import ActionState as S
from gate import permits, stopping
from gate.executing import undoing
from gate.executing.machine import execute_once


async def missed(gate: Any) -> str:
    """An action whose verification has just failed: the next pass takes it back."""
    action = str(await gate.submit(gate.proposal(gate.scale())))
    await gate.judge()
    await gate.execute()
    row = gate.row(action)
    assert row.state is S.APPLIED
    gate.clock.advance((row.deadline - gate.clock.now()).total_seconds())
    return action


async def unfinished(gate: Any, *, stored: bool) -> str:
    """The reply to the undo was lost, and the row waits for somebody to read back."""
    action = await missed(gate)
    setattr(gate.cluster, "before_reply" if stored else "before_store", gate.lose_the_reply)
    row = gate.row(action)
    await undoing.begin(gate.hands, row, "it missed")
    gate.cluster.before_reply = gate.cluster.before_store = lambda _: None
    assert gate.row(action).state is S.UNDOING
    return action


async def test_an_undo_that_was_stored_is_seen_at_once(gate: Any) -> None:
    action = await missed(gate)
    await undoing.begin(gate.hands, gate.row(action), "pods: 1 of 4")
    assert (gate.row(action).state, gate.row(action).note, gate.replicas) == (S.ROLLED_BACK, "taken back: pods: 1 of 4", 2)


async def test_a_lost_reply_that_was_stored_is_read_back_and_nothing_is_sent_again(gate: Any) -> None:
    action = await unfinished(gate, stored=True)
    await gate.execute()
    assert gate.row(action).state is S.ROLLED_BACK
    assert len(gate.cluster.effects) == 2


async def test_a_lost_reply_that_was_not_stored_is_sent_again_once_it_settled(gate: Any) -> None:
    action = await unfinished(gate, stored=False)
    gate.clock.advance(gate.hands.settle_seconds - 1)
    await gate.execute()
    assert (gate.row(action).state, len(gate.cluster.effects)) == (S.UNDOING, 1)
    gate.clock.advance(1)
    await gate.execute()
    assert (gate.row(action).state, len(gate.cluster.effects), gate.replicas) == (S.ROLLED_BACK, 2, 2)


async def test_what_is_sent_again_waits_for_a_whole_guard(gate: Any) -> None:
    action = await unfinished(gate, stored=False)
    asked: list[str] = []

    async def guard(request: ApiRequest, agent: str) -> None:
        asked.append(agent)
        raise Refused(("the guard is not in force",))

    gate.hands = replace(gate.hands, guard=guard)
    gate.clock.advance(60)
    assert await execute_once(gate.hands) == 1
    assert (gate.row(action).state, asked, len(gate.cluster.effects)) == (S.UNDOING, ["scaling"], 1)


@pytest.mark.parametrize("mode", ["all", "forward"])
async def test_only_a_stop_of_everything_holds_what_is_half_taken_back(gate: Any, mode: str) -> None:
    action = await unfinished(gate, stored=True)
    stopping.stop(gate.ledger, scope="namespace=shop", mode=mode, by="ann", reason="an incident", at=gate.clock.now())
    await gate.execute()
    assert gate.row(action).state is (S.UNDOING if mode == "all" else S.ROLLED_BACK)


async def test_a_target_that_went_or_was_moved_while_it_was_taken_back_is_for_a_person(gate: Any) -> None:
    action = await unfinished(gate, stored=True)
    gate.cluster.object("Deployment", "shop", "cart")["spec"]["replicas"] = 9
    await gate.execute()
    assert gate.row(action).state is S.ESCALATED
    assert gate.row(action).note == "the undo cannot be seen through: spec.replicas was moved by an unknown writer"


async def test_a_target_that_is_gone_is_said_to_be_gone(gate: Any) -> None:
    action = await unfinished(gate, stored=True)
    del gate.cluster.objects["Deployment", "shop", "cart"]
    await gate.execute()
    assert gate.row(action).note == "the undo cannot be seen through: the target is gone"


async def test_what_somebody_else_took_back_already_needs_no_undo(gate: Any) -> None:
    action = await missed(gate)
    gate.cluster.object("Deployment", "shop", "cart")["spec"]["replicas"] = 2
    await gate.execute()
    assert gate.row(action).state is S.ESCALATED
    assert gate.row(action).note.endswith("no undo: somebody else took it back already")
    assert len(gate.cluster.effects) == 1


async def test_an_undo_that_is_refused_is_for_a_person(gate: Any) -> None:
    action = await missed(gate)

    def refuse(_: ApiRequest) -> None:
        raise Conflict("somebody was quicker")

    gate.cluster.before_store = refuse
    await gate.execute()
    assert gate.row(action).state is S.ESCALATED
    assert "the undo was refused: somebody was quicker" in gate.row(action).note


async def test_an_undo_that_was_accepted_and_moved_by_another_at_once_is_read_again(gate: Any) -> None:
    action = await missed(gate)

    def moved(_: ApiRequest) -> None:
        gate.cluster.object("Deployment", "shop", "cart")["spec"]["replicas"] = 9

    gate.cluster.before_reply = moved
    await gate.execute()
    assert gate.row(action).state in (S.UNDOING, S.ESCALATED)
    await gate.execute()
    assert gate.row(action).state is S.ESCALATED


async def test_no_undo_opens_while_its_forward_permit_was_never_used(gate: Any) -> None:
    action = await missed(gate)
    row = gate.row(action)
    other = permits.mint(permits.read(row.permit, gate.hands.judge).model_copy(update={"jti": "permit-never"}), gate.bench.key)
    await undoing.begin(gate.hands, row._replace(permit=other), "it missed")
    assert gate.row(action).state is S.ESCALATED
    assert "never used" in gate.row(action).note
    assert len(gate.cluster.effects) == 1


async def test_a_dry_run_whose_reply_is_lost_sends_nothing(gate: Any) -> None:
    action = await missed(gate)

    class Away:
        async def send(self, *_: Any, dry_run: bool = False, **__: Any) -> Any:
            assert dry_run, "nothing may be sent after that"
            raise OutcomeUnknown("reset")

    await undoing.begin(replace(gate.hands, writer=Away()), gate.row(action), "it missed")
    assert (gate.row(action).state, len(gate.cluster.effects)) == (S.UNDOING, 1)
