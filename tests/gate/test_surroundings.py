"""What the judge finds around a target: quotas, budgets of disruption, money, GPUs, autoscalers, nodes."""

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.actions.label_namespace import LabelNamespace, LevelChange
from core.actions.set_hpa_bounds import SetHpaBounds
from core.cluster.queries import Query, Series, Shape
from core.domain.money import InstancePrice, PriceList, PriceSource
from core.domain.objective import FreezeWindow
from core.domain.target import Target
from gate.judging.surroundings import allowed_more, around
from tools.metrics.twin import TableMetrics

Json = dict[str, Any]


def home(gate: Any) -> Json:
    found: Json = gate.cluster.object("Namespace", "", "shop")
    return found


async def seen(
    gate: Any, *, replicas: int = 4, target: Json | None = None, after: Json | None = None, action: Any = None
) -> dict[str, Any]:
    """The facts around a workload of two pods that shall have `replicas`."""
    live = target or gate.cluster.object("Deployment", "shop", "cart")
    wanted = after or (live | {"spec": live["spec"] | {"replicas": replicas}})
    return dict(await around(gate.bench, action or gate.scale(), home(gate), live, wanted))


def quota(hard: dict[str, str], used: dict[str, str] | None = None) -> Json:
    return {"kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "shop"}, "status": {"hard": hard, "used": used}}


@pytest.mark.parametrize(
    ("hard", "used", "exceeded"),
    [
        ({"cpu": "2"}, {"cpu": "1"}, False),
        ({"cpu": "2"}, {"cpu": "1001m"}, True),
        ({"requests.cpu": "1999m"}, {"requests.cpu": "1"}, True),
        ({"requests.memory": "4Gi"}, {"requests.memory": "2Gi"}, False),
        ({"memory": "4Gi"}, {"memory": "2049Mi"}, True),
        ({"pods": "4"}, {"pods": "2"}, False),
        ({"pods": "3"}, {"pods": "2"}, True),
        ({"pods": "2"}, None, False),
        ({"pods": "1"}, None, True),
        ({"requests.nvidia.com/gpu": "0"}, {}, False),
        ({"services": "0"}, {"services": "0"}, False),
    ],
)
async def test_a_quota_without_room_for_what_comes_on_top_is_told(gate: Any, hard: Any, used: Any, *, exceeded: bool) -> None:
    gate.cluster.put(quota(hard, used))
    assert (await seen(gate)).get("quota_exceeded", False) is exceeded


async def test_what_gets_smaller_exceeds_no_quota_however_full_it_is(gate: Any) -> None:
    gate.cluster.put(quota({"pods": "1"}, {"pods": "2"}))
    assert "quota_exceeded" not in await seen(gate, replicas=1)


async def test_gpus_count_against_their_own_quota(gate: Any) -> None:
    live = gate.cluster.object("Deployment", "shop", "cart")
    live["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["nvidia.com/gpu"] = "1"
    gate.cluster.put(quota({"requests.nvidia.com/gpu": "1"}))
    assert (await seen(gate))["quota_exceeded"] is True
    assert "quota_exceeded" not in await seen(gate, replicas=3)


def budget(allowed: int | None, selector: Any = None, healthy: int = 0, wanted: int = 0, policy: str = "", namespace: str = "shop") -> Json:
    spec = {"selector": selector or {"matchLabels": {"app": "cart"}}} | ({"unhealthyPodEvictionPolicy": policy} if policy else {})
    status = {"disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": wanted}
    name = f"b{allowed}{len(str(selector))}"
    return {"kind": "PodDisruptionBudget", "metadata": {"name": name, "namespace": namespace}, "spec": spec, "status": status}


async def test_of_several_budgets_the_strictest_that_means_the_pods_holds(gate: Any) -> None:
    found = await seen(gate)
    assert (found["has_pdb"], found["disruptions_allowed"]) == (False, None)
    for made in (budget(2), budget(1), budget(0, {"matchLabels": {"app": "web"}}), budget(0, namespace="payments")):
        gate.cluster.put(made)
    found = await seen(gate)
    assert (found["has_pdb"], found["disruptions_allowed"]) == (True, 1)


async def test_a_budget_that_nobody_counted_yet_allows_nothing(gate: Any) -> None:
    gate.cluster.put(budget(None))
    assert (await seen(gate))["disruptions_allowed"] == 0


@pytest.mark.parametrize(
    ("ready", "made", "allowed"),
    [
        (True, budget(0, healthy=3, wanted=2), 0),
        (True, budget(0, policy="AlwaysAllow"), 0),
        (False, budget(0, healthy=2, wanted=2), 1),
        (False, budget(0, healthy=1, wanted=2), 0),
        (False, budget(0, healthy=0, wanted=0), 0),
        (False, budget(0, healthy=1, wanted=2, policy="AlwaysAllow"), 1),
        (False, budget(0, healthy=1, wanted=2, policy="IfHealthyBudget"), 0),
        (False, budget(3, healthy=5, wanted=2), 3),
    ],
)
async def test_a_pod_that_is_not_ready_may_go_while_enough_others_are_healthy(gate: Any, *, ready: bool, made: Json, allowed: int) -> None:
    pod = gate.cluster.object("Pod", "shop", "cart-0")
    pod["status"]["conditions"][0]["status"] = str(ready)
    gate.cluster.put(made)
    assert (await around(gate.bench, gate.delete_pod(), home(gate), pod, None))["disruptions_allowed"] == allowed


def priced(gate: Any, *, monthly_budget: int = 0) -> None:
    """Each of the four nodes is of a type that costs eight dollars an hour for 8 cores and nothing for memory; a month has 730 hours."""
    prices = PriceList(
        source=PriceSource(name="table", at=gate.clock.now()),
        instances=(InstancePrice(instance_type="m8", cpu_milli=8000, memory_mib=32768, gpus=0, hourly_micro_usd=8_000_000),),
        memory_weight=0,
    )
    for number in range(1, 5):
        gate.cluster.object("Node", "", f"node-{number}")["metadata"]["labels"] = {"node.kubernetes.io/instance-type": "m8"}
    (only,) = gate.bench.objectives.items
    items = (only.model_copy(update={"monthly_budget_micro_usd": monthly_budget}), only.model_copy(update={"name": "other"}))
    gate.bench = replace(gate.bench, prices=prices, objectives=gate.bench.objectives.model_copy(update={"items": items}))


async def test_money_is_what_the_nodes_cost_shared_by_weight(gate: Any) -> None:
    priced(gate)
    found = await seen(gate)
    assert found["monthly_cost_delta_micro_usd"] == 730_000_000  # one core more, at a dollar an hour
    assert "budget_left_micro_usd" not in found
    assert (await seen(gate, replicas=1))["monthly_cost_delta_micro_usd"] == -365_000_000


async def test_memory_and_gpus_have_their_weight(gate: Any) -> None:
    priced(gate)
    heavy = gate.bench.prices.model_copy(update={"memory_weight": 250, "gpu_weight": 4000})
    gate.bench = replace(gate.bench, prices=heavy)  # 8 cores weigh as much as 32 GiB: the half of the price is for memory
    assert (await seen(gate))["monthly_cost_delta_micro_usd"] == 730_000_000 // 2 + 730_000_000 // 4
    live = gate.cluster.object("Deployment", "shop", "cart")
    live["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"] = {"nvidia.com/gpu": "1"}
    assert (await seen(gate, replicas=3))["monthly_cost_delta_micro_usd"] == 4 * 730_000_000 // 2


async def test_what_is_left_of_a_budget_is_without_what_bound_pods_hold_now(gate: Any) -> None:
    priced(gate, monthly_budget=1_000_000_000)
    assert (await seen(gate))["budget_left_micro_usd"] == 270_000_000
    gate.cluster.object("Pod", "shop", "cart-0")["spec"]["nodeName"] = ""
    assert (await seen(gate))["budget_left_micro_usd"] == 635_000_000
    gate.cluster.object("Pod", "shop", "cart-1")["status"]["phase"] = "Succeeded"
    assert (await seen(gate))["budget_left_micro_usd"] == 1_000_000_000


async def test_without_prices_or_where_no_machine_type_has_one_no_money_is_told(gate: Any) -> None:
    assert not {"monthly_cost_delta_micro_usd", "budget_left_micro_usd"} & set(await seen(gate))
    priced(gate, monthly_budget=1)
    for number in range(1, 5):
        gate.cluster.object("Node", "", f"node-{number}")["metadata"]["labels"] = {"node.kubernetes.io/instance-type": "x1"}
    assert not {"monthly_cost_delta_micro_usd", "budget_left_micro_usd"} & set(await seen(gate))


async def test_without_an_answer_of_the_dry_run_a_budget_is_told_and_a_change_of_cost_is_not(gate: Any) -> None:
    priced(gate, monthly_budget=1_000_000_000)
    found = await around(gate.bench, gate.scale(), home(gate), gate.cluster.object("Deployment", "shop", "cart"), None)
    assert "monthly_cost_delta_micro_usd" not in found
    assert found["budget_left_micro_usd"] == 270_000_000
    assert found["pods_homeless"] is None


async def test_gpus_of_bound_pods_are_used_and_those_to_come_are_told(gate: Any) -> None:
    for number in (0, 1):
        gate.cluster.object("Pod", "shop", f"cart-{number}")["spec"]["containers"][0]["resources"]["requests"]["nvidia.com/gpu"] = "1"
    live = gate.cluster.object("Deployment", "shop", "cart")
    live["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["nvidia.com/gpu"] = "1"
    found = await seen(gate)
    assert (found["namespace_gpus_used"], found["namespace_gpus_after"], found["gpu_allowance"]) == (2, 4, None)
    gate.cluster.object("Pod", "shop", "cart-0")["status"]["phase"] = "Failed"
    assert (await seen(gate, replicas=0))["namespace_gpus_after"] == 0


def scaler(kind: str, name: str) -> Json:
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": f"hpa-{kind}-{name}", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"kind": kind, "name": name}},
    }


async def test_an_autoscaler_of_the_very_workload_is_named(gate: Any) -> None:
    for made in (scaler("StatefulSet", "cart"), scaler("Deployment", "web")):
        gate.cluster.put(made)
    assert "autoscaled_by" not in await seen(gate)
    gate.cluster.put(scaler("Deployment", "cart"))
    found = await seen(gate)
    assert (found["autoscaled_by"], found["autoscaler_min"]) == ("hpa-Deployment-cart", 1)
    bounded = scaler("Deployment", "cart")
    gate.cluster.put(bounded | {"spec": bounded["spec"] | {"minReplicas": 3}})
    assert (await seen(gate))["autoscaler_min"] == 3


CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}


def scaling(name: str, *metrics: Json, **spec: Any) -> Json:
    found = scaler("Deployment", name)
    return found | {"spec": found["spec"] | {"metrics": list(metrics), **spec}, "status": {"currentReplicas": 2}}


async def test_the_autoscaler_of_a_pod_is_that_of_what_made_it_and_takes_the_mean_of_its_pods(gate: Any) -> None:
    pod = gate.cluster.object("Pod", "shop", "cart-0")
    pod["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "cart-5c9d", "controller": True}]
    assert "autoscaled_by" not in await seen(gate, target=pod, after=pod)
    gate.cluster.put(scaling("cart", CPU, minReplicas=2))
    found = await seen(gate, target=pod, after=pod)
    assert (found["autoscaled_by"], found["autoscaler_min"], found["autoscaler_pods"]) == ("hpa-Deployment-cart", 2, 2)
    gate.cluster.put(scaling("cart", minReplicas=2))
    assert (await seen(gate, target=pod, after=pod))["autoscaler_pods"] == 0
    gate.cluster.put(scaling("cart", CPU) | {"status": {}})
    assert (await seen(gate, target=pod, after=pod))["autoscaler_pods"] is None


@pytest.mark.parametrize(
    ("used_cores", "coming"),
    [(0.4, 0), (1.5, 1), (1.6, 2), (9.0, 4)],
    ids=["fewer than run", "one more", "two more", "its ceiling"],
)
async def test_a_budget_is_told_without_what_other_autoscalers_bring_at_the_busiest_hour(gate: Any, used_cores: float, coming: int) -> None:
    """`web` runs two pods of one core, of which each shall use the half; `cart` is what is asked about."""
    priced(gate, monthly_budget=8_000_000_000)
    web = copy.deepcopy(gate.cluster.object("Deployment", "shop", "cart"))
    web["metadata"] |= {"name": "web", "uid": "uid-web"}
    web["spec"]["replicas"] = 2
    web["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"] = {"cpu": "1"}
    gate.cluster.put(web)
    before = (await seen(gate))["budget_left_micro_usd"]
    at = [gate.clock.now().timestamp() - hours * 3600 for hours in range(24)]
    busy = tuple(used_cores / 2 if number == 7 else 0.1 for number in range(24))
    pods = [({"namespace": "shop", "pod": f"web-5c9d-{name}"}, busy) for name in ("aaaaa", "bbbbb")]
    usage = tuple(Series(tuple(labels.items()), tuple(at), values) for labels, values in pods)
    gate.bench = replace(gate.bench, metrics=TableMetrics(series={Query(Shape.CPU_MAX, "shop", window_seconds=3600): usage}))
    assert (await seen(gate))["budget_left_micro_usd"] == before, "nothing scales it"
    gate.cluster.put(scaling("web", CPU, minReplicas=1, maxReplicas=6))
    gate.cluster.put(scaling("cart", CPU, minReplicas=1, maxReplicas=60))
    gate.cluster.put(scaler("Sandwich", "ham"))
    assert before - (await seen(gate))["budget_left_micro_usd"] == coming * 730_000_000
    for blind in (None, TableMetrics(down=frozenset(Shape))):
        gate.bench = replace(gate.bench, metrics=blind)
        assert (await seen(gate))["budget_left_micro_usd"] == before


async def test_a_raised_floor_costs_what_it_holds_also_where_as_many_run_right_now(gate: Any) -> None:
    priced(gate, monthly_budget=8_000_000_000)
    live = gate.cluster.object("Deployment", "shop", "cart")
    live["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"] = {"cpu": "1"}
    target = Target(cluster="cluster-1", group="autoscaling", kind="HorizontalPodAutoscaler", namespace="shop", name="cart", uid="uid-hpa")
    bounds = SetHpaBounds(id="act-floor", target=target, from_min=1, from_max=6, to_min=2, to_max=6)
    assert (await seen(gate, replicas=2, action=bounds))["monthly_cost_delta_micro_usd"] == 730_000_000
    assert (await seen(gate, replicas=4, action=bounds))["monthly_cost_delta_micro_usd"] == 2 * 730_000_000
    assert (await seen(gate, replicas=2))["monthly_cost_delta_micro_usd"] == 0


async def test_a_freeze_holds_from_its_first_moment_to_before_its_last(gate: Any) -> None:
    (only,) = gate.bench.objectives.items
    now = gate.clock.now()
    window = FreezeWindow(name="release", start=now, end=now + timedelta(minutes=1))
    frozen = only.model_copy(update={"freeze": (window,)})
    gate.bench = replace(gate.bench, objectives=gate.bench.objectives.model_copy(update={"items": (frozen,)}))
    assert (await seen(gate))["freeze_window"] == "release"
    gate.clock.advance(60)
    assert (await seen(gate))["freeze_window"] == ""
    gate.clock.advance(-61)
    assert (await seen(gate))["freeze_window"] == ""


async def test_a_level_of_pod_security_counts_the_pods_that_it_would_refuse(gate: Any) -> None:
    namespace = gate.cluster.object("Namespace", "", "shop")
    gate.cluster.object("Pod", "shop", "cart-0")["spec"]["hostNetwork"] = True
    target = Target(cluster="cluster-1", kind="Namespace", name="shop", uid="uid-shop")
    action = LabelNamespace(id="act-label1", target=target, levels=(LevelChange(mode="enforce", to_level="baseline"),))
    after = namespace | {"metadata": namespace["metadata"] | {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}
    assert (await seen(gate, target=namespace, after=after, action=action))["pods_violating_after"] == 1
    gate.cluster.object("Pod", "shop", "cart-0")["status"]["phase"] = "Succeeded"
    found = await seen(gate, target=namespace, after=after, action=action)
    assert (found["pods_violating_after"], found["pods_homeless"], "has_pdb" in found) == (0, None, False)
    assert (await seen(gate))["pods_violating_after"] == 0


async def test_the_next_pods_of_a_template_that_its_namespace_refuses_are_told(gate: Any) -> None:
    home(gate)["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "baseline"}
    live = gate.cluster.object("Deployment", "shop", "cart")
    assert (await seen(gate))["pods_violating_after"] == 0
    live["spec"]["template"]["spec"]["hostNetwork"] = True
    assert (await seen(gate))["pods_violating_after"] == 1
    mended = live | {"spec": live["spec"] | {"template": {"spec": live["spec"]["template"]["spec"] | {"hostNetwork": False}}}}
    assert (await seen(gate, after=mended))["pods_violating_after"] == 0


async def test_nodes_that_bar_the_same_pods_are_other_places_for_a_nodes_pods(gate: Any) -> None:
    def taint(number: int, key: str, effect: str = "NoSchedule", value: str = "") -> None:
        gate.cluster.object("Node", "", f"node-{number}")["spec"]["taints"] = [{"key": key, "value": value, "effect": effect}]

    async def of_first() -> tuple[int, int]:
        found = await around(gate.bench, gate.cordon(), {}, gate.cluster.object("Node", "", "node-1"), None)
        return found["nodes_ready"], found["nodes_schedulable"]

    assert await of_first() == (4, 4)
    gate.cluster.object("Node", "", "node-2")["spec"]["unschedulable"] = True
    assert await of_first() == (4, 3)
    taint(3, "gpu")
    assert await of_first() == (3, 2)
    taint(3, "node.kubernetes.io/memory-pressure")
    taint(4, "spot", "PreferNoSchedule")
    assert await of_first() == (4, 3)
    gate.cluster.object("Node", "", "node-4")["status"]["conditions"][0]["status"] = "False"
    assert await of_first() == (3, 2)
    taint(1, "gpu", value="a")
    taint(3, "gpu", value="b")
    assert await of_first() == (1, 1)


def full(gate: Any, cores: str = "8") -> None:
    """Four nodes of 8 cores of which each holds a pod of that size beside ours, which hold half a core each."""
    for number in range(1, 5):
        pod = gate.pod(f"big-{number}", "big", node=f"node-{number}")
        pod["spec"]["containers"][0]["resources"]["requests"] = {"cpu": cores}
        gate.cluster.put(pod)


async def test_pods_that_come_on_top_need_room_and_those_that_are_there_do_not(gate: Any) -> None:
    full(gate, "7500m")
    assert (await seen(gate))["pods_homeless"] == 0
    assert (await seen(gate, replicas=6))["pods_homeless"] == 1
    full(gate)
    assert (await seen(gate))["pods_homeless"] == 2
    assert (await seen(gate, replicas=2))["pods_homeless"] == 0
    assert (await seen(gate, replicas=1))["pods_homeless"] == 0


async def test_a_new_template_must_find_room_once_the_old_pods_are_gone(gate: Any) -> None:
    full(gate, "7")
    live = gate.cluster.object("Deployment", "shop", "cart")
    live["spec"]["strategy"] = {"type": "Recreate"}

    def of(cores: str) -> Json:
        container = live["spec"]["template"]["spec"]["containers"][0] | {"resources": {"requests": {"cpu": cores}}}
        template = live["spec"]["template"] | {"spec": {"containers": [container]}}
        return live | {"spec": live["spec"] | {"template": template}}

    assert (await seen(gate, after=of("1")))["pods_homeless"] == 0
    assert (await seen(gate, after=of("1100m")))["pods_homeless"] == 2


def allowing(**hard: str) -> Json:
    return {"kind": "ResourceQuota", "metadata": {"namespace": "shop", "name": "team"}, "spec": {"hard": hard or None}}


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        (allowing(cpu="1", memory="1Gi"), allowing(cpu="3", memory="3Gi"), (2000, 2048, 0, 0)),
        (allowing(**{"requests.cpu": "1"}), allowing(**{"requests.cpu": "1500m"}), (500, 0, 0, 0)),
        (allowing(**{"requests.nvidia.com/gpu": "1"}), allowing(**{"requests.nvidia.com/gpu": "4"}), (0, 0, 3, 0)),
        (allowing(pods="5"), allowing(pods="9"), (0, 0, 0, 4)),
        (allowing(), allowing(cpu="2"), (2000, 0, 0, 0)),
        (allowing(cpu="2"), allowing(), (0, 0, 0, 0)),
        (allowing(**{"requests.storage": "1Gi"}), allowing(**{"requests.storage": "9Gi"}), (0, 0, 0, 0)),
    ],
)
def test_a_raised_quota_is_weighed_as_if_all_of_it_were_used(old: Json, new: Json, more: tuple[int, ...]) -> None:
    assert tuple(allowed_more(old, new)) == more
