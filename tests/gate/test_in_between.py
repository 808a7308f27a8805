"""What happens between two steps of judge or executor: people speak, stops come, permits run out, writes arrive late."""

from dataclasses import replace
from typing import Any

import pytest

from core.domain.api_request import ApiRequest
from core.domain.outcome import ActionState as S
from core.domain.values import Json
from core.domain.verdict import Decision
from gate import stopping
from gate.judging.loop import hear_people


class AfterTheDryRun:
    """A writer on which something happens once, right after a dry run."""

    def __init__(self, writer: Any, deed: Any) -> None:
        self._writer = writer
        self._deeds = [deed]

    async def send(self, request: ApiRequest, *, agent: str, permit: str, dry_run: bool = False) -> Json:
        answer: Json = await self._writer.send(request, agent=agent, permit=permit, dry_run=dry_run)
        if dry_run and self._deeds:
            self._deeds.pop()()
        return answer


async def waiting_for_people(gate: Any) -> str:
    gate.rules.decision = Decision.NEEDS_APPROVAL
    action = str(await gate.submit(gate.proposal(gate.scale())))
    await gate.judge()
    gate.approve(action, "ann")
    hear_people(gate.bench)
    assert gate.row(action).state is S.APPROVED
    return action


async def test_a_denial_that_comes_after_an_approval_was_heard_still_counts(gate: Any) -> None:
    action = await waiting_for_people(gate)
    gate.approve(action, "bert", decision="denied")
    await gate.judge()
    assert gate.row(action).state is S.DENIED
    assert "bert" in gate.row(action).note


async def test_a_denial_that_comes_as_the_permit_is_minted_keeps_it_from_being_sent(gate: Any) -> None:
    action = await waiting_for_people(gate)
    await gate.judge()
    assert gate.row(action).state is S.PERMITTED
    gate.approve(action, "bert", decision="denied")
    await gate.execute()
    await gate.judge()
    assert gate.row(action).state is S.DENIED
    assert gate.cluster.effects == []


async def test_a_permit_that_runs_out_during_the_dry_run_sends_nothing(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    gate.hands = replace(gate.hands, writer=AfterTheDryRun(gate.cluster, lambda: gate.clock.advance(121)))
    await gate.execute()
    assert gate.row(action).state is S.SUBMITTED
    assert gate.cluster.effects == []


async def test_a_stop_that_comes_during_the_undos_dry_run_holds_it(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    await gate.execute()

    def stop() -> None:
        stopping.stop(gate.ledger, scope="all", mode="all", by="ann", reason="an incident", at=gate.clock.now())

    gate.hands = replace(gate.hands, writer=AfterTheDryRun(gate.cluster, stop))
    await gate.watch(900)
    assert gate.row(action).state is S.UNDOING
    assert len(gate.cluster.effects) == 1
    stopping.resume(gate.ledger, scope="all", by="ann", reason="it is over", at=gate.clock.now())
    await gate.watch(60)
    assert gate.row(action).state is S.ROLLED_BACK


@pytest.mark.parametrize(("seconds", "state"), [(60, S.UNKNOWN), (160, S.FAILED)])
async def test_an_unseen_write_has_failed_only_when_nothing_could_store_it_any_more(gate: Any, seconds: int, state: S) -> None:
    """The network may hold a request longer than we wait; admission refuses it once its permit ran out."""
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    gate.cluster.before_store = gate.lose_the_reply
    await gate.execute()
    await gate.watch(seconds)
    assert gate.row(action).state is state


async def test_a_write_that_may_have_been_stored_and_taken_back_is_for_a_person(gate: Any) -> None:
    """The reply was lost, somebody set the old values again before we looked: old values alone do not say that nothing happened."""
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()

    def take_back_and_lose_the_reply(request: ApiRequest) -> None:
        live = gate.cluster.object("Deployment", "shop", "cart")
        live["spec"]["replicas"] = 2
        live["metadata"]["generation"] += 1
        gate.lose_the_reply(request)

    gate.cluster.before_reply = take_back_and_lose_the_reply
    await gate.execute()
    await gate.watch(160)
    assert gate.row(action).state is S.ESCALATED
