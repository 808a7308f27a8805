"""What a schedule takes away holds at the judge: it can only lower, and no window is outlived."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.domain.objective import Autonomy, Objective, Objectives, Scope
from core.domain.outcome import ActionState as S
from core.domain.proposal import Leash
from core.domain.verdict import Decision
from core.policy.engine import builtin
from gate import permits
from tests.gate.conftest import START


def granted(gate: Any, level: Autonomy) -> None:
    trust = {"*": level}
    objective = Objective(name="shop", scope=Scope(namespaces=("shop",)), serves="reliability", priority=1, autonomy=trust, vouched=trust)
    gate.bench = replace(gate.bench, rules=builtin(), objectives=Objectives(items=(objective,)))


@pytest.mark.parametrize(
    ("ceiling", "level", "state"),
    [
        ("observe", Autonomy.AUTO, S.DENIED),
        ("suggest", Autonomy.AUTO, S.NEEDS_APPROVAL),
        ("guarded", Autonomy.AUTO, S.PERMITTED),
        ("auto", Autonomy.AUTO, S.PERMITTED),
        ("auto", Autonomy.SUGGEST, S.NEEDS_APPROVAL),
        ("auto", Autonomy.OBSERVE, S.DENIED),
        ("guarded", Autonomy.SUGGEST, S.NEEDS_APPROVAL),
    ],
)
async def test_the_lower_of_ceiling_and_grant_holds(gate: Any, ceiling: Any, level: Autonomy, state: S) -> None:
    granted(gate, level)
    action = await gate.submit(gate.proposal(gate.scale(), leash=Leash(ceiling=ceiling)))
    await gate.judge()
    assert gate.row(action).state is state, gate.row(action).note
    await gate.execute()
    assert (gate.replicas == 4) == (state is S.PERMITTED)


async def test_what_waits_for_a_person_is_written_once_one_said_yes(gate: Any) -> None:
    granted(gate, Autonomy.AUTO)
    action = await gate.submit(gate.proposal(gate.scale(), leash=Leash(ceiling="suggest", until=START + timedelta(hours=2))))
    await gate.judge()
    gate.approve(action, "ann")
    await gate.judge()
    await gate.execute()
    assert gate.replicas == 4


async def test_an_approval_after_the_window_writes_nothing(gate: Any) -> None:
    granted(gate, Autonomy.AUTO)
    action = await gate.submit(gate.proposal(gate.scale(), leash=Leash(ceiling="suggest", until=START + timedelta(minutes=30))))
    await gate.judge()
    assert gate.row(action).expires_at == START + timedelta(minutes=30)
    gate.clock.advance(1800)
    gate.approve(action, "ann")
    await gate.judge()
    await gate.execute()
    assert gate.row(action).state is S.EXPIRED
    assert gate.replicas == 2


async def test_an_approval_that_nobody_gives_expires_and_is_never_waived(gate: Any) -> None:
    gate.rules.decision = Decision.NEEDS_APPROVAL
    action = await gate.submit(gate.proposal(gate.scale(), leash=Leash(ceiling="suggest")))
    for _ in range(25):
        await gate.judge()
        await gate.execute()
        gate.clock.advance(3600)
    await gate.judge()
    assert (gate.row(action).state, gate.replicas) == (S.EXPIRED, 2)
    assert "nobody approved it in time" in gate.row(action).note


async def test_no_permit_outlives_the_window_and_an_approved_action_does_not_wait_past_it(gate: Any) -> None:
    granted(gate, Autonomy.AUTO)
    until = START + timedelta(seconds=40)
    action = await gate.submit(gate.proposal(gate.scale(), leash=Leash(until=until)))
    await gate.judge()
    permit = permits.read(gate.row(action).permit, gate.hands.judge)
    assert permit.exp == int(until.timestamp())
    gate.clock.advance(40)
    await gate.execute()
    await gate.judge()
    await gate.execute()
    assert (gate.row(action).state, gate.replicas) == (S.EXPIRED, 2)


async def test_a_way_back_is_not_shut_by_the_window(gate: Any) -> None:
    granted(gate, Autonomy.AUTO)
    action = await gate.submit(gate.proposal(gate.scale(), leash=Leash(until=START + timedelta(seconds=40))))
    await gate.judge()
    await gate.execute()
    assert gate.replicas == 4
    await gate.watch(1200)  # the new pods never come up
    assert (gate.row(action).state, gate.replicas) == (S.ROLLED_BACK, 2)
