"""What the executor does with a row at each pass: whose it takes up, what it sends back, what it counts, when it looks again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.domain.api_request import ApiRequest
from core.domain.errors import Corrupt, OutcomeUnknown, Refused, Unavailable
from core.domain.outcome import ActionState as S
from gate import permits, stopping
from gate.executing.hands import request_of
from gate.executing.machine import ATTEMPTS, execute_once, resume
from gate.keys import Verifier, signer


async def permitted(gate: Any) -> str:
    action = str(await gate.submit(gate.proposal(gate.scale())))
    await gate.judge()
    assert gate.row(action).state is S.PERMITTED
    return action


async def applied(gate: Any) -> str:
    action = await permitted(gate)
    await gate.execute()
    assert gate.row(action).state is S.APPLIED
    return action


async def unknown(gate: Any, *, stored: bool = True) -> str:
    """The reply to a write was lost."""
    action = await permitted(gate)
    setattr(gate.cluster, "before_reply" if stored else "before_store", gate.lose_the_reply)
    found = gate.cluster.get

    async def away(*place: Any) -> Any:
        if gate.row(action).state is S.UNKNOWN:
            raise Unavailable("the API server")
        return await found(*place)

    gate.cluster.get = away
    await gate.execute()
    gate.cluster.get = found
    assert gate.row(action).state is S.UNKNOWN
    return action


def moves(gate: Any, action: str) -> list[str]:
    return [row.event for row in gate.ledger.chain() if row.subject == action]


async def test_without_work_nobody_waits_and_a_row_that_cannot_go_on_is_counted(gate: Any) -> None:
    assert await execute_once(gate.hands) == 0
    await unknown(gate)
    assert await execute_once(gate.hands) == 0
    gate.cluster.get = raising(Unavailable("the API server"))
    gate.clock.advance(60)
    assert await execute_once(gate.hands) == 1
    assert gate.row("act-scale1").state is S.APPLIED


def raising(error: Exception) -> Callable[..., Any]:
    async def call(*_: Any) -> Any:
        raise error

    return call


async def test_a_damaged_ledger_ends_the_pass_and_is_no_row_that_waits(gate: Any) -> None:
    await unknown(gate)
    gate.cluster.get = raising(Corrupt("the chain"))
    with pytest.raises(Corrupt):
        await execute_once(gate.hands)


@pytest.mark.parametrize("ours", [True, False])
async def test_a_pass_takes_up_what_this_very_process_left_half_done(gate: Any, *, ours: bool) -> None:
    action = await permitted(gate)
    gate.ledger.claim(action, gate.hands.owner if ours else "executor-9", gate.clock.now())
    gate.rules.decision = "deny"
    await gate.execute()
    assert gate.row(action).state is (S.SUBMITTED if ours else S.CLAIMED)
    if not ours:
        await resume(gate.hands)
        assert gate.row(action).state is S.SUBMITTED


async def test_a_row_that_another_process_took_first_is_left_to_it(gate: Any) -> None:
    action = await permitted(gate)

    class Second:
        """A ledger on which somebody else is always a moment quicker."""

        def __getattr__(self, name: str) -> Any:
            return getattr(gate.ledger, name)

        def claim(self, action_id: str, owner: str, at: Any) -> int | None:
            gate.ledger.claim(action_id, "executor-9", at)
            lost: int | None = gate.ledger.claim(action_id, owner, at)
            return lost

    gate.hands = replace(gate.hands, ledger=Second())
    await gate.execute()
    row = gate.row(action)
    assert (row.state, row.owner, gate.cluster.effects) == (S.CLAIMED, "executor-9", [])


async def test_a_permit_that_ends_in_this_very_second_goes_back_to_the_judge_and_not_to_its_end(gate: Any) -> None:
    action = await permitted(gate)
    exp = permits.read(gate.row(action).permit, gate.hands.judge).exp
    gate.clock.advance(exp - gate.clock.now().timestamp())
    await gate.execute()
    assert (gate.row(action).state, gate.row(action).attempts) == (S.SUBMITTED, 1)


async def test_a_target_that_is_gone_before_the_write_ends_it(gate: Any) -> None:
    action = await permitted(gate)
    del gate.cluster.objects["Deployment", "shop", "cart"]
    await gate.execute()
    assert gate.row(action).state is S.FAILED
    assert "is gone" in gate.row(action).note


async def test_a_stop_in_between_is_no_attempt_and_a_moved_target_is_one(gate: Any) -> None:
    action = await permitted(gate)

    async def stops(*_: Any) -> None:
        stopping.stop(gate.ledger, scope="all", mode="all", by="ann", reason="an incident", at=gate.clock.now())

    gate.hands = replace(gate.hands, guard=stops)
    await gate.execute()
    assert (gate.row(action).state, gate.row(action).attempts) == (S.SUBMITTED, 0)
    stopping.resume(gate.ledger, scope="all", by="ann", reason="over", at=gate.clock.now())
    await gate.judge()
    gate.cluster.object("Deployment", "shop", "cart")["metadata"]["generation"] += 1
    await gate.execute()
    assert (gate.row(action).state, gate.row(action).attempts) == (S.SUBMITTED, 1)


async def test_the_wish_has_expired_after_the_third_fresh_look_and_not_before(gate: Any) -> None:
    action = str(await gate.submit(gate.proposal(gate.scale())))
    for attempt in range(1, ATTEMPTS + 2):
        await gate.judge()
        gate.cluster.object("Deployment", "shop", "cart")["metadata"]["generation"] += 1
        await gate.execute()
        assert gate.row(action).state is (S.SUBMITTED if attempt <= ATTEMPTS else S.EXPIRED)


async def test_a_write_that_was_seen_at_once_was_never_unknown(gate: Any) -> None:
    action = await applied(gate)
    assert not [event for event in moves(gate, action) if "unknown" in event]


async def test_a_write_that_was_accepted_but_cannot_be_read_back_is_unknown_until_it_can(gate: Any) -> None:
    action = await permitted(gate)
    found = gate.cluster.get
    gate.cluster.before_reply = lambda _: setattr(gate.cluster, "get", raising(Unavailable("the API server")))
    await gate.execute()
    assert gate.row(action).state is S.UNKNOWN
    assert "reading back failed" in gate.row(action).note
    gate.cluster.get = found
    await gate.execute()
    assert gate.row(action).state is S.APPLIED
    assert len(gate.cluster.effects) == 1


async def test_a_write_that_was_accepted_and_at_once_moved_by_another_is_for_a_person(gate: Any) -> None:
    action = await permitted(gate)

    def moved(_: ApiRequest) -> None:
        gate.cluster.object("Deployment", "shop", "cart")["spec"]["replicas"] = 9

    gate.cluster.before_reply = moved
    await gate.execute()
    assert gate.row(action).state is S.ESCALATED
    assert "spec.replicas" in gate.row(action).note


async def test_a_target_that_is_gone_before_a_lost_reply_was_read_back_is_for_a_person(gate: Any) -> None:
    action = await unknown(gate)
    del gate.cluster.objects["Deployment", "shop", "cart"]
    await gate.execute()
    assert gate.row(action).state is S.ESCALATED
    assert "the target is gone" in gate.row(action).note


async def test_a_write_that_nobody_saw_has_failed_when_it_settled_and_no_server_takes_its_permit_any_more(gate: Any) -> None:
    action = await unknown(gate, stored=False)
    exp = permits.read(gate.row(action).permit, gate.hands.judge).exp
    gate.clock.advance(exp + permits.SKEW_SECONDS - 1 - gate.clock.now().timestamp())
    await gate.execute()
    assert gate.row(action).state is S.UNKNOWN
    gate.clock.advance(1)
    await gate.execute()
    assert gate.row(action).state is S.FAILED


async def test_it_settles_as_long_as_the_settings_say_also_after_its_permit_ran_out(gate: Any) -> None:
    gate.hands = replace(gate.hands, settle_seconds=300)
    action = await unknown(gate, stored=False)
    since = gate.row(action).changed_at
    gate.clock.advance((since + timedelta(seconds=299) - gate.clock.now()).total_seconds())
    await gate.execute()
    assert gate.row(action).state is S.UNKNOWN
    gate.clock.advance(1)
    await gate.execute()
    assert gate.row(action).state is S.FAILED


async def test_values_of_before_on_an_object_that_was_written_since_are_for_a_person_only_once_it_settled(gate: Any) -> None:
    action = await unknown(gate, stored=False)
    gate.cluster.object("Deployment", "shop", "cart")["metadata"]["generation"] += 1
    await gate.execute()
    assert gate.row(action).state is S.UNKNOWN
    gate.clock.advance(160)
    await gate.execute()
    assert gate.row(action).state is S.ESCALATED


async def test_with_a_key_that_no_permit_was_signed_by_what_was_not_seen_is_for_a_person(gate: Any, tmp_path: Any) -> None:
    """The judge's key was made anew meanwhile: the old permit opens nothing, and what it pinned cannot be read."""
    action = await unknown(gate, stored=False)
    stranger: Verifier = signer(tmp_path / "other", "judge").verifier
    gate.hands = replace(gate.hands, judge=stranger)
    gate.clock.advance(gate.hands.settle_seconds)
    await gate.execute()
    assert gate.row(action).state is S.ESCALATED


async def test_a_kind_without_generations_that_shows_its_old_values_has_failed(gate: Any) -> None:
    action = str(await gate.submit(gate.proposal(gate.cordon())))
    await gate.judge()
    gate.cluster.before_store = gate.lose_the_reply
    await gate.execute()
    gate.clock.advance(160)
    await gate.execute()
    assert gate.row(action).state is S.FAILED


async def test_looks_begin_after_settling_come_at_their_distance_and_end_with_the_watch(gate: Any) -> None:
    action = await applied(gate)
    row = gate.row(action)
    assert row.next_look_at is not None
    assert row.deadline is not None
    assert gate.clock.now() < row.next_look_at < row.deadline
    gate.clock.advance((row.next_look_at - gate.clock.now()).total_seconds() - 1)
    await gate.execute()
    assert gate.row(action).looks == row.looks
    gate.clock.advance(1)
    await gate.execute()
    looked = gate.row(action)
    assert looked.looks != row.looks
    assert looked.next_look_at == gate.clock.now() + timedelta(seconds=30)
    gate.clock.advance((row.deadline - gate.clock.now()).total_seconds() - 10)
    await gate.execute()
    assert gate.row(action).next_look_at == row.deadline
    gate.clock.advance(9)
    await gate.execute()
    assert gate.row(action).state is S.APPLIED
    gate.clock.advance(1)
    await gate.execute()
    assert gate.row(action).state is S.ROLLED_BACK


async def test_an_undo_whose_reply_was_lost_is_read_back_and_not_sent_again(gate: Any) -> None:
    action = await applied(gate)

    def lose(request: ApiRequest) -> None:
        raise OutcomeUnknown("the connection broke after the request was sent")

    gate.cluster.before_reply = lose
    await gate.watch(900)
    assert gate.row(action).state is S.ROLLED_BACK
    assert len(gate.cluster.effects) == 2


async def test_a_request_for_a_resource_that_is_none_of_ours_is_refused_and_not_sent(gate: Any) -> None:
    action = await permitted(gate)
    row = gate.row(action)
    odd = row.request.replace('"deployments"', '"secrets"')
    with pytest.raises(Refused, match="no resource that day2 writes"):
        await gate.hands.live(request_of(odd))
    with pytest.raises(Refused, match="holds no request"):
        request_of("{}")


async def test_a_move_says_why_only_where_there_is_a_reason(gate: Any) -> None:
    action = await permitted(gate)
    await gate.execute()
    bodies = [row.body for row in gate.ledger.chain() if row.subject == action and row.role == "executor"]
    assert any('"note"' in body for body in bodies)
    assert any('"note"' not in body and '"owner"' in body for body in bodies)
