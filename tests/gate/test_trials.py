"""The faults of experiments: held by a lease and never longer, and what is made is deleted as exactly that; what the judge asks of them."""

from datetime import timedelta
from typing import Any

import pytest

from core.actions.cut_network import CutNetwork
from core.cluster.queries import Query, Sample, Shape
from core.domain.check import Look, Signal
from core.domain.objective import Slo
from core.domain.outcome import ActionState as S
from core.domain.proposal import Trial
from gate.executing.machine import let_go
from gate.judging import history
from tools.metrics.twin import TableMetrics

TRIAL = Trial(id="exp-00000001", seconds=60)
NAME = "day2-cut-act-cut00001"


def cut(gate: Any) -> CutNetwork:
    return CutNetwork(id="act-cut00001", target=gate.scale().target, directions=("Ingress",))


async def applied(gate: Any, action: Any, **changes: Any) -> str:
    name = str(await gate.submit(gate.proposal(action, **{"experiment": TRIAL} | changes)))
    await gate.judge()
    await gate.execute()
    assert gate.row(name).state is S.APPLIED, gate.row(name).note
    return name


def renew(gate: Any, name: str, seconds: int = 6) -> None:
    look = Look(signal=Signal.LEASE_HELD, held=True, seen="renewed")
    gate.ledger.observe(name, looks=(look,), next_look_at=gate.clock.now() + timedelta(seconds=seconds), at=gate.clock.now())


async def test_a_fault_stands_while_its_lease_is_renewed_and_goes_when_it_runs_out(gate: Any) -> None:
    name = await applied(gate, gate.scale(new=0))
    for _ in range(15):
        renew(gate, name)
        gate.clock.advance(2)
        await gate.execute()
        assert (gate.row(name).state, gate.replicas) == (S.APPLIED, 0)
    gate.clock.advance(3)
    await gate.execute()
    assert gate.row(name).state is S.APPLIED
    gate.clock.advance(1)
    await gate.execute()
    assert (gate.row(name).state, gate.replicas) == (S.ROLLED_BACK, 2)


async def test_a_fault_goes_at_its_deadline_whoever_renews_its_lease(gate: Any) -> None:
    name = await applied(gate, gate.scale(new=0))
    renew(gate, name, 3600)
    gate.clock.advance(TRIAL.seconds + 59)
    await gate.execute()
    assert gate.row(name).state is S.APPLIED
    gate.clock.advance(1)
    await gate.execute()
    assert (gate.row(name).state, gate.replicas) == (S.ROLLED_BACK, 2)


async def test_a_lease_that_is_given_up_is_an_undo_at_the_next_pass(gate: Any) -> None:
    name = await applied(gate, gate.scale(new=0))
    renew(gate, name, 0)
    await gate.execute()
    assert (gate.row(name).state, gate.replicas) == (S.ROLLED_BACK, 2)


async def test_an_executor_that_ends_takes_leased_faults_back_and_leaves_everything_else(gate: Any) -> None:
    fault = await applied(gate, gate.scale(new=0))
    plain = await applied(gate, gate.cordon(), experiment=None)
    await let_go(gate.hands)
    assert (gate.row(fault).state, gate.replicas) == (S.ROLLED_BACK, 2)
    assert gate.row(plain).state is S.APPLIED


async def test_an_action_that_is_no_fault_is_verified_as_ever(gate: Any) -> None:
    name = await applied(gate, gate.scale(new=4), experiment=None)
    gate.settle()
    await gate.watch(60)
    assert gate.row(name).state is S.VERIFIED


async def test_a_fault_without_a_way_back_is_verified_by_what_its_kind_looks_at(gate: Any) -> None:
    gate.cluster.put(gate.pod("bare-0", "bare"))
    name = await applied(gate, gate.delete_pod("bare-0"))
    await gate.watch(30)
    assert gate.row(name).state is S.VERIFIED


# ------------------------------------------------------------------ what is made
async def test_what_is_made_stands_and_is_deleted_when_the_lease_is_over(gate: Any) -> None:
    name = await applied(gate, cut(gate))
    made = gate.cluster.object("NetworkPolicy", "shop", NAME)
    assert made["spec"] == {"podSelector": {"matchLabels": {"app": "cart"}}, "policyTypes": ["Ingress"]}
    gate.clock.advance(6)
    await gate.execute()
    assert gate.row(name).state is S.ROLLED_BACK, gate.row(name).note
    assert ("NetworkPolicy", "shop", NAME) not in gate.cluster.objects
    deletion = gate.cluster.effects[-1][1]
    assert deletion.body["preconditions"] == {"uid": made["metadata"]["uid"], "resourceVersion": made["metadata"]["resourceVersion"]}


async def test_what_stands_under_the_name_already_is_not_ours_and_stays(gate: Any) -> None:
    theirs = gate.cluster.put({"kind": "NetworkPolicy", "metadata": {"name": NAME, "namespace": "shop", "uid": "theirs"}, "spec": {}})
    name = str(await gate.submit(gate.proposal(cut(gate), experiment=TRIAL)))
    await gate.judge()
    await gate.execute()
    assert gate.row(name).state in (S.FAILED, S.DENIED)
    assert (gate.cluster.object("NetworkPolicy", "shop", NAME), gate.cluster.effects) == (theirs, [])


async def test_what_somebody_changed_since_it_was_made_is_left_to_a_person(gate: Any) -> None:
    name = await applied(gate, cut(gate))
    made = gate.cluster.object("NetworkPolicy", "shop", NAME)
    gate.cluster.put({**made, "spec": {**made["spec"], "policyTypes": ["Ingress", "Egress"]}})
    gate.clock.advance(6)
    await gate.execute()
    assert gate.row(name).state is S.ESCALATED
    assert len(gate.cluster.effects) == 1


@pytest.mark.parametrize("stored", [True, False])
async def test_a_lost_reply_to_making_is_read_back_and_never_sent_again(gate: Any, stored: bool) -> None:
    setattr(gate.cluster, "before_reply" if stored else "before_store", gate.lose_the_reply)
    name = str(await gate.submit(gate.proposal(cut(gate), experiment=TRIAL)))
    await gate.judge()
    await gate.execute()
    gate.cluster.before_reply = gate.cluster.before_store = lambda _: None
    if not stored:
        gate.clock.advance(130)  # its permit is over: it can no more be stored
    await gate.execute()
    assert gate.row(name).state is (S.APPLIED if stored else S.FAILED)
    assert len(gate.cluster.effects) == int(stored)


async def test_the_judge_names_the_right_to_make_where_it_is_missing(gate: Any) -> None:
    gate.cluster.forbidden.add("create networkpolicies")
    await gate.submit(gate.proposal(cut(gate)))
    await gate.judge()
    assert gate.rules.seen[-1].rights_missing == ("create networking.k8s.io/networkpolicies",)


# ------------------------------------------------------------------ facts and the record
async def test_a_fault_tells_its_experiment_and_whether_the_namespace_is_open(gate: Any) -> None:
    await gate.submit(gate.proposal(gate.scale(new=0), experiment=TRIAL))
    await gate.judge()
    facts = gate.rules.seen[-1]
    assert (facts.experiment, facts.chaos_allowed, facts.error_budget_percent) == (TRIAL.id, False, 100)
    space = gate.cluster.object("Namespace", "", "shop") if ("Namespace", "", "shop") in gate.cluster.objects else None
    assert space is not None
    space["metadata"]["labels"] = {"day2.dev/chaos": "allowed"}
    await gate.submit(gate.proposal(gate.scale(new=1, action_id="act-scale2"), experiment=TRIAL))
    await gate.judge()
    assert gate.rules.seen[-1].chaos_allowed


async def test_an_action_of_no_experiment_has_none_of_its_facts(gate: Any) -> None:
    await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    facts = gate.rules.seen[-1]
    assert (facts.experiment, facts.chaos_allowed, facts.error_budget_percent) == ("", False, None)


def promise(gate: Any, slo: Slo) -> None:
    (objective,) = gate.bench.objectives.items
    promised = gate.bench.objectives.model_copy(update={"items": (objective.model_copy(update={"slo": slo}),)})
    object.__setattr__(gate.bench, "objectives", promised)


@pytest.mark.parametrize(("ratio", "left"), [(0.0, 100), (0.005, 50), (0.0095, 5), (0.5, 0), (None, None)])
async def test_the_error_budget_is_what_the_worst_service_left_of_it(gate: Any, ratio: float | None, left: int | None) -> None:
    samples = () if ratio is None else (Sample((("service", "cart"),), 0.0, ratio), Sample((("service", "pay"),), 0.0, 0.0))
    object.__setattr__(gate.bench, "metrics", TableMetrics({Query(Shape.ERROR_RATIO, "shop", rate_seconds=3600): samples}))
    promise(gate, Slo(error_per_mille=10))
    await gate.submit(gate.proposal(gate.scale(new=0), experiment=TRIAL))
    await gate.judge()
    assert gate.rules.seen[-1].error_budget_percent == left


@pytest.mark.parametrize("source", [None, TableMetrics(down=frozenset({Shape.ERROR_RATIO}))], ids=["none", "down"])
async def test_a_promised_budget_that_nobody_measures_is_not_known_and_one_that_nobody_promised_is_whole(gate: Any, source: Any) -> None:
    object.__setattr__(gate.bench, "metrics", source)
    await gate.submit(gate.proposal(gate.scale(new=0), experiment=TRIAL))
    await gate.judge()
    assert gate.rules.seen[-1].error_budget_percent == 100
    promise(gate, Slo(error_per_mille=10))
    await gate.submit(gate.proposal(gate.scale(new=1, action_id="act-scale2"), experiment=TRIAL))
    await gate.judge()
    assert gate.rules.seen[-1].error_budget_percent is None


async def test_an_experiment_neither_earns_nor_costs_autonomy(gate: Any) -> None:
    name = await applied(gate, gate.scale(new=0))
    gate.clock.advance(10)
    await gate.execute()
    row = gate.row(name)
    assert row.state is S.ROLLED_BACK
    assert history.outcomes(gate.ledger, (row.kind, row.namespace), "cluster-1", gate.bench.record_key) == []


async def test_a_mend_right_after_an_experiment_is_no_turning_back(gate: Any) -> None:
    await applied(gate, gate.scale(new=0))
    gate.clock.advance(10)
    await gate.execute()
    await gate.submit(gate.proposal(gate.scale(new=4, action_id="act-scale2")))
    await gate.judge()
    assert gate.rules.seen[-1].seconds_since_opposite is None
