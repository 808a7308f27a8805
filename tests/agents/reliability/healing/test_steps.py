"""The table of transitions: every stage has its step, guards hold for any pool, and what is asked for twice has the same name."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.reliability.healing.episode import ENDS, Episode, Stage, Stamp
from agents.reliability.healing.guarding import forbidden, most_sick
from agents.reliability.healing.seeing import Act, Look, Past, Peer, Tenant
from agents.reliability.healing.steps import AT_ONCE, STEPS, TRIES, USUAL, applied, next_step
from core.cluster.machines import Machine
from core.cluster.objects import Condition, Meta, Node, NodeSpec, NodeStatus, Taint
from core.domain.outcome import TERMINAL, ActionState
from core.domain.target import Target

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
NODE = Target(cluster="c-1", kind="Node", name="n1", uid="uid-n1")
S = ActionState


def episode(*stages: Stage, at: datetime = NOON, **more: Any) -> Episode:
    stamps = tuple(Stamp(stage=stage, at=at) for stage in (Stage.SUSPECTED, *stages))
    return Episode(id="heal-0001", node=NODE, pool="a", zone="z", by="controller", stamps=stamps, **more)


def node(ready: str = "Unknown", *, closed: bool = False, taints: tuple[str, ...] = (), minutes: float = 5) -> Node:
    condition = Condition(type="Ready", status=ready, last_transition_time=NOON - timedelta(minutes=minutes))
    return Node(
        metadata=Meta(name="n1", uid="uid-n1"),
        spec=NodeSpec(unschedulable=closed, taints=tuple(Taint(key=key) for key in taints)),
        status=NodeStatus(conditions=(condition,)),
    )


def pod(name: str) -> Target:
    return Target(cluster="c-1", kind="Pod", namespace="shop", name=name, uid=f"uid-{name}")


WELL = tuple(Peer(f"n{number}", "a", "z", well=number > 1) for number in range(1, 6))


def look(item: Node | None, **more: Any) -> Look:
    return Look(**{"now": NOON, "node": item, "peers": WELL, "lease_age": timedelta(minutes=5)} | more)


def test_every_stage_that_is_no_end_has_a_step() -> None:
    assert set(STEPS) == set(Stage) - ENDS


@pytest.mark.parametrize("end", sorted(ENDS))
def test_nothing_follows_an_end(end: Stage) -> None:
    with pytest.raises(KeyError):
        next_step(episode(end), look(node()))


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.booleans(), st.booleans()), min_size=1, max_size=40),
    st.integers(0, 3),
    st.one_of(st.none(), st.integers(0, 30)),
    st.booleans(),
)
def test_what_no_guard_forbids_leaves_enough_well_nodes(
    drawn: list[tuple[str, str, bool, bool]], today: int, ended: int | None, busy: bool
) -> None:
    """For any pool: few are sick, two well ones stay in the zone, a quorum stays, nobody else is at work, and it is not too soon."""
    peers = tuple(Peer(f"n{number}", pool, zone, well, control) for number, (pool, zone, well, control) in enumerate(drawn, 1))
    own = peers[0]
    past = Past("heal-0002" if busy else "", NOON - timedelta(minutes=ended) if ended is not None else None, today)
    one = episode(Stage.CONFIRMED).model_copy(update={"pool": own.pool, "zone": own.zone})
    if forbidden(one, look(node(), peers=peers, past=past)):
        return
    pool = [each for each in peers if each.pool == own.pool]
    assert sum(not each.well or each is own for each in pool) <= max(1, min(3, len(pool) // 5))
    assert sum(each.well for each in peers[1:] if each.zone == own.zone) >= 2
    control = [each for each in peers if each.control]
    assert not own.control or sum(each.well for each in control if each is not own) > len(control) // 2
    assert not busy
    assert today < 2
    assert ended is None or ended >= 10


@pytest.mark.parametrize(("nodes", "most"), [(1, 1), (5, 1), (9, 1), (10, 2), (15, 3), (1000, 3)])
def test_a_fifth_of_a_pool_may_be_sick_and_never_more_than_three(nodes: int, most: int) -> None:
    assert most_sick(nodes) == most


def test_two_signs_of_their_own_kind_are_a_diagnosis_and_one_is_not() -> None:
    one = look(node(), lease_age=None)
    assert next_step(episode(), one).to is None
    assert next_step(episode(), one._replace(lease_age=timedelta(seconds=41))).to is Stage.CONFIRMED
    assert next_step(episode(), one._replace(lease_age=timedelta(seconds=39))).to is None
    assert next_step(episode(), one._replace(machine=Machine("off", "stopped"))).to is Stage.CONFIRMED
    assert next_step(episode(), one._replace(machine=Machine("unknown"))).to is None
    assert next_step(episode(asked="smoke"), one).to is Stage.CONFIRMED
    assert next_step(episode(), one._replace(now=NOON + USUAL.confirm)).to is Stage.ESCALATED


def test_a_node_that_is_ill_for_a_moment_only_is_waited_for() -> None:
    young = look(node(minutes=1), lease_age=None)
    assert next_step(episode(), young).to is None
    assert next_step(episode(), look(node("True"), lease_age=None)).to is Stage.RECOVERED
    assert next_step(episode(), look(None)).to is Stage.RECOVERED


def test_a_cordon_that_is_being_verified_is_waited_for_though_the_node_is_closed() -> None:
    act = Act("act-0001", "cordon_node", NODE.uid, S.APPLIED)
    assert next_step(episode(Stage.CONFIRMED), look(node(closed=True), acts=(act,))).to is None
    assert next_step(episode(Stage.CONFIRMED), look(node(closed=True), acts=(act._replace(state=S.VERIFIED),))).to is Stage.CORDONED


def test_a_node_that_people_closed_is_healed_under_the_same_guards() -> None:
    closed = look(node(closed=True))
    assert next_step(episode(Stage.CONFIRMED), closed).to is Stage.CORDONED
    assert next_step(episode(Stage.CONFIRMED), closed._replace(past=Past(today=2))).to is Stage.HELD


@pytest.mark.parametrize("state", sorted(S))
def test_a_write_that_was_never_stored_is_tried_again_and_any_other_end_is_a_persons(state: ActionState) -> None:
    act = Act("act-0001", "cordon_node", NODE.uid, state, "so it is")
    step = next_step(episode(Stage.CONFIRMED), look(node(), acts=(act,)))
    if state is S.VERIFIED:
        assert step.to is Stage.CORDONED
    elif state is S.FAILED:
        assert step.to is None
        assert step.submit
    elif state in TERMINAL:
        assert step.to is Stage.ESCALATED
        assert "so it is" in step.why
    else:
        assert (step.to, step.submit) == (None, ())


def test_a_write_is_tried_three_times() -> None:
    acts = tuple(Act(f"act-000{number}", "cordon_node", NODE.uid, S.FAILED) for number in range(TRIES))
    assert next_step(episode(Stage.CONFIRMED), look(node(), acts=acts)).to is Stage.ESCALATED


def test_the_same_step_asked_again_gives_the_same_actions_and_the_next_try_another_id() -> None:
    here = episode(Stage.CONFIRMED)
    first, again = (next_step(here, look(node())).submit for _ in range(2))
    assert first == again
    (retry,) = next_step(here, look(node(), acts=(Act(first[0].id, "cordon_node", NODE.uid, S.FAILED),))).submit
    assert retry.id != first[0].id
    (other,) = next_step(here.model_copy(update={"id": "heal-0002"}), look(node())).submit
    assert other.id != first[0].id


def test_a_lost_node_is_fenced_by_people_unless_its_provider_says_that_it_is_off() -> None:
    here = episode(Stage.CONFIRMED, Stage.CORDONED, lost=True)
    kinds = {power: next_step(here, look(node(closed=True), machine=Machine(power))).submit[0].kind for power in ("on", "off", "unknown")}
    assert kinds == {"on": "fence_node", "unknown": "fence_node", "off": "fence_stopped_node"}
    assert next_step(here, look(node(closed=True))).submit[0].kind == "fence_node"
    assert next_step(here, look(node(closed=True, taints=("node.kubernetes.io/out-of-service",)))).to is Stage.FENCED


def test_a_node_that_answers_is_never_fenced() -> None:
    here = episode(Stage.CONFIRMED, Stage.CORDONED, lost=True)
    assert next_step(here, look(node("True", closed=True), machine=Machine("off"))).to is Stage.RECOVERED
    tenants = (Tenant(pod("cart-0"), "ReplicaSet/cart"),)
    drained = next_step(here.model_copy(update={"lost": False}), look(node("False", closed=True), tenants=tenants))
    assert [action.kind for action in drained.submit] == ["evict_pod"]


Budgets = st.one_of(st.none(), st.integers(0, 3))


@given(st.lists(st.tuples(st.sampled_from(("", "x", "y", "z")), Budgets, st.booleans(), st.booleans(), st.booleans()), max_size=20))
def test_a_drain_asks_few_at_once_one_a_budget_and_never_what_a_budget_forbids(
    drawn: list[tuple[str, int | None, bool, bool, bool]],
) -> None:
    tenants = tuple(
        Tenant(pod(f"p{number}"), "ReplicaSet/p", stays, going, budget=name, allowed=allowed if name else None, idle=idle)
        for number, (name, allowed, stays, going, idle) in enumerate(drawn)
    )
    step = next_step(episode(Stage.CONFIRMED, Stage.CORDONED), look(node("False", closed=True), tenants=tenants))
    by_uid = {tenant.pod.uid: tenant for tenant in tenants}
    asked = [(action.kind, by_uid[action.target.uid]) for action in step.submit]
    going = [tenant for tenant in tenants if tenant.going and not tenant.stays]
    assert len(asked) + len(going) <= max(AT_ONCE, len(going))
    budgets = [tenant.budget for tenant in (*going, *(tenant for _, tenant in asked)) if tenant.budget]
    assert len([name for _, tenant in asked if (name := tenant.budget)]) == len({tenant.budget for _, tenant in asked if tenant.budget})
    for kind, tenant in asked:
        assert not tenant.stays
        assert not tenant.going
        assert budgets.count(tenant.budget) <= 1 or not tenant.budget
        if tenant.allowed == 0:
            assert (kind, tenant.idle) == ("delete_pod", True)
    assert (step.to is Stage.DRAINED) == all(tenant.stays for tenant in tenants)


def test_a_blocked_drain_names_its_budget_and_goes_to_a_person_after_fifteen_minutes() -> None:
    here = episode(Stage.CONFIRMED, Stage.CORDONED)
    tenants = (Tenant(pod("cart-0"), "ReplicaSet/cart", budget="shop/cart", allowed=0),)
    blocked = look(node("False", closed=True), tenants=tenants)
    assert (next_step(here, blocked).to, next_step(here, blocked).submit) == (None, ())
    late = next_step(here, blocked._replace(now=NOON + USUAL.drain))
    assert late.to is Stage.ESCALATED
    assert "shop/cart allows none" in late.why


def test_volumes_are_waited_for_and_a_fence_that_was_taken_back_ends_it() -> None:
    held = look(node(closed=True), volumes=("csi-1",))
    for stage in (Stage.DRAINED, Stage.FENCED):
        assert next_step(episode(stage), held).to is None
        assert next_step(episode(stage), held._replace(volumes=())).to is Stage.RELEASED
        assert next_step(episode(stage), held._replace(now=NOON + USUAL.release)).to is Stage.ESCALATED
    fence = Act("act-0001", "fence_node", NODE.uid, S.ROLLED_BACK)
    assert next_step(episode(Stage.FENCED), held._replace(acts=(fence,))).to is Stage.ESCALATED


def test_another_machine_is_made_by_an_action_where_it_is_an_object_and_asked_for_where_it_is_not() -> None:
    here = episode(Stage.RELEASED)
    of = Target(cluster="c-1", group="cluster.x-k8s.io", kind="Machine", namespace="capi", name="m1", uid="uid-m1")
    step = next_step(here, look(node(), machine=Machine("off", target=of)))
    assert [action.kind for action in step.submit] == ["replace_machine"]
    assert not step.replace
    step = next_step(here, look(node(), machine=Machine("off")))
    assert (step.to, step.replace, step.submit) == (Stage.REPLACED, True, ())
    step = next_step(here, look(node()))
    assert (step.to, step.replace) == (Stage.REPLACED, False)
    assert "left to people" in step.why


def test_it_is_healed_when_all_was_well_for_ten_minutes_without_a_break() -> None:
    here, well = episode(Stage.REPLACED), look(None)
    calm = applied(here, next_step(here, well), well)
    later = well._replace(now=NOON + timedelta(minutes=9))
    assert next_step(calm, later).to is None
    broken = later._replace(short=("shop/deployment/cart has 1 of 2 ready",))
    assert applied(calm, next_step(calm, broken), broken).calm_since is None
    assert next_step(calm, well._replace(now=NOON + USUAL.calm)).to is Stage.HEALED
    assert next_step(here, broken._replace(now=NOON + USUAL.verify)).to is Stage.ESCALATED


def test_an_episode_keeps_whether_it_was_lost_and_whose_pods_it_had() -> None:
    mine = Target(cluster="c-1", group="apps", kind="Deployment", namespace="shop", name="cart", uid="uid-cart")
    seen = look(node(), owners=(mine,))
    one = applied(episode(), next_step(episode(), seen), seen)
    assert (one.stage, one.lost, one.owners) == (Stage.CONFIRMED, True, (mine,))
    assert Episode.model_validate(one.model_dump(mode="json"), strict=False) == one
