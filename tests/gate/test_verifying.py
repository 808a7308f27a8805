"""Verification looks at what the action did not write; without data there is no success, and what is undone is only ours."""

from dataclasses import replace
from typing import Any

import pytest

from core.cluster.queries import Query, Sample, Shape
from core.domain.check import Check, Expectation, Look, Signal
from core.domain.outcome import ActionState as S
from core.domain.target import Target
from gate.executing import verifying
from tools.metrics.twin import TableMetrics

GOOD, BAD, NONE = True, False, None


def check(*signals: Signal, early: bool = False, optional: tuple[Signal, ...] = (), bound: int = 0, target: Target | None = None) -> Check:
    aim = target or Target(cluster="cluster-1", group="apps", kind="Deployment", namespace="shop", name="cart", uid="uid-cart")
    expectations = tuple(Expectation(signal=signal, bound=bound, required=signal not in optional) for signal in signals)
    return Check(target=aim, expectations=expectations, settle_seconds=30, watch_seconds=600, early=early)


def looks(**held: bool | None) -> tuple[Look, ...]:
    return tuple(Look(signal=Signal(name), held=value, seen="") for name, value in held.items())


DECISIONS = [
    ("all hold, the watch goes on", looks(pods_ready=GOOD), (), False, False, "wait"),
    ("all hold at the end", looks(pods_ready=GOOD), (), True, False, "verified"),
    ("all hold and early is allowed", looks(pods_ready=GOOD), (), False, True, "verified"),
    ("one fails, there is time", looks(pods_ready=BAD), looks(pods_ready=BAD), False, False, "wait"),
    ("one fails at the end", looks(pods_ready=BAD), (), True, False, "missed"),
    ("no data at the end", looks(pods_ready=NONE), (), True, False, "missed"),
    ("no data in between", looks(pods_ready=NONE), looks(pods_ready=NONE), False, True, "wait"),
    ("a promise kept once is not yet sure", looks(pods_ready=GOOD, latency_p99=GOOD), (), False, True, "wait"),
    ("a promise kept twice", looks(pods_ready=GOOD, latency_p99=GOOD), looks(pods_ready=GOOD, latency_p99=GOOD), False, True, "verified"),
    ("restarts twice", looks(pods_ready=GOOD, restarts_steady=BAD), looks(restarts_steady=BAD), False, False, "missed"),
    ("restarts once", looks(pods_ready=GOOD, restarts_steady=BAD), looks(restarts_steady=GOOD), False, True, "wait"),
    ("slow twice after the rollout", looks(pods_ready=GOOD, latency_p99=BAD), looks(latency_p99=BAD), False, False, "missed"),
    ("slow twice during the rollout", looks(pods_ready=BAD, latency_p99=BAD), looks(latency_p99=BAD), False, False, "wait"),
    ("slow once", looks(pods_ready=GOOD, latency_p99=BAD), looks(latency_p99=GOOD), False, True, "wait"),
    ("slow at the end", looks(pods_ready=GOOD, latency_p99=BAD), (), True, False, "missed"),
    ("a promise without data at the end", looks(pods_ready=GOOD, latency_p99=NONE), (), True, False, "verified"),
]


@pytest.mark.parametrize("case", DECISIONS, ids=[case[0] for case in DECISIONS])
def test_the_decision_follows_from_two_looks(case: Any) -> None:
    _, now, before, last, early, wanted = case
    signals = tuple(look.signal for look in now)
    made = check(*signals, early=early, optional=(Signal.LATENCY_P99,))
    assert verifying.decide(made, now, before, last=last) == wanted


async def applied(gate: Any, action: Any = None) -> str:
    """An action whose write was stored and read back."""
    done = await gate.submit(gate.proposal(action or gate.scale()))
    await gate.judge()
    await gate.execute()
    assert gate.row(done).state is S.APPLIED
    return str(done)


async def seen(gate: Any, made: Check) -> list[tuple[bool | None, str]]:
    action = await applied(gate)
    return [(look.held, look.seen) for look in await verifying.look(gate.hands, gate.row(action), made)]


async def test_a_rollout_is_complete_when_its_controller_says_so(gate: Any) -> None:
    assert (await seen(gate, check(Signal.ROLLOUT_COMPLETE)))[0][0] is False
    gate.settle()
    assert (await verifying.look(gate.hands, gate.row("act-scale1"), check(Signal.ROLLOUT_COMPLETE)))[0].held is True


async def test_only_pods_that_are_ready_and_stay_count(gate: Any) -> None:
    gate.cluster.object("Pod", "shop", "cart-0")["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z"
    assert await seen(gate, check(Signal.PODS_READY, bound=2)) == [(False, "1 of at least 2 pods ready")]


@pytest.mark.parametrize(("ended", "made", "steady"), [("11:00", "10:00", True), ("12:30", "10:00", False), (None, "12:10", False)])
async def test_only_restarts_after_the_write_count(gate: Any, ended: str | None, made: str, steady: bool) -> None:
    pod = gate.cluster.object("Pod", "shop", "cart-0")
    pod["metadata"]["creationTimestamp"] = f"2026-11-23T{made}:00Z"
    pod["status"]["containerStatuses"][0] |= {
        "restartCount": 3,
        "lastState": {"terminated": {"finishedAt": f"2026-11-23T{ended}:00Z"}} if ended else {},
    }
    assert (await seen(gate, check(Signal.RESTARTS_STEADY)))[0][0] is steady


async def test_latency_is_that_of_the_services_before_the_target_since_the_write(gate: Any) -> None:
    service = {"kind": "Service", "metadata": {"name": "cart-svc", "namespace": "shop", "uid": "s"}, "spec": {"selector": {"app": "cart"}}}
    gate.cluster.put(service)
    samples = tuple(Sample((("namespace", "shop"), ("service", name)), 0.0, value) for name, value in (("cart-svc", 0.25), ("web", 9.0)))
    query = Query(Shape.LATENCY_P99, "shop", rate_seconds=120)
    gate.hands = replace(gate.hands, metrics=TableMetrics({query: samples}))
    action = await applied(gate)
    gate.clock.advance(150)
    for bound, held in ((300, True), (200, False)):
        found = await verifying.look(gate.hands, gate.row(action), check(Signal.LATENCY_P99, bound=bound))
        assert (found[0].held, found[0].seen) == (held, f"250 ms, bound {bound}")


async def test_a_window_that_would_begin_before_the_write_tells_nothing(gate: Any) -> None:
    assert (await seen(gate, check(Signal.LATENCY_P99, bound=100)))[0][0] is None


async def test_a_metrics_source_that_is_down_is_no_data(gate: Any) -> None:
    gate.hands = replace(gate.hands, metrics=TableMetrics(down=frozenset({Shape.ERROR_RATIO})))
    action = await applied(gate)
    gate.clock.advance(60)
    found = await verifying.look(gate.hands, gate.row(action), check(Signal.ERROR_RATIO, bound=10))
    assert found[0].held is None
    assert "Prometheus is unavailable" in found[0].seen


async def test_without_a_bound_nobody_promised_anything(gate: Any) -> None:
    assert await seen(gate, check(Signal.LATENCY_P99)) == [(True, "nobody set a bound")]


async def test_nonsense_from_the_cluster_is_no_data_and_no_crash(gate: Any) -> None:
    gate.cluster.object("Pod", "shop", "cart-0")["status"]["conditions"] = 7
    assert (await seen(gate, check(Signal.PODS_READY, bound=1)))[0][0] is None


async def test_a_replaced_pod_is_gone_and_its_owner_is_whole(gate: Any) -> None:
    target = Target(cluster="cluster-1", kind="Pod", namespace="shop", name="cart-0", uid="uid-cart-0")
    action = await applied(gate, gate.delete_pod())
    found = await verifying.look(gate.hands, gate.row(action), check(Signal.POD_REPLACED, target=target))
    assert (found[0].held, found[0].seen) == (True, "it is gone, and nothing owned it")


async def test_a_cordoned_node_gets_no_more_pods_but_those_of_daemons(gate: Any) -> None:
    action = await applied(gate, gate.cordon())
    made = check(Signal.NODE_CORDONED, target=Target(cluster="cluster-1", kind="Node", name="node-1", uid="uid-node-1"))
    assert (await verifying.look(gate.hands, gate.row(action), made))[0].held is True
    late = gate.pod("late-1")
    late["status"]["conditions"].append({"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-23T12:05:00Z"})
    gate.cluster.put(late)
    assert (await verifying.look(gate.hands, gate.row(action), made))[0].held is False
    late["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "controller": True}]
    assert (await verifying.look(gate.hands, gate.row(action), made))[0].held is True


async def test_an_irreversible_action_that_misses_is_for_a_person(gate: Any) -> None:
    gate.cluster.object("Pod", "shop", "cart-0")["metadata"]["ownerReferences"] = []
    action = await applied(gate, gate.delete_pod())
    gate.cluster.put(gate.pod("cart-0"))
    await gate.watch(600)
    row = gate.row(action)
    assert row.state is S.ESCALATED
    assert "cannot be taken back" in row.note


async def test_a_field_that_somebody_else_moved_is_not_taken_back_and_the_writer_is_named(gate: Any) -> None:
    action = await applied(gate)
    live = gate.cluster.object("Deployment", "shop", "cart")
    live["spec"]["replicas"] = 7
    live["metadata"]["managedFields"] = [
        {"manager": "day2ops-scaling", "time": "2026-11-23T12:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "kubectl-ann", "time": "2026-11-23T12:03:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "other", "time": "2026-11-23T12:04:00Z", "fieldsV1": {"f:spec": {"f:paused": {}}}},
    ]
    await gate.watch(900)
    row = gate.row(action)
    assert row.state is S.ESCALATED
    assert "spec.replicas was moved by kubectl-ann at 2026-11-23T12:03:00Z" in row.note
    assert len(gate.cluster.effects) == 1


async def test_a_field_of_another_does_not_stand_in_the_way_of_an_undo(gate: Any) -> None:
    action = await applied(gate)
    live = gate.cluster.object("Deployment", "shop", "cart")
    live["metadata"]["labels"]["team"] = "shop"
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/cart:2"
    await gate.watch(900)
    assert gate.row(action).state is S.ROLLED_BACK
    live = gate.cluster.object("Deployment", "shop", "cart")
    assert (gate.replicas, live["metadata"]["labels"]["team"]) == (2, "shop")
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/cart:2"


async def test_a_target_that_was_made_anew_is_not_undone(gate: Any) -> None:
    action = await applied(gate)
    gate.cluster.put(gate.deployment(replicas=4))
    gate.cluster.object("Deployment", "shop", "cart")["metadata"]["uid"] = "uid-new"
    await gate.watch(900)
    assert gate.row(action).state is S.ESCALATED
    assert len(gate.cluster.effects) == 1
