"""Only people approve, each once, for exactly one action; silence, forgery and who asked for it do not."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from core.domain.action import Risk
from core.domain.approval import Approval
from core.domain.outcome import ActionState as S
from core.domain.values import canonical
from core.domain.verdict import Decision, RuleResult, Verdict
from gate import approvals
from gate.judging.loop import hear_people
from gate.keys import Signer


@pytest.fixture
async def waiting(gate: Any) -> str:
    gate.rules.decision = Decision.NEEDS_APPROVAL
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    assert gate.row(action).state is S.NEEDS_APPROVAL
    return str(action)


async def test_an_approved_action_goes_back_to_the_judge_and_then_runs(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    await gate.judge()
    assert gate.row(waiting).state is S.PERMITTED
    assert gate.rules.seen[-1].approvals == ("ann",)


async def test_facts_that_changed_while_people_thought_still_deny(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    gate.rules.decision = Decision.DENY
    await gate.judge()
    assert gate.row(waiting).state is S.DENIED


async def test_one_denial_ends_it(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann", "denied")
    gate.approve(waiting, "bob")
    await gate.judge()
    assert gate.row(waiting).state is S.DENIED
    assert "denied by ann" in gate.row(waiting).note


async def test_an_approval_that_was_not_enough_is_not_judged_over_and_over(gate: Any, waiting: str) -> None:
    gate.rules.enough = 2
    gate.approve(waiting, "ann")
    for _ in range(3):
        await gate.judge()
    assert gate.row(waiting).state is S.NEEDS_APPROVAL
    assert len(gate.rules.seen) == 2
    gate.approve(waiting, "bob")
    await gate.judge()
    assert gate.row(waiting).state is S.PERMITTED


FORGED = {
    "no signature": {"token": ""},
    "another digest": {"action_digest": "0" * 64},
    "another action": {"action_id": "act-other"},
    "a door that is none": {"door": "nowhere"},
}


@pytest.mark.parametrize("changes", FORGED.values(), ids=FORGED)
async def test_an_approval_that_no_door_signed_for_this_action_does_not_count(gate: Any, waiting: str, changes: dict[str, Any]) -> None:
    gate.approve(waiting, "ann")
    good = gate.ledger.approvals(waiting)[0]
    forged = good.model_copy(update={"id": "approval-forged", "by": "eve"} | changes)
    gate.ledger.approve(forged)
    found = [item for item in [good, forged] if item.by == "eve"]
    row = gate.row(waiting)
    counted = approvals.count(found, approvals.Wish(waiting, row.digest, "operator"), approvals.Hearing(gate.bench.doors, gate.clock.now()))
    assert counted.approved_by == ()
    assert len(counted.ignored) == 1


@pytest.mark.parametrize("field", ["by", "decision", "groups", "reason", "door", "at", "expires_at", "action_digest", "id"])
async def test_no_field_of_an_approval_can_be_changed_after_it_was_signed(gate: Any, waiting: str, field: str) -> None:
    gate.approve(waiting, "ann", "denied")
    good = gate.ledger.approvals(waiting)[0]
    assert approvals.signed(good, gate.bench.doors)
    later = good.at + timedelta(days=9)
    other = {"decision": "approved", "at": later, "expires_at": later, "groups": ("another",)}.get(field, "another")
    assert not approvals.signed(good.model_copy(update={field: other}), gate.bench.doors)


async def test_another_key_under_a_doors_name_signs_nothing(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    stranger = Signer(OKPKey.generate_key("Ed25519"))
    forged = approvals.sign(gate.ledger.approvals(waiting)[0], stranger)
    assert not approvals.signed(forged, gate.bench.doors)


async def test_who_asked_for_it_cannot_approve_it(gate: Any, waiting: str) -> None:
    for name in ("operator", " Operator "):
        gate.approve(waiting, name)
    await gate.judge()
    assert gate.row(waiting).state is S.NEEDS_APPROVAL


async def test_who_asked_for_it_may_deny_it(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "operator", "denied")
    await gate.judge()
    assert gate.row(waiting).state is S.DENIED


async def test_an_expired_approval_does_not_count(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann", expires_at=gate.clock.now() + timedelta(minutes=5))
    gate.clock.advance(301)
    await gate.judge()
    assert gate.row(waiting).state is S.NEEDS_APPROVAL


async def test_silence_expires_and_is_never_consent(gate: Any, waiting: str) -> None:
    gate.clock.advance(24 * 3600)
    await gate.judge()
    await gate.execute()
    assert gate.row(waiting).state is S.EXPIRED
    assert gate.cluster.effects == []


async def test_an_approved_wish_that_is_not_carried_out_expires_on_its_own_clock(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    await gate.judge()
    gate.clock.advance(3601)
    await gate.judge()
    assert gate.row(waiting).state is S.EXPIRED


def test_high_risk_takes_two_people() -> None:
    assert [approvals.people_needed(risk) for risk in Risk] == [1, 1, 2]


async def test_one_person_under_two_spellings_is_one_person(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    gate.approve(waiting, "ANN ")
    row = gate.row(waiting)
    found = gate.ledger.approvals(waiting)
    counted = approvals.count(found, approvals.Wish(waiting, row.digest, "operator"), approvals.Hearing(gate.bench.doors, gate.clock.now()))
    assert len(counted.approved_by) == 1


KUBE_ANN, KUBE_BOB, KUBE_CAT = (f"kube:cluster-1:{name} local:{name}" for name in ("ann", "bob", "cat"))
SERVICE = "kube:cluster-1:system:serviceaccount:shop:ci local:eve"


class Counting:
    """Decisions on one wish, signed as the door does, and what they amount to."""

    def __init__(self, gate: Any) -> None:
        self.gate = gate
        self.wish = approvals.Wish("act-1", "d" * 64, "kube:cluster-1:operator local:operator", "cluster-1")

    def said(self, by: str, decision: Any = "approved", **changes: Any) -> Approval:
        now = self.gate.clock.now()
        told = {"id": f"apr-{by}-{decision}", "action_id": "act-1", "action_digest": "d" * 64, "door": "cli", "reason": "looked at it"}
        made = Approval(**told | {"by": by, "decision": decision, "at": now, "expires_at": now + timedelta(hours=1)} | changes)
        return approvals.sign(made, self.gate.person)

    def count(self, *found: Approval, earlier: Any = (), paused: tuple[str, ...] = (), per_hour: int = 20, **wish: Any) -> approvals.Count:
        hearing = approvals.Hearing(self.gate.bench.doors, self.gate.clock.now(), earlier, per_hour, paused)
        return approvals.count(found, self.wish._replace(**wish), hearing)


@pytest.fixture
def counting(gate: Any) -> Counting:
    return Counting(gate)


def test_accounts_that_no_cluster_knows_count_once_together(counting: Counting) -> None:
    found = [counting.said(by) for by in ("local:ann", "local:bob", SERVICE)]
    assert len(counting.count(*found).approved_by) == 1
    assert len(counting.count(*found, counting.said(KUBE_CAT)).approved_by) == 2


def test_an_account_approves_nothing_of_high_risk(counting: Counting) -> None:
    weak = [counting.said("local:dan"), counting.said(SERVICE)]
    assert counting.count(*weak, risk=Risk.HIGH).approved_by == ()
    assert counting.count(*weak, counting.said(KUBE_ANN), risk=Risk.HIGH).approved_by == (KUBE_ANN,)
    both = counting.count(*weak, counting.said(KUBE_ANN), counting.said(KUBE_BOB), risk=Risk.HIGH)
    assert both.approved_by == (KUBE_ANN, KUBE_BOB)


@pytest.mark.parametrize("first", [False, True])
def test_an_account_takes_nobodys_place(counting: Counting, first: bool) -> None:
    """Two users of the cluster at one account are two people, also beside that account alone."""
    alone = counting.said("local:ops", at=counting.gate.clock.now() - timedelta(minutes=first))
    users = [counting.said(f"kube:cluster-1:{name} local:ops") for name in ("ann", "bob")]
    assert len(counting.count(alone, *users).approved_by) == 2


@pytest.mark.parametrize(
    ("requester", "by"),
    [
        ("local:bob", KUBE_BOB),
        (KUBE_BOB, "local:bob"),
        (KUBE_BOB, "kube:cluster-1:BOB local:other"),
        (KUBE_BOB, "kube:cluster-1:bob"),
    ],
)
def test_who_asked_cannot_approve_through_another_door(counting: Counting, requester: str, by: str) -> None:
    counted = counting.count(counting.said(by), requester=requester)
    assert (counted.approved_by, "who asked cannot approve" in counted.ignored[0]) == ((), True)


def test_a_person_of_another_cluster_approves_nothing_here(counting: Counting) -> None:
    assert counting.count(counting.said("kube:cluster-2:ann local:ann")).approved_by == ()


@pytest.mark.parametrize("risk", list(Risk))
@pytest.mark.parametrize(("owner", "groups"), [("ann", ()), ("group:owners", ("owners",)), ("KUBE:cluster-1:ann", ())])
def test_the_owner_of_the_agent_alone_is_not_enough(counting: Counting, risk: Risk, owner: str, groups: tuple[str, ...]) -> None:
    owning = counting.said(KUBE_ANN, groups=groups)
    alone = counting.count(owning, risk=risk, owners=(owner,))
    assert (alone.approved_by, "owner alone" in alone.ignored[0]) == ((), True)
    assert counting.count(owning, counting.said(KUBE_BOB), risk=risk, owners=(owner,)).approved_by == (KUBE_ANN, KUBE_BOB)


def test_two_owners_are_still_owners_alone(counting: Counting) -> None:
    found = [counting.said(by, groups=("owners",)) for by in (KUBE_ANN, KUBE_BOB)]
    assert counting.count(*found, risk=Risk.HIGH, owners=("group:owners",)).approved_by == ()


async def test_the_judge_knows_the_owner_from_the_grant(gate: Any, waiting: str) -> None:
    gate.bench = replace(gate.bench, grants=tuple(grant.model_copy(update={"owner": "ann"}) for grant in gate.bench.grants))
    gate.approve(waiting, KUBE_ANN)
    await gate.judge()
    assert gate.row(waiting).state is S.NEEDS_APPROVAL
    gate.approve(waiting, KUBE_BOB)
    await gate.judge()
    assert gate.row(waiting).state is S.PERMITTED


def test_a_denial_by_anybody_counts_also_after_an_approval_by_the_same_person(counting: Counting) -> None:
    for by in ("local:ann", KUBE_ANN, "kube:cluster-2:ann local:x", "kube:cluster-1:operator"):
        assert counting.count(counting.said(KUBE_ANN), counting.said(by, "denied")).denied is not None


def test_what_was_signed_for_one_action_does_not_count_for_another(counting: Counting) -> None:
    good = counting.said(KUBE_ANN)
    for other in ({"action_id": "act-2"}, {"digest": "e" * 64}):
        assert counting.count(good, **other).approved_by == ()
    assert counting.count(good, good.model_copy(update={"id": "apr-replayed"}), risk=Risk.HIGH).approved_by == (KUBE_ANN,)


def test_a_token_of_another_sort_from_the_same_key_is_no_approval(counting: Counting) -> None:
    good = counting.said(KUBE_ANN)
    other = counting.gate.person.sign(good.model_dump(mode="json", exclude={"token", "groups"}), typ="day2-permit+jwt")
    assert counting.count(good.model_copy(update={"token": other})).approved_by == ()


def test_nobody_approves_more_than_so_many_cards_within_an_hour(counting: Counting) -> None:
    now = counting.gate.clock.now()
    earlier = [counting.said(KUBE_ANN, id=f"apr-{number}", at=now - timedelta(minutes=number)) for number in range(1, 4)]
    assert counting.count(counting.said(KUBE_ANN), earlier=earlier, per_hour=4).approved_by == (KUBE_ANN,)
    assert counting.count(counting.said(KUBE_ANN), earlier=earlier, per_hour=3).approved_by == ()
    assert counting.count(counting.said(KUBE_BOB), earlier=earlier, per_hour=3).approved_by == (KUBE_BOB,)
    an_hour_ago = [item.model_copy(update={"at": now - timedelta(hours=1)}) for item in earlier]
    assert counting.count(counting.said(KUBE_ANN), earlier=an_hour_ago, per_hour=3).approved_by == (KUBE_ANN,)


def test_an_hour_begins_after_its_first_moment_and_ends_with_the_decision_itself(counting: Counting) -> None:
    now = counting.gate.clock.now()
    for at, crowded in (
        (now - timedelta(hours=1), False),
        (now - timedelta(minutes=59), True),
        (now, True),
        (now + timedelta(seconds=1), False),
    ):
        earlier = [counting.said(KUBE_ANN, id="apr-other", at=at)]
        assert (counting.count(counting.said(KUBE_ANN), earlier=earlier, per_hour=1).approved_by == ()) is crowded


def test_a_denial_that_no_door_signed_or_of_another_action_denies_nothing(counting: Counting) -> None:
    good = counting.said(KUBE_ANN)
    for denial in (
        counting.said(KUBE_BOB, "denied").model_copy(update={"token": "x"}),
        counting.said(KUBE_BOB, "denied", action_id="act-2"),
        counting.said(KUBE_BOB, "denied", action_digest="e" * 64),
    ):
        found = counting.count(good, denial)
        assert (found.denied, found.approved_by, len(found.ignored)) == (None, (KUBE_ANN,), 1)


def test_of_two_denials_the_first_is_told(counting: Counting) -> None:
    now = counting.gate.clock.now()
    found = [counting.said(by, "denied", at=now - timedelta(minutes=minutes)) for by, minutes in ((KUBE_ANN, 1), (KUBE_BOB, 2))]
    denied = counting.count(*found).denied
    assert denied is not None
    assert denied.by == KUBE_BOB


def test_an_approval_ends_at_its_very_moment_and_counts_from_its_own(counting: Counting) -> None:
    now = counting.gate.clock.now()
    assert counting.count(counting.said(KUBE_ANN, expires_at=now)).approved_by == ()
    assert counting.count(counting.said(KUBE_ANN, expires_at=now + timedelta(seconds=1))).approved_by == (KUBE_ANN,)
    assert counting.count(counting.said(KUBE_ANN, at=now + timedelta(seconds=1))).approved_by == ()


def test_where_no_cluster_matters_people_of_any_count(counting: Counting) -> None:
    assert counting.count(counting.said(KUBE_ANN), cluster="").approved_by == (KUBE_ANN,)


def test_groups_are_signed_where_there_are_any(counting: Counting) -> None:
    door = counting.gate.bench.doors["cli"]
    for groups in ((), ("sre",)):
        claims = door.claims(counting.said(KUBE_ANN, groups=groups).token, typ=approvals.TYPE)
        assert ("groups" in claims) is bool(groups)
        assert "token" not in claims


def test_rows_that_nobody_signed_use_up_nobodys_hour(counting: Counting) -> None:
    forged = [counting.said(KUBE_ANN, id=f"apr-{number}").model_copy(update={"token": "x"}) for number in range(9)]
    assert counting.count(counting.said(KUBE_ANN), earlier=forged, per_hour=3).approved_by == (KUBE_ANN,)


async def test_the_judge_counts_the_cards_of_an_hour_over_all_actions(gate: Any, waiting: str) -> None:
    gate.bench = replace(gate.bench, cards_per_hour=1)
    await gate.submit(gate.proposal(gate.cordon()))
    await gate.judge()
    gate.approve("act-cordon1", KUBE_ANN)
    gate.clock.advance(60)
    gate.approve(waiting, KUBE_ANN)
    await gate.judge()
    assert (gate.row("act-cordon1").state, gate.row(waiting).state) == (S.PERMITTED, S.NEEDS_APPROVAL)


async def test_a_late_approval_wakes_nothing(gate: Any, waiting: str) -> None:
    gate.clock.advance(24 * 3600)
    await gate.judge()
    assert gate.approve(waiting, "ann"), "the row is stored whoever writes it"
    await gate.judge()
    await gate.execute()
    assert (gate.row(waiting).state, gate.cluster.effects) == (S.EXPIRED, [])


async def test_an_approval_and_the_end_of_its_time_at_one_moment_is_an_end(gate: Any, waiting: str) -> None:
    gate.clock.advance(24 * 3600)
    gate.approve(waiting, "ann")
    await gate.judge()
    assert gate.row(waiting).state is S.EXPIRED


async def test_two_judges_that_hear_the_same_approval_permit_it_once(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    await asyncio.gather(gate.judge(), gate.judge())
    await gate.execute()
    assert [row.event for row in gate.ledger.chain() if row.event == "permitted"] == ["permitted"]
    assert len(gate.cluster.effects) == 1


async def test_a_denial_that_comes_while_an_approved_action_waits_for_the_judge_still_ends_it(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    hear_people(gate.bench)
    assert gate.row(waiting).state is S.APPROVED
    gate.approve(waiting, "bob", "denied")
    await gate.judge()
    await gate.execute()
    assert (gate.row(waiting).state, gate.cluster.effects) == (S.DENIED, [])


async def test_an_object_that_was_changed_after_the_approval_is_not_changed_again(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    gate.cluster.object("Deployment", "shop", "cart")["spec"]["replicas"] = 7
    gate.rules.judge = FailsOnARefusedDryRun(gate.rules).judge
    await gate.judge()
    await gate.execute()
    assert (gate.row(waiting).state, gate.cluster.effects) == (S.DENIED, [])


async def test_an_object_that_was_made_again_under_its_name_is_not_what_was_approved(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    gate.cluster.object("Deployment", "shop", "cart")["metadata"]["uid"] = "uid-of-another"
    await gate.judge()
    await gate.execute()
    assert gate.cluster.effects == []


class FailsOnARefusedDryRun:
    """The one rule that this test needs of the built-in ones."""

    def __init__(self, rules: Any) -> None:
        self._rules = rules

    def judge(self, action: Any, facts: Any) -> Any:
        found = self._rules.__class__.judge(self._rules, action, facts)
        said = RuleResult(rule="dry-run-ok", result="pass" if facts.dry_run_ok else "fail", on_fail=Decision.DENY)
        return (*found, said)


async def test_another_action_in_the_row_than_was_approved_is_denied(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    row = gate.row(waiting)
    more = canonical(gate.proposal(gate.scale(new=40))).decode()
    gate.ledger._actions[waiting] = row._replace(proposal=more)
    await gate.judge()
    await gate.execute()
    assert (gate.row(waiting).state, gate.cluster.effects) == (S.DENIED, [])


async def test_another_digest_in_the_row_finds_no_approval(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    gate.ledger._actions[waiting] = gate.row(waiting)._replace(digest="0" * 64)
    await gate.judge()
    assert gate.row(waiting).state is S.NEEDS_APPROVAL


async def test_a_row_that_says_approved_without_approvals_waits_for_people(gate: Any, waiting: str) -> None:
    gate.ledger._actions[waiting] = gate.row(waiting)._replace(state=S.APPROVED)
    await gate.judge()
    await gate.execute()
    assert (gate.row(waiting).state, gate.cluster.effects) == (S.NEEDS_APPROVAL, [])


async def test_approvals_in_a_forged_verdict_are_no_approvals(gate: Any, waiting: str) -> None:
    verdict = Verdict.model_validate_json(gate.row(waiting).verdict)
    forged = verdict.model_copy(update={"facts": verdict.facts.model_copy(update={"approvals": ("ann",)})})
    gate.ledger._actions[waiting] = gate.row(waiting)._replace(verdict=canonical(forged).decode(), state=S.APPROVED)
    await gate.judge()
    assert gate.row(waiting).state is S.NEEDS_APPROVAL
    assert gate.rules.seen[-1].approvals == ()


async def test_a_thousand_replays_of_one_approval_have_one_effect(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann")
    (kept,) = gate.ledger.approvals(waiting)
    await gate.judge()
    await gate.execute()
    for number in range(1000):
        gate.ledger.approve(kept.model_copy(update={"by": f"eve-{number}"}))
        gate.ledger.approve(kept)
    await gate.judge()
    await gate.execute()
    assert len(gate.cluster.effects) == 1
    assert gate.rules.seen[-1].approvals == ("ann",)


async def test_the_note_of_a_denial_says_until_when_it_holds(gate: Any, waiting: str) -> None:
    gate.approve(waiting, "ann", "denied")
    await gate.judge()
    assert gate.row(waiting).note == "denied by ann until 2026-11-23T13:00Z: looked at it"
