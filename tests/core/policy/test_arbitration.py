import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.action import Change
from core.domain.finding import Severity
from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from core.domain.proposal import Proposal
from core.domain.target import Target
from core.domain.values import canonical
from core.policy.arbitration import Arbitration, Recent, Surroundings, arbitrate, recent_from
from core.policy.contention import Pool, wanted

Make = Callable[..., Proposal]
Target_ = Callable[..., Target]


def ids(outcome: Arbitration) -> tuple[list[str], dict[str, str]]:
    return [winner.action.id for winner in outcome.winners], {held.proposal.action.id: held.by for held in outcome.held}


def nodes(cpu_milli: int) -> tuple[Pool, ...]:
    return (Pool("the open nodes", "cpu_milli", cpu_milli, firm=False),)


def test_proposals_on_different_workloads_all_go_on(make_proposal: Make, make_target: Target_, now: datetime) -> None:
    outcome = arbitrate([make_proposal("act-0001", target=make_target("a")), make_proposal("act-0002", target=make_target("b"))], now=now)
    assert ids(outcome) == (["act-0001", "act-0002"], {})


def test_the_higher_priority_wins_one_target_and_the_other_is_told_why(make_proposal: Make, now: datetime) -> None:
    cut, grow = (
        make_proposal("act-0001", agent="finops", priority=40, saving=10**9),
        make_proposal("act-0002", agent="scaling", priority=90),
    )
    outcome = arbitrate([cut, grow], now=now)
    assert ids(outcome) == (["act-0002"], {"act-0001": "act-0002"})
    assert outcome.held[0].reason == "both change shop/deployment/catalog: scaling goes first by priority 90 against 40"


def test_severity_then_effect_then_id_settle_a_tie(make_proposal: Make, now: datetime) -> None:
    mild, severe = make_proposal("act-0001", findings=("f-1",)), make_proposal("act-0002", findings=("f-2",))
    around = Surroundings(severity_of={"f-1": Severity.LOW, "f-2": Severity.CRITICAL})
    assert ids(arbitrate([mild, severe], now=now, around=around))[0] == ["act-0002"]
    small, large = make_proposal("act-0001", saving=5), make_proposal("act-0002", saving=9)
    outcome = arbitrate([small, large], now=now)
    assert outcome.held[0].reason.endswith("goes first by saving")
    assert ids(arbitrate([make_proposal("act-0002"), make_proposal("act-0001")], now=now))[0] == ["act-0001"]


def test_an_autoscaler_and_its_workload_are_one_target(make_proposal: Make, make_target: Target_, now: datetime) -> None:
    workload, autoscaler = make_target("front", uid="u-w"), make_target("front-hpa", kind="HorizontalPodAutoscaler", uid="u-h")
    proposals = [make_proposal("act-0001", target=workload), make_proposal("act-0002", target=autoscaler, priority=90)]
    assert len(arbitrate(proposals, now=now).winners) == 2
    known = Surroundings(workload_of={"u-h": "u-w"})
    assert ids(arbitrate(proposals, now=now, around=known)) == (["act-0002"], {"act-0001": "act-0002"})
    same_name = make_target("front", kind="HorizontalPodAutoscaler", uid="u-h")
    proposals = [make_proposal("act-0001", target=workload), make_proposal("act-0002", target=same_name, priority=90)]
    assert ids(arbitrate(proposals, now=now))[0] == ["act-0002"]


def test_a_service_account_of_the_same_name_is_another_target(make_proposal: Make, make_target: Target_, now: datetime) -> None:
    proposals = [make_proposal("act-0001"), make_proposal("act-0002", target=make_target(kind="Node", namespace=""))]
    assert len(arbitrate(proposals, now=now).winners) == 2


def test_the_same_uid_in_two_clusters_is_two_targets(make_proposal: Make, make_target: Target_, now: datetime) -> None:
    targets = [make_target(cluster="c-1", uid="u"), make_target(cluster="c-2", uid="u")]
    assert len(arbitrate([make_proposal(f"act-000{n}", target=target) for n, target in enumerate(targets)], now=now).winners) == 2


def test_the_same_wish_of_two_agents_goes_on_once(make_proposal: Make, now: datetime) -> None:
    outcome = arbitrate([make_proposal("act-0001", knob=5), make_proposal("act-0002", knob=5, agent="scaling")], now=now)
    assert outcome.held[0].reason == "finops asks for the same; one is enough"


def test_capacity_is_given_by_rank_until_it_is_gone(make_proposal: Make, make_target: Target_, now: datetime) -> None:
    wishes = [("act-0001", 10, 3000), ("act-0002", 90, 3000), ("act-0003", 50, 500), ("act-0004", 5, -9000)]
    proposals = [make_proposal(name, target=make_target(name), priority=priority, cpu=cpu) for name, priority, cpu in wishes]
    outcome = arbitrate(proposals, now=now, around=Surroundings(pools=nodes(4000)))
    assert ids(outcome) == (["act-0002", "act-0003", "act-0004"], {"act-0001": "act-0002"})
    assert outcome.held[0].reason == (
        "it wants 3000m CPU of the open nodes, and 500m CPU would be left of 4000m CPU free: finops goes first by priority 90 against 10"
    )


def test_one_wish_alone_over_the_capacity_is_for_the_judge(make_proposal: Make, now: datetime) -> None:
    assert len(arbitrate([make_proposal("act-0001", cpu=9000)], now=now, around=Surroundings(pools=nodes(4000))).winners) == 1


@pytest.fixture
def cut(make_target: Target_, now: datetime) -> Recent:
    change = Change(path="spec.replicas", old=4, new=2)
    return Recent("act-old1", "finops", make_target(), (change,), 50, now - timedelta(minutes=10))


@pytest.mark.parametrize(
    ("change", "priority", "minutes", "held"),
    [
        (("spec.replicas", 2, 4), 50, 10, True),
        (("spec.replicas", 2, 3), 50, 10, True),
        (("spec.replicas", "2", "9"), 50, 10, True),
        (("spec.replicas", 2, 1), 50, 10, False),
        (("spec.suspend", False, True), 50, 10, False),
        (("spec.replicas", 2, 4), 51, 10, False),
        (("spec.replicas", 2, 4), 50, 61, False),
    ],
)
def test_undoing_a_recent_action_takes_a_higher_priority(
    make_proposal: Make, cut: Recent, now: datetime, change: tuple[str, object, object], priority: int, minutes: int, held: bool
) -> None:
    proposal = make_proposal("act-0001", agent="scaling", priority=priority, changes=[change])
    outcome = arbitrate([proposal], recent=[cut._replace(at=now - timedelta(minutes=minutes))], now=now)
    assert bool(outcome.held) is held
    if held:
        assert outcome.held[0].by == "act-old1"
        assert "it would undo spec.replicas, which finops moved 10 min ago" in outcome.held[0].reason


def test_quantities_and_switches_have_directions_too(make_proposal: Make, cut: Recent, now: datetime) -> None:
    cpu, switch = Change(path="cpu", old="2", new="650m"), Change(path="spec.suspend", old=False, new=True)
    done = cut._replace(changes=(cpu, switch))
    for change, held in [(("cpu", "650m", "1"), True), (("cpu", "650m", "100m"), False), (("spec.suspend", True, False), True)]:
        assert bool(arbitrate([make_proposal("act-0001", changes=[change])], recent=[done], now=now).held) is held


def test_an_expired_proposal_is_held(make_proposal: Make, now: datetime) -> None:
    outcome = arbitrate([make_proposal("act-0001", expires_at=now)], now=now)
    assert (outcome.held[0].by, outcome.winners) == ("", ())


def test_rows_of_the_ledger_become_recent_actions_unless_nothing_changed(make_proposal: Make, now: datetime) -> None:
    proposal = make_proposal("act-0001", changes=[("spec.replicas", 4, 2)])
    empty = dict.fromkeys(ActionRow._fields, "")
    row = ActionRow(**{**empty, "action_id": "act-0001", "agent": "finops", "proposal": canonical(proposal).decode(), "changed_at": now})  # type: ignore[arg-type]
    states = {state: recent_from([row._replace(state=state)]) for state in ActionState}
    assert states[ActionState.VERIFIED] == (Recent("act-0001", "finops", proposal.action.target, proposal.changes, 50, now),)
    assert {state for state, found in states.items() if not found} == {
        ActionState.DENIED,
        ActionState.EXPIRED,
        ActionState.CANCELLED,
        ActionState.FAILED,
        ActionState.ROLLED_BACK,
    }


def test_the_order_of_proposals_does_not_matter(make_proposal: Make, make_target: Target_, now: datetime) -> None:
    names = ["act-0001", "act-0002", "act-0003", "act-0004"]
    proposals = [make_proposal(name, target=make_target("ab"[n % 2]), priority=n // 2, cpu=1000) for n, name in enumerate(names)]
    around = Surroundings(pools=nodes(1500))
    outcomes = {str(ids(arbitrate(order, now=now, around=around))) for order in itertools.permutations(proposals)}
    assert len(outcomes) == 1


@settings(max_examples=100, deadline=None)
@given(wishes=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(-2000, 3000)), max_size=8))
def test_everybody_is_answered_no_workload_wins_twice_and_capacity_holds(
    make_proposal: Make, make_target: Target_, now: datetime, wishes: list[tuple[str, int, int]]
) -> None:
    proposals = [
        make_proposal(f"act-{number:04d}", target=make_target(name), priority=priority, cpu=cpu)
        for number, (name, priority, cpu) in enumerate(wishes)
    ]
    outcome = arbitrate(proposals, now=now, around=Surroundings(pools=nodes(4000)))
    answered = [item.action.id for item in outcome.winners] + [item.proposal.action.id for item in outcome.held]
    assert sorted(answered) == [proposal.action.id for proposal in proposals]
    names = [winner.action.target.name for winner in outcome.winners]
    assert len(names) == len(set(names))
    assert sum(max(winner.effect.capacity_cpu_milli, 0) for winner in outcome.winners) <= 4000
    assert all(held.reason for held in outcome.held)


POOLS: dict[str, tuple[Pool, dict[str, int], str]] = {
    "GPUs": (Pool("the GPU allowance of shop", "gpus", 4, "shop"), {"gpus": 3}, "it wants 3 GPUs of the GPU allowance of shop, and 1 GPU "),
    "CPU": (Pool("the quota q of shop", "cpu_milli", 4000, "shop"), {"cpu": 3000}, "it wants 3000m CPU of the quota q of shop, and 1000m "),
    "memory": (
        Pool("the open nodes", "memory_mib", 900, firm=False),
        {"memory_mib": 512},
        "it wants 512 MiB of the open nodes, and 388 MiB ",
    ),
    "pods": (Pool("the quota q of shop", "pods", 3, "shop"), {"pods": 2}, "it wants 2 pods of the quota q of shop, and 1 pod would"),
    "money": (
        Pool("the budget of shop", "micro_usd", 30_000_000, "shop"),
        {"saving": -20_000_000},
        "it wants 20.00 USD a month of the budget of shop, and 10.00 USD a month would be left of 30.00 USD a month free",
    ),
}


@pytest.mark.parametrize(("pool", "takes", "told"), POOLS.values(), ids=POOLS)
def test_of_two_that_do_not_fit_together_the_lower_is_held_with_the_numbers(
    make_proposal: Make, make_target: Target_, now: datetime, pool: Pool, takes: dict[str, int], told: str
) -> None:
    low, high = (make_proposal(f"act-000{n}", target=make_target(f"w{n}"), priority=n, agent="scaling", **takes) for n in (1, 2))
    outcome = arbitrate([low, high], now=now, around=Surroundings(pools=(pool,)))
    assert ids(outcome) == (["act-0002"], {"act-0001": "act-0002"})
    assert outcome.held[0].reason.startswith(told)
    assert outcome.held[0].reason.endswith(": scaling goes first by priority 2 against 1")
    roomy = Surroundings(pools=(pool._replace(free=2 * pool.free),))
    assert not arbitrate([low, high], now=now, around=roomy).held
    other = make_proposal("act-0003", target=make_target("w3", namespace="elsewhere"), **takes)
    assert bool(arbitrate([low, other], now=now, around=Surroundings(pools=(pool,))).held) is not bool(pool.namespace)


def test_severity_decides_where_objectives_are_equal(make_proposal: Make, make_target: Target_, now: datetime) -> None:
    pool = Pool("the GPU allowance of shop", "gpus", 2, "shop")
    around = Surroundings(severity_of={"f-1": Severity.LOW, "f-2": Severity.CRITICAL}, pools=(pool,))
    mild, severe = (make_proposal(f"act-000{n}", target=make_target(f"w{n}"), findings=(f"f-{n}",), gpus=2) for n in (1, 2))
    outcome = arbitrate([mild, severe], now=now, around=around)
    assert ids(outcome) == (["act-0002"], {"act-0001": "act-0002"})
    assert outcome.held[0].reason.endswith("finops goes first by severity")


def test_a_wish_for_more_than_all_of_a_firm_pool_is_left_to_the_judge_and_nobody_waits_for_it(
    make_proposal: Make, make_target: Target_, now: datetime
) -> None:
    around = Surroundings(pools=(Pool("the GPU allowance of shop", "gpus", 2, "shop"), *nodes(1000)))
    vast = make_proposal("act-0001", target=make_target("a"), priority=90, gpus=8, cpu=900)
    small = make_proposal("act-0002", target=make_target("b"), priority=10, gpus=2, cpu=900)
    assert ids(arbitrate([vast, small], now=now, around=around)) == (["act-0001", "act-0002"], {})


FREE = {"cpu_milli": 4000, "memory_mib": 4096, "gpus": 5, "pods": 6, "micro_usd": 90}
ALL_POOLS = tuple(Pool(name, name, free, "" if name == "memory_mib" else "shop") for name, free in FREE.items())  # type: ignore[arg-type]
WISH = st.tuples(
    st.integers(0, 3), st.integers(-3000, 3000), st.integers(-2000, 3000), st.integers(-2, 4), st.integers(-2, 4), st.integers(-60, 60)
)


@settings(max_examples=200, deadline=None)
@given(wishes=st.lists(WISH, max_size=7), seed=st.randoms(use_true_random=False))
def test_what_is_granted_is_never_more_than_what_is_free_whatever_the_order(
    make_proposal: Make, make_target: Target_, now: datetime, wishes: list[tuple[int, ...]], seed: Random
) -> None:
    proposals = [
        make_proposal(
            f"act-{number:04d}",
            target=make_target(f"w{number}"),
            priority=priority,
            cpu=cpu,
            memory_mib=mib,
            gpus=gpus,
            pods=pods,
            saving=usd,
        )
        for number, (priority, cpu, mib, gpus, pods, usd) in enumerate(wishes)
    ]
    around = Surroundings(pools=ALL_POOLS)
    outcome = arbitrate(proposals, now=now, around=around)
    for pool in ALL_POOLS:
        granted = sum(max(0, wanted(winner, pool)) for winner in outcome.winners)
        asked = sum(max(0, wanted(proposal, pool)) for proposal in proposals)
        assert granted <= pool.free
        assert granted == asked or outcome.held
    for held in outcome.held:
        assert any(wanted(held.proposal, pool) > 0 for pool in ALL_POOLS), "what frees capacity is never held for it"
    if all(sum(max(0, wanted(proposal, pool)) for proposal in proposals) <= pool.free for pool in ALL_POOLS):
        assert not outcome.held
    seed.shuffle(proposals)
    assert ids(arbitrate(proposals, now=now, around=around)) == ids(outcome)
