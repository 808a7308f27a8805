"""What was done, denied and undone before, to this target and for this wish."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.domain.facts import ChangeFact
from core.domain.outcome import ActionState as S
from core.domain.verdict import Decision, Verdict
from gate.judging import history


def change(old: Any, new: Any, path: str = "spec.replicas") -> ChangeFact:
    return ChangeFact(path=path, old=old, new=new)


OPPOSITES = [
    ("back to where it was", (2, 4), (4, 2), True),
    ("back a little", (2, 4), (4, 3), True),
    ("further the same way", (2, 4), (4, 6), False),
    ("down after down", (6, 4), (4, 2), False),
    ("up after down", (6, 4), (4, 5), True),
    ("from nothing to nothing", (None, "a"), ("a", None), True),
    ("one text after the other", ("a", "b"), ("b", "c"), False),
    ("a text taken back", ("a", "b"), ("b", "a"), True),
    ("truth is no number", (False, True), (True, 7), False),
    ("no move", (4, 4), (4, 2), False),
]


@pytest.mark.parametrize(("then", "now", "against"), [case[1:] for case in OPPOSITES], ids=[case[0] for case in OPPOSITES])
async def test_an_action_is_opposite_when_it_moves_a_field_back(gate: Any, then: Any, now: Any, *, against: bool) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    row = gate.row(action)
    verdict = Verdict.model_validate_json(row.verdict)
    facts = verdict.facts.model_copy(update={"changes": (change(*then), change("x", "y", "spec.other"))})
    kept = row._replace(verdict=verdict.model_copy(update={"facts": facts}).model_dump_json())
    assert history._opposite(kept, (change(*now),)) is against
    assert not history._opposite(kept, (change(*now, "spec.elsewhere"),))
    assert not history._opposite(kept._replace(verdict=""), (change(*now),))


async def past(gate: Any, action: str, *changes: ChangeFact) -> dict[str, Any]:
    return history.past(gate.bench, gate.row(action), changes)


async def second(gate: Any, **how: Any) -> str:
    return str(await gate.submit(gate.proposal(gate.scale(action_id="act-scale2", **how), run="run-2")))


async def test_what_is_under_way_is_open_and_what_waits_for_people_is_not(gate: Any) -> None:
    gate.rules.decision = Decision.NEEDS_APPROVAL
    await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    other = await second(gate, new=5)
    assert (await past(gate, other))["open_actions_on_target"] == 0
    gate.approve("act-scale1", "ann")
    await gate.judge()
    assert gate.row("act-scale1").state is S.PERMITTED
    assert (await past(gate, other))["open_actions_on_target"] == 1
    assert (await past(gate, other))["actions_on_target_24h"] == 0
    assert (await past(gate, "act-scale1"))["open_actions_on_target"] == 0


async def test_what_wrote_within_a_day_counts_with_how_long_ago_it_was_the_other_way(gate: Any) -> None:
    await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    await gate.execute()
    written = gate.row("act-scale1").changed_at
    other = await second(gate, old=4, new=3)
    gate.clock.advance(90)
    found = await past(gate, other, change(4, 3))
    assert (found["actions_on_target_24h"], found["seconds_since_opposite"]) == (1, 90)
    assert (await past(gate, other, change(4, 6)))["seconds_since_opposite"] is None
    gate.clock.advance((written + timedelta(hours=24) - gate.clock.now()).total_seconds())
    assert (await past(gate, other, change(4, 3)))["actions_on_target_24h"] == 1
    gate.clock.advance(1)
    assert (await past(gate, other, change(4, 3)))["actions_on_target_24h"] == 0


async def test_a_denial_holds_for_the_same_wish_for_as_long_as_people_said(gate: Any) -> None:
    gate.rules.decision = Decision.DENY
    await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    same, other = await second(gate), str(await gate.submit(gate.proposal(gate.scale(new=7, action_id="act-scale3"))))
    found = await past(gate, same)
    until = gate.row("act-scale1").changed_at + gate.bench.denial_holds
    assert (found["denied_recently"], found["denied_until"]) == (True, f"{until:%Y-%m-%dT%H:%MZ}")
    assert (await past(gate, other))["denied_recently"] is False
    gate.clock.advance(gate.bench.denial_holds.total_seconds())
    found = await past(gate, same)
    assert (found["denied_recently"], found["denied_until"]) == (False, "")


async def test_a_denial_that_holds_longer_than_a_day_is_still_known(gate: Any) -> None:
    gate.bench = replace(gate.bench, denial_holds=timedelta(hours=48))
    gate.rules.decision = Decision.DENY
    await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    gate.clock.advance(47 * 3600)
    assert (await past(gate, await second(gate)))["denied_recently"] is True


@pytest.mark.parametrize(("decision", "denied"), [(Decision.NEEDS_APPROVAL, True), (Decision.ALLOW, False)])
async def test_peoples_silence_is_a_denial_and_a_permit_that_nobody_used_is_none(gate: Any, decision: Decision, *, denied: bool) -> None:
    gate.rules.decision = decision
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    assert history._denied(gate.row(action)._replace(state=S.EXPIRED)) is denied
    assert not history._denied(gate.row(action)._replace(state=S.EXPIRED, verdict=""))
    assert not history._denied(gate.row(action)._replace(state=S.CANCELLED))


async def test_a_run_has_as_many_actions_as_it_still_means(gate: Any) -> None:
    await gate.submit(gate.proposal(gate.scale()))
    await gate.submit(gate.proposal(gate.cordon()))
    assert (await past(gate, "act-scale1"))["actions_in_run"] == 2
    gate.ledger.move("act-cordon1", S.SUBMITTED, S.CANCELLED, role="test", at=gate.clock.now(), event={})
    assert (await past(gate, "act-scale1"))["actions_in_run"] == 1
