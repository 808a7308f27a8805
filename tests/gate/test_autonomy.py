"""Which rows of the ledger count for an agent's autonomy: those that the judge permitted on this cluster, by their state alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.domain.ledger import ActionRow
from core.domain.objective import Autonomy, Objectives
from core.domain.outcome import ActionState as S
from gate.judging import history

SCOPE = ("scale_workload", "shop")


@pytest.fixture
async def verified(gate: Any) -> ActionRow:
    """One action of the judge's own permit that ended well."""
    await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    await gate.execute()
    gate.settle()
    await gate.watch(900)
    row: ActionRow = gate.row("act-scale1")
    assert row.state is S.VERIFIED
    return row


def outcomes(gate: Any, cluster: str = "cluster-1") -> Any:
    return history.outcomes(gate.ledger, SCOPE, cluster, gate.bench.record_key)


def forge(gate: Any, row: ActionRow, number: int, **changes: Any) -> None:
    name = f"act-forged{number}"
    gate.ledger._actions[name] = row._replace(action_id=name, digest=f"{number:064}", target_uid=f"uid-{number}", **changes)


async def test_what_the_judge_permitted_and_the_executor_verified_counts(gate: Any, verified: ActionRow) -> None:
    assert [(item.target, item.verified) for item in outcomes(gate)] == [("uid-cart", True)]


async def test_what_was_done_on_another_cluster_does_not_count(gate: Any, verified: ActionRow) -> None:
    assert outcomes(gate, "cluster-2") == []


@pytest.mark.parametrize("permit", ["", "x", None])
async def test_rows_without_a_permit_of_their_own_do_not_count(gate: Any, verified: ActionRow, permit: str | None) -> None:
    for number in range(60):
        forge(gate, verified, number, permit=verified.permit if permit is None else permit)
    assert len(outcomes(gate)) == 1


async def test_ten_thousand_forged_notes_change_no_level(gate: Any, verified: ActionRow) -> None:
    before = outcomes(gate)
    for number in range(10_000):
        gate.ledger.record(role="executor", event="verified", subject=f"act-{number}", body={"note": "verified"}, at=gate.clock.now())
    for number in range(300):
        forge(gate, verified, number, state=S.FAILED, note="verified, and very well")
    assert outcomes(gate) == before


async def test_forged_hits_do_not_crowd_out_a_miss(gate: Any, verified: ActionRow) -> None:
    forge(gate, verified, 0, state=S.ROLLED_BACK)
    for number in range(1, 500):
        forge(gate, verified, number, submitted_at=verified.submitted_at + timedelta(seconds=number))
    assert False in [item.verified for item in outcomes(gate)]


@pytest.mark.parametrize("state", [S.ROLLED_BACK, S.ESCALATED, S.UNKNOWN])
async def test_what_missed_or_is_not_known_lowers(gate: Any, verified: ActionRow, state: S) -> None:
    gate.ledger._actions["act-scale1"] = verified._replace(state=state)
    assert [item.verified for item in outcomes(gate)] == [False]


@pytest.mark.parametrize("state", [S.FAILED, S.DENIED, S.EXPIRED, S.CANCELLED, S.PERMITTED, S.APPLIED])
async def test_what_changed_nothing_or_is_not_over_says_nothing(gate: Any, verified: ActionRow, state: S) -> None:
    gate.ledger._actions["act-scale1"] = verified._replace(state=state)
    assert outcomes(gate) == []


async def test_the_judge_starts_where_people_vouched_and_at_suggest_where_nobody_did(gate: Any) -> None:
    (objective,) = gate.bench.objectives.items
    silent = objective.model_copy(update={"vouched": {}, "autonomy": {"*": Autonomy.AUTO}})
    gate.bench = replace(gate.bench, objectives=Objectives(items=(silent,)))
    await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    assert gate.rules.seen[-1].autonomy == "suggest"


async def test_what_the_assessor_found_wrong_is_a_miss(gate: Any, verified: ActionRow) -> None:
    gate.ledger.record(role="assessor", event="assessment.missed", subject=verified.action_id, body={}, at=gate.clock.now())
    assert [(item.target, item.verified) for item in outcomes(gate)] == [("uid-cart", False)]


async def test_nothing_that_is_written_of_an_action_makes_a_hit_of_it(gate: Any, verified: ActionRow) -> None:
    gate.ledger._actions[verified.action_id] = verified._replace(state=S.ROLLED_BACK)
    for event in ("assessment.missed", "assessment.done", "verified"):
        gate.ledger.record(role="assessor", event=event, subject=verified.action_id, body={"outcome": "sound"}, at=gate.clock.now())
    assert [(item.target, item.verified) for item in outcomes(gate)] == [("uid-cart", False)]


async def test_other_chains_and_other_actions_say_nothing(gate: Any, verified: ActionRow) -> None:
    gate.ledger.record(role="controller", event="assessment.missed", subject=verified.action_id, body={}, at=gate.clock.now())
    gate.ledger.record(role="assessor", event="assessment.missed", subject="act-other1", body={}, at=gate.clock.now())
    assert [(item.target, item.verified) for item in outcomes(gate)] == [("uid-cart", True)]
