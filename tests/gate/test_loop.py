"""One pass of the judge: what it counts, what ends it, and what it writes beside a row that ends."""

from datetime import timedelta
from typing import Any

import pytest

from core.domain.action import Risk
from core.domain.errors import Corrupt, Unavailable
from core.domain.outcome import ActionState as S
from core.domain.verdict import Decision
from gate.judging.loop import floor, judge_once


def raising(error: Exception) -> Any:
    async def call(*_: Any) -> Any:
        raise error

    return call


async def test_what_cannot_be_judged_for_now_is_counted_and_waits(gate: Any) -> None:
    assert await judge_once(gate.bench) == 0
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.submit(gate.proposal(gate.cordon()))
    gate.cluster.cluster_uid = raising(Unavailable("the API server"))
    assert await judge_once(gate.bench) == 2
    assert gate.row(action).state is S.SUBMITTED


async def test_a_damaged_ledger_ends_the_pass(gate: Any) -> None:
    await gate.submit(gate.proposal(gate.scale()))
    gate.cluster.cluster_uid = raising(Corrupt("the chain"))
    with pytest.raises(Corrupt):
        await judge_once(gate.bench)


async def test_after_a_pass_nobody_waits(gate: Any) -> None:
    await gate.submit(gate.proposal(gate.scale()))
    assert await judge_once(gate.bench) == 0


async def test_who_let_a_wish_run_out_is_told(gate: Any) -> None:
    await gate.submit(gate.proposal(gate.scale()))
    gate.rules.decision = Decision.NEEDS_APPROVAL
    await gate.judge()
    gate.clock.advance((gate.row("act-scale1").expires_at - gate.clock.now()).total_seconds())
    await gate.judge()
    assert (gate.row("act-scale1").state, gate.row("act-scale1").note) == (S.EXPIRED, "nobody approved it in time")
    await gate.submit(gate.proposal(gate.cordon(), expires_at=gate.clock.now() + timedelta(minutes=1)))
    gate.clock.advance(60)
    await gate.judge()
    assert (gate.row("act-cordon1").state, gate.row("act-cordon1").note) == (S.EXPIRED, "it was not carried out in time")


async def test_a_permit_gives_its_wish_at_least_five_minutes_more(gate: Any) -> None:
    now = gate.clock.now()
    await gate.submit(gate.proposal(gate.scale(), expires_at=now + timedelta(minutes=1)))
    await gate.submit(gate.proposal(gate.cordon(), expires_at=now + timedelta(hours=1)))
    await gate.judge()
    assert gate.row("act-scale1").expires_at == now + timedelta(minutes=5)
    assert gate.row("act-cordon1").expires_at == now + timedelta(hours=1)


async def test_an_object_that_cannot_be_understood_denies_and_says_so(gate: Any) -> None:
    gate.cluster.object("Deployment", "shop", "cart")["metadata"]["generation"] = "soon"
    await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    assert gate.row("act-scale1").state is S.DENIED
    assert "cannot be understood" in gate.row("act-scale1").note


def test_two_people_are_enough_for_high_risk(gate: Any) -> None:
    class High:
        risk = Risk.HIGH

    assert floor(High(), ("ann", "bob")) == ()  # type: ignore[arg-type]
    assert floor(High(), ("ann",)) != ()  # type: ignore[arg-type]
