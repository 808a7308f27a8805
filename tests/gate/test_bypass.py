"""Ways past the executor's own checks, each tried: a row, a permit or a world that is not what was judged."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.domain.api_request import ApiRequest
from core.domain.outcome import ActionState as S
from core.domain.permit import Permit
from core.domain.values import canonical
from gate import permits
from gate.executing.machine import execute_once

pytestmark = pytest.mark.bypass


async def permitted(gate: Any) -> str:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    assert gate.row(action).state is S.PERMITTED
    return str(action)


def rewrite(gate: Any, action: str, **columns: Any) -> None:
    """What somebody with the ledger's file could do, but not with the judge's key."""
    gate.ledger._actions[action] = gate.row(action)._replace(**columns)


def request(gate: Any, action: str, **changes: Any) -> str:
    made = ApiRequest.model_validate_json(gate.row(action).request).model_copy(update=changes)
    return canonical(made).decode()


REWRITTEN: dict[str, Callable[[Any, str], dict[str, Any]]] = {
    "another body": lambda gate, action: {"request": request(gate, action, body={"spec": {"replicas": 99}})},
    "another object": lambda gate, action: {"request": request(gate, action, name="web")},
    "another namespace": lambda gate, action: {"request": request(gate, action, namespace="payments")},
    "another resource": lambda gate, action: {"request": request(gate, action, resource="statefulsets")},
    "a subresource": lambda gate, action: {"request": request(gate, action, subresource="scale")},
    "another verb": lambda gate, action: {"request": request(gate, action, verb="delete")},
    "another agent": lambda gate, action: {"agent": "finops"},
    "another target": lambda gate, action: {"target_uid": "uid-web"},
    "another digest": lambda gate, action: {"digest": "0" * 64},
    "another verdict": lambda gate, action: {"verdict": gate.row(action).verdict.replace("guarded", "auto")},
    "no request": lambda gate, action: {"request": "{}"},
    "no JSON": lambda gate, action: {"request": "rm -rf"},
    "no permit": lambda gate, action: {"permit": ""},
    "the undo permit": lambda gate, action: {"permit": gate.row(action).undo_permit},
    "no way back": lambda gate, action: {"undo_permit": ""},
    "another way back": lambda gate, action: {"undo_request": request(gate, action, body={"spec": {"replicas": 0}})},
    "the forward permit as undo permit": lambda gate, action: {"undo_permit": gate.row(action).permit},
}


@pytest.mark.parametrize("change", REWRITTEN.values(), ids=REWRITTEN)
async def test_a_row_that_was_rewritten_sends_nothing(gate: Any, change: Callable[[Any, str], dict[str, Any]]) -> None:
    gate.cluster.put(gate.deployment("web"))
    action = await permitted(gate)
    rewrite(gate, action, **change(gate, action))
    await gate.execute()
    assert gate.row(action).state is S.FAILED
    assert gate.cluster.effects == []


MISJUDGED: dict[str, dict[str, Any]] = {
    "another post-state": {"post": "0" * 64},
    "another generation": {"generation": 7},
}


@pytest.mark.parametrize("claims", MISJUDGED.values(), ids=MISJUDGED)
async def test_a_permit_for_another_state_goes_back_to_the_judge(gate: Any, claims: dict[str, Any]) -> None:
    action = await permitted(gate)
    permit = permits.read(gate.row(action).permit, gate.hands.judge)
    rewrite(gate, action, permit=permits.mint(permit.model_copy(update=claims), gate.bench.key))
    await gate.execute()
    assert gate.row(action).state is S.SUBMITTED
    assert gate.cluster.effects == []


async def test_an_undo_permit_for_another_inverse_sends_nothing_forward(gate: Any) -> None:
    action = await permitted(gate)
    undo = permits.read(gate.row(action).undo_permit, gate.hands.judge)
    rewrite(gate, action, undo_permit=permits.mint(undo.model_copy(update={"inverse": "0" * 64}), gate.bench.key))
    await gate.execute()
    assert gate.row(action).state is S.FAILED


async def test_a_permit_that_was_spent_opens_nothing(gate: Any) -> None:
    action = await permitted(gate)
    permit = permits.read(gate.row(action).permit, gate.hands.judge)
    gate.ledger.spend(permit.jti, "another", gate.clock.now())
    await gate.execute()
    assert gate.row(action).state is S.FAILED
    assert "spent before" in gate.row(action).note
    assert gate.cluster.effects == []


async def test_a_permit_of_another_cluster_opens_nothing(gate: Any) -> None:
    action = await permitted(gate)

    async def elsewhere() -> str:
        return "cluster-2"

    gate.cluster.cluster_uid = elsewhere
    await gate.execute()
    assert gate.row(action).state is S.FAILED
    assert gate.cluster.effects == []


async def test_a_permit_that_ran_out_is_judged_again_at_most_three_times(gate: Any) -> None:
    action = await permitted(gate)
    for _ in range(4):
        gate.clock.advance(121)
        await gate.execute()
        if gate.row(action).state is S.SUBMITTED:
            await gate.judge()
    assert gate.row(action).state is S.EXPIRED
    assert gate.cluster.effects == []


async def test_a_target_that_was_made_anew_under_its_old_name_is_left_alone(gate: Any) -> None:
    action = await permitted(gate)
    gate.cluster.object("Deployment", "shop", "cart")["metadata"]["uid"] = "uid-new"
    await gate.execute()
    assert gate.row(action).state is S.FAILED
    assert "another object" in gate.row(action).note


async def test_what_changed_between_verdict_and_write_is_judged_again(gate: Any) -> None:
    action = await permitted(gate)
    live = gate.cluster.object("Deployment", "shop", "cart")
    live["spec"]["paused"] = True
    live["metadata"]["generation"] = 2
    await gate.execute()
    assert gate.row(action).state is S.SUBMITTED
    assert "changed since it was judged" in gate.row(action).note


async def test_a_mutating_webhook_that_adds_to_the_write_is_noticed_in_the_dry_run(gate: Any) -> None:
    action = await permitted(gate)
    honest = gate.cluster._changed

    def adds(asked: ApiRequest) -> Any:
        found = honest(asked)
        found["spec"]["template"]["spec"]["hostNetwork"] = True
        return found

    gate.cluster._changed = adds
    await gate.execute()
    assert gate.row(action).state is S.SUBMITTED
    assert gate.cluster.effects == []


async def test_an_undo_without_its_forward_opens_nothing(gate: Any) -> None:
    action = await permitted(gate)
    row = gate.row(action)
    live = gate.cluster.object("Deployment", "shop", "cart")
    live["spec"]["replicas"] = 4
    kept = {"at": gate.clock.now().isoformat(), "before": gate.deployment(), "after": live}
    rewrite(gate, action, state=S.UNDOING, before=gate.hands.keep(row, kept), changed_at=row.changed_at)
    gate.clock.advance(10)
    await gate.execute()
    assert gate.row(action).state is S.ESCALATED
    assert "never used" in gate.row(action).note
    assert gate.cluster.effects == []


Kept = dict[str, Any]
FORGED: dict[str, Callable[[Any, str, Kept], str]] = {
    "unsigned": lambda gate, action, kept: canonical(kept).decode(),
    "an empty seal": lambda gate, action, kept: canonical({**kept, "seal": ""}).decode(),
    "signed by the judge": lambda gate, action, kept: replace(gate.hands, key=gate.bench.key).keep(gate.row(action), kept),
    "a permit as seal": lambda gate, action, kept: canonical({**kept, "seal": gate.row(action).permit}).decode(),
    "of another action": lambda gate, action, kept: gate.hands.keep(gate.row(action)._replace(digest="0" * 64), kept),
    "of another state": lambda gate, action, kept: gate.hands.keep(gate.row(action), kept).replace('"replicas":2', '"replicas":1'),
    "no object": lambda gate, action, kept: "[1]",
    "no JSON": lambda gate, action, kept: "[" + "9" * 5000,
}


@pytest.mark.parametrize("state", [S.UNKNOWN, S.APPLIED, S.UNDOING])
@pytest.mark.parametrize("forged", FORGED)
async def test_a_row_by_hand_that_says_what_was_sent_is_nobodys(gate: Any, state: S, forged: str) -> None:
    """Nothing was: it ends where a person looks, neither as verified nor as taken back."""
    action = await permitted(gate)
    row, live = gate.row(action), gate.cluster.object("Deployment", "shop", "cart")
    after = {**live, "spec": {**live["spec"], "replicas": 2}}
    text = FORGED[forged](gate, action, {"at": gate.clock.now().isoformat(), "before": live, "after": after})
    rewrite(gate, action, state=state, before=text, changed_at=row.changed_at)
    gate.clock.advance(10)
    await gate.execute()
    assert gate.row(action).state is S.ESCALATED
    assert "no executor signed that it sent this" in gate.row(action).note
    assert gate.cluster.effects == []


async def test_a_row_that_is_moved_behind_its_claim_is_let_go(gate: Any) -> None:
    """By somebody with the ledger, between the claim and the look at it."""
    action = await permitted(gate)
    ledger = _MovedBehindTheClaim(gate, action)
    await execute_once(replace(gate.hands, ledger=ledger))
    assert gate.row(action).state is S.EXPIRED
    assert gate.cluster.effects == []


class _MovedBehindTheClaim:
    """The ledger, and somebody who is quick."""

    def __init__(self, gate: Any, action: str) -> None:
        self._gate, self._action = gate, action

    def claim(self, action_id: str, owner: str, at: Any) -> int | None:
        epoch: int | None = self._gate.ledger.claim(action_id, owner, at)
        rewrite(self._gate, self._action, state=S.EXPIRED)
        return epoch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gate.ledger, name)


async def test_an_undo_that_would_change_more_than_we_did_is_not_sent(gate: Any) -> None:
    action = await permitted(gate)
    await gate.execute()
    honest = gate.cluster._changed

    def adds(asked: ApiRequest) -> Any:
        found = honest(asked)
        found["spec"]["template"]["spec"]["hostNetwork"] = True
        return found

    gate.cluster._changed = adds
    await gate.watch(900)
    assert gate.row(action).state is S.ESCALATED
    assert "something else than what we changed" in gate.row(action).note
    assert len(gate.cluster.effects) == 1


async def test_no_permit_or_key_stands_in_the_audit_chain(gate: Any) -> None:
    action = await permitted(gate)
    await gate.execute()
    await gate.watch(900)
    told = "".join(row.body for row in gate.ledger.chain())
    row = gate.row(action)
    assert row.permit not in told
    assert row.undo_permit.split(".")[2] not in told
    assert isinstance(permits.read(row.permit, gate.hands.judge), Permit)
