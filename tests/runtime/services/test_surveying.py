"""The cluster as a whole: rows add up to the nodes' price, GPUs are counted once, and what is not known is said."""

from datetime import UTC, datetime

from core.cluster.objects import (
    Condition,
    Container,
    Meta,
    Node,
    NodeStatus,
    Pod,
    PodSpec,
    PodStatus,
    ResourceRequirements,
)
from core.cluster.queries import Sample
from core.cluster.snapshot import Snapshot
from core.domain.money import HOURS_PER_MONTH, InstancePrice, PriceList, PriceSource
from runtime.services import surveying

AT = datetime(2026, 11, 27, tzinfo=UTC)
PRICES = PriceList(
    source=PriceSource(name="list", at=AT),
    instances=(InstancePrice(instance_type="m.large", cpu_milli=4000, memory_mib=16384, hourly_micro_usd=200_000),),
)


def node(name: str, zone: str = "a", kind: str = "m.large", gpus: int = 0, ready: str = "True") -> Node:
    labels = {"topology.kubernetes.io/zone": zone, "node.kubernetes.io/instance-type": kind, "nvidia.com/gpu.product": "H200"}
    has = {"cpu": "4", "memory": "16Gi", "pods": "110"} | ({"nvidia.com/gpu": str(gpus)} if gpus else {})
    return Node(Meta(name=name, uid=name, labels=labels), status=NodeStatus(allocatable=has, conditions=(Condition("Ready", ready),)))


def pod(name: str, on: str, cpu: str = "1", gpus: int = 0, phase: str = "Running", namespace: str = "shop") -> Pod:
    asks = {"cpu": cpu, "memory": "4Gi"} | ({"nvidia.com/gpu": str(gpus)} if gpus else {})
    container = Container(name="main", resources=ResourceRequirements(requests=asks))
    return Pod(Meta(name=name, namespace=namespace, uid=name), PodSpec(node_name=on, containers=(container,)), PodStatus(phase=phase))


def snapshot(*items: Node | Pod) -> Snapshot:
    rows = {"Node": tuple(i for i in items if isinstance(i, Node)), "Pod": tuple(i for i in items if isinstance(i, Pod))}
    return Snapshot(cluster="c-1", taken_at=AT, objects=rows)


def test_nodes_stand_by_zone_with_what_their_pods_ask_for_and_what_ails_them() -> None:
    found = surveying.places(snapshot(node("n2", "b"), node("n1", ready="Unknown"), pod("p", "n1"), pod("over", "n1", phase="Succeeded")))
    assert [(row.zone, row.name, row.pods, row.asked.cpu_milli) for row in found] == [("a", "n1", 1, 1000), ("b", "n2", 0, 0)]
    assert [row.trouble for row in found] == [("Ready=Unknown",), ()]


def test_costs_add_up_to_the_price_of_the_nodes_and_the_rest_is_idle() -> None:
    seen = snapshot(node("n1"), node("n2"), node("n3", kind="odd"), pod("p", "n1"), pod("q", "n2", "2", namespace="data"), pod("r", "n3"))
    found = surveying.costs(seen, PRICES)
    assert found.nodes_monthly_micro_usd == 2 * 200_000 * HOURS_PER_MONTH
    assert sum(row.monthly_micro_usd for row in found.rows) == found.nodes_monthly_micro_usd
    assert [(row.namespace, row.pods) for row in found.rows] == [("data", 1), ("shop", 1), ("", 0)]
    assert found.unpriced == ("odd",)
    assert surveying.costs(seen, None) == surveying.Costs((), 0, (), "")


def test_gpus_are_measured_only_where_every_pod_that_holds_some_is() -> None:
    seen = snapshot(
        node("g1", gpus=8), node("g2", gpus=8), node("c1"), pod("t", "g1", gpus=4), pod("u", "g1", gpus=2), pod("v", "g2", gpus=8)
    )
    used = [Sample((("namespace", "shop"), ("pod", "t")), 0, 80.0), Sample((("namespace", "shop"), ("pod", "v")), 0, 4.0)]
    found = surveying.cards(seen, used)
    assert [(row.node, row.model, row.total, row.held, row.percent) for row in found] == [
        ("g1", "H200", 8, 6, None),
        ("g2", "H200", 8, 8, 4.0),
    ]
    waits = surveying.waiting_for_gpus(
        snapshot(*seen.nodes, *seen.pods, pod("w", "", gpus=2, phase="Pending"), pod("x", "", gpus=4, phase="Pending")), found
    )
    assert [(row.name, row.fits) for row in waits] == [("x", ()), ("w", ("g1",))]


def full(name: str, zone: str, address: str) -> dict[str, object]:
    labels = {"topology.kubernetes.io/zone": zone}
    return {"metadata": {"name": name, "labels": labels}, "status": {"addresses": [{"type": "InternalIP", "address": address}]}}


def ping(origin: str, address: str, value: float) -> Sample:
    return Sample((("goldpinger_instance", origin), ("host_ip", address)), 0, value)


def test_latency_is_between_nodes_of_this_cluster_and_their_zones() -> None:
    nodes = [full("n1", "a", "10.0.0.1"), full("n2", "a", "10.0.0.2"), full("n3", "b", "10.0.0.3")]
    samples = [
        ping("n1", "10.0.0.2", 0.001),
        ping("n1", "10.0.0.3", 0.004),
        ping("n2", "10.0.0.3", 0.002),
        ping("n1", "10.0.0.1", 0.1),
        ping("elsewhere", "10.0.0.1", 9.0),
        ping("n3", "10.9.9.9", 9.0),
        ping("n3", "10.0.0.1", float("nan")),
    ]
    found = surveying.distances(nodes, samples)
    assert [(row.origin, row.target, row.seconds, row.pairs) for row in found.zones] == [("a", "a", 0.001, 1), ("a", "b", 0.003, 2)]
    assert found.why == ""
    assert "Goldpinger" in surveying.distances(nodes, samples[4:]).why
