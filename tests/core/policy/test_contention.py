"""What is free is worked out from the cluster as it was read, and says nothing where it was not."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from core.cluster.objects import Node, Pod, Quota
from core.cluster.snapshot import Snapshot
from core.domain.money import InstancePrice, PriceList, PriceSource
from core.domain.objective import Objective, Objectives, Scope
from core.domain.proposal import Proposal
from core.policy import contention
from core.policy.contention import Pool

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
ALLOCATABLE = {"cpu": "4", "memory": "8Gi", "nvidia.com/gpu": "2", "pods": "110"}


def node(name: str, *, ready: str = "True", **over: Any) -> Node:
    meta = {"name": name, "labels": {"node.kubernetes.io/instance-type": "m5"}}
    status = {"allocatable": over.pop("allocatable", ALLOCATABLE), "conditions": [{"type": "Ready", "status": ready}]}
    return msgspec.convert({"metadata": meta, "spec": over, "status": status}, Node)


def pod(name: str, namespace: str = "ml", *, on: str = "n1", phase: str = "Running", **requests: str) -> Pod:
    asked = {key.replace("gpu", "nvidia.com/gpu"): value for key, value in requests.items()}
    spec = {"nodeName": on, "containers": [{"name": "c", "resources": {"requests": asked}}]}
    return msgspec.convert({"metadata": {"name": name, "namespace": namespace, "uid": name}, "spec": spec, "status": {"phase": phase}}, Pod)


def quota(namespace: str = "ml", **status: dict[str, str]) -> Quota:
    return msgspec.convert({"metadata": {"name": "q", "namespace": namespace}, "status": status}, Quota)


def snapshot(*objects: Any, unread: tuple[str, ...] = ()) -> Snapshot:
    kinds = {"Node": Node, "Pod": Pod, "ResourceQuota": Quota}
    found = {kind: tuple(item for item in objects if isinstance(item, cls)) for kind, cls in kinds.items()}
    return Snapshot("c-1", NOW, found, unread=dict.fromkeys(unread, "not allowed"))


def objectives(**over: Any) -> Objectives:
    return Objectives(items=(Objective(name="o", scope=Scope(namespaces=("ml",)), serves="cost", priority=1, **over),))


PRICES = PriceList(
    source=PriceSource(name="list", at=NOW),
    instances=(InstancePrice(instance_type="m5", cpu_milli=4000, memory_mib=0 + 1, hourly_micro_usd=400_000),),
    memory_weight=0,
    gpu_weight=0,
)


def free(found: tuple[Pool, ...]) -> dict[tuple[str, str], int]:
    return {(pool.name, pool.resource): pool.free for pool in found}


def test_nodes_that_take_pods_have_what_no_pod_holds() -> None:
    world = snapshot(
        node("n1"),
        node("n2", unschedulable=True),
        node("n3", ready="False"),
        pod("a", cpu="1500m", memory="1Gi", gpu="1"),
        pod("done", phase="Succeeded", cpu="2"),
        pod("unbound", on="", cpu="2"),
    )
    found = contention.pools(world, (), Objectives(), None)
    assert free(found) == {
        ("the open nodes", "cpu_milli"): 2500,
        ("the open nodes", "memory_mib"): 7168,
        ("the open nodes", "gpus"): 1,
    }
    assert not any(pool.firm for pool in found)


def test_a_node_that_is_overcommitted_takes_nothing_from_the_others_and_an_odd_one_promises_nothing() -> None:
    odd = {**ALLOCATABLE, "cpu": "many"}
    world = snapshot(node("n1"), node("n2"), node("n3", allocatable=odd), pod("a", cpu="9"), pod("b", on="n2", cpu="1"))
    assert free(contention.pools(world, (), Objectives(), None))["the open nodes", "cpu_milli"] == 3000


def test_an_allowance_is_what_the_namespaces_own_pods_leave_of_it() -> None:
    world = snapshot(node("n1"), pod("a", gpu="2"), pod("b", "elsewhere", gpu="1"))
    found = contention.pools(world, ("ml",), objectives(gpu_allowance=3), None)
    assert free(found)["the GPU allowance of ml", "gpus"] == 1
    assert ("the GPU allowance of ml", "gpus") not in free(contention.pools(world, ("ml",), objectives(), None))


def test_a_quota_leaves_hard_less_used_of_each_resource_it_names() -> None:
    hard = {"requests.cpu": "4", "memory": "2Gi", "pods": "10", "requests.nvidia.com/gpu": "4", "count/secrets": "3"}
    used = {"requests.cpu": "3500m", "pods": "9", "requests.nvidia.com/gpu": "5"}
    world = snapshot(quota(hard=hard, used=used), quota("elsewhere", hard={"pods": "1"}))
    found = free(contention.pools(world, ("ml",), Objectives(), None))
    assert {key[1]: left for key, left in found.items() if key[0] == "the quota q of ml"} == {
        "cpu_milli": 500,
        "memory_mib": 2048,
        "pods": 1,
        "gpus": -1,
    }


def test_a_quota_with_an_odd_quantity_says_nothing() -> None:
    assert "the quota q of ml" not in {
        pool.name for pool in contention.pools(snapshot(quota(hard={"cpu": "lots"})), ("ml",), Objectives(), None)
    }


def test_a_budget_is_what_the_pods_of_the_namespace_leave_of_it_at_the_price_of_the_nodes() -> None:
    world = snapshot(node("n1"), pod("a", cpu="1"), pod("b", "elsewhere", cpu="3"))
    found = contention.pools(world, ("ml",), objectives(monthly_budget_micro_usd=100_000_000), PRICES)
    assert free(found)["the budget of ml", "micro_usd"] == 100_000_000 - 100_000 * 730  # a core of four at 0.4 USD an hour
    assert ("the budget of ml", "micro_usd") not in free(
        contention.pools(world, ("ml",), objectives(monthly_budget_micro_usd=100_000_000), None)
    )


@pytest.mark.parametrize("unread", [("Pod",), ("Node",)])
def test_what_could_not_be_read_limits_nobody(unread: tuple[str, ...]) -> None:
    world = snapshot(node("n1"), pod("a", cpu="1"), unread=unread)
    found = contention.pools(world, ("ml",), objectives(gpu_allowance=0, monthly_budget_micro_usd=1), PRICES)
    assert {pool.name for pool in found} == ({"the GPU allowance of ml"} if unread == ("Node",) else set())


def test_only_what_lies_in_the_namespace_draws_on_its_pool(make_proposal: Callable[..., Proposal]) -> None:
    proposal = make_proposal("act-0001", gpus=2)
    assert contention.wanted(proposal, Pool("p", "gpus", 0, "shop")) == 2
    assert contention.wanted(proposal, Pool("p", "gpus", 0, "elsewhere")) == 0
    assert contention.wanted(proposal, Pool("p", "gpus", 0)) == 2
