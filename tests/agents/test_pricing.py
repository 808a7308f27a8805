"""Money: split by fixed weights, claimed only where there is a price, realised only where a node goes."""

from datetime import UTC, datetime

from agents.desk import SCOPE, Desk
from agents.pricing import nodes_to_go, prices_under, saving, unit_prices
from agents.sizes import Size
from core.cluster import objects
from core.cluster.snapshot import Snapshot
from core.domain.money import HOURS_PER_MONTH, InstancePrice, PriceList, PriceSource

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PLAIN = InstancePrice(instance_type="plain", cpu_milli=4000, memory_mib=16384, hourly_micro_usd=200_000)
GPU = InstancePrice(instance_type="gpu", cpu_milli=8000, memory_mib=65536, gpus=2, hourly_micro_usd=5_000_000)
PRICES = PriceList(source=PriceSource(name="test", at=NOW), instances=(PLAIN, GPU))


def node(name: str, kind: str = "plain") -> objects.Node:
    ready = objects.Condition(type="Ready", status="True")
    meta = objects.Meta(name=name, uid=f"n-{name}", labels={"node.kubernetes.io/instance-type": kind})
    return objects.Node(
        metadata=meta, status=objects.NodeStatus(allocatable={"cpu": "4", "memory": "16Gi", "pods": "110"}, conditions=(ready,))
    )


def pod(name: str, on: str, cpu: str) -> objects.Pod:
    owner = objects.OwnerReference(kind="ReplicaSet", name="web", uid="rs", controller=True)
    requests: objects.Resources = {"cpu": cpu, "memory": "1Gi"}
    container = objects.Container(name="app", resources=objects.ResourceRequirements(requests=requests))
    meta = objects.Meta(name=name, namespace="apps", uid=name, owner_references=(owner,))
    return objects.Pod(
        metadata=meta, spec=objects.PodSpec(node_name=on, containers=(container,)), status=objects.PodStatus(phase="Running")
    )


def desk(
    *items: objects.Pod, nodes: tuple[objects.Node, ...] = (), prices: PriceList | None = PRICES, missing: dict[str, str] | None = None
) -> Desk:
    return Desk(Snapshot("c", NOW, {"Pod": items, "Node": nodes}), NOW, "r", prices=prices, missing=missing or {})


def test_the_parts_of_a_machine_cost_what_the_machine_costs() -> None:
    for price in (PLAIN, GPU):
        unit = unit_prices(PRICES, price.instance_type)
        assert unit is not None
        whole = unit.monthly(Size(price.cpu_milli, price.memory_mib, price.gpus))
        assert abs(whole - price.hourly_micro_usd * HOURS_PER_MONTH) <= 1


def test_a_machine_without_a_price_makes_no_claim() -> None:
    pods = (pod("a", "x", "1"),)
    work = desk(*pods, nodes=(node("x", "unheard-of"),))
    assert prices_under(work, pods) is None
    assert saving(work, pods, Size(1000), certainty_percent=70) is None
    assert prices_under(desk(*pods, nodes=(node("x"),), prices=None), pods) is None


def test_the_cheapest_machine_under_the_pods_counts() -> None:
    pods = (pod("a", "x", "1"), pod("b", "y", "1"))
    assert prices_under(desk(*pods, nodes=(node("x"), node("y", "gpu"))), pods) == unit_prices(PRICES, "plain")


def test_a_node_counts_when_the_change_is_what_empties_it() -> None:
    pods = (pod("a", "x", "3"), pod("b", "y", "3"))
    work = desk(*pods, nodes=(node("x"), node("y")))
    assert nodes_to_go(work, {}) == 0
    assert nodes_to_go(work, {"a": Size(500, 1024), "b": Size(500, 1024)}) == PLAIN.hourly_micro_usd * HOURS_PER_MONTH


def test_a_node_that_was_empty_before_is_no_merit_of_the_change() -> None:
    pods = (pod("a", "x", "1"),)
    work = desk(*pods, nodes=(node("x"), node("y")))
    assert nodes_to_go(work, {"a": Size(500, 1024)}) == 0


def test_what_is_realised_is_never_more_than_paper_and_nothing_where_part_of_the_cluster_was_not_read() -> None:
    pods = (pod("a", "x", "3"), pod("b", "y", "3"))
    nodes, after = (node("x"), node("y")), {"a": Size(500, 1024), "b": Size(500, 1024)}
    whole = saving(desk(*pods, nodes=nodes), pods, Size(5000), certainty_percent=70, after=after)
    assert whole is not None
    assert whole.realisable_micro_usd == whole.paper_micro_usd > 0
    assert whole.low_micro_usd == whole.paper_micro_usd * 70 // 100
    part = saving(desk(*pods, nodes=nodes, missing={SCOPE: "only apps"}), pods, Size(5000), certainty_percent=70, after=after)
    assert part is not None
    assert part.realisable_micro_usd == 0
