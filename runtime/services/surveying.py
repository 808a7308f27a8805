"""The cluster as a whole: where its nodes stand, what GPUs hold, what it costs and for whom, how far nodes are from each other.

Pure: over one snapshot, prices and samples that the offers read. What is not known is said, never guessed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from agents import sizes
from agents.pricing import UnitPrices, instance_type, unit_prices
from agents.sizes import Size
from core.cluster import capacity
from core.cluster.objects import Node, Pod
from core.cluster.queries import Sample
from core.cluster.snapshot import Snapshot
from core.domain.money import HOURS_PER_MONTH, PriceList
from core.domain.values import bounded

ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
ACCELERATORS = ("nvidia.com/gpu.product", "cloud.google.com/gke-accelerator", "k8s.amazonaws.com/accelerator")
UNKNOWN = "unknown"


class Place(NamedTuple):
    """A node. `asked` is what its pods hold by their requests; `trouble` are conditions that are not well."""

    name: str
    zone: str
    region: str
    type: str
    pods: int
    allocatable: Size
    asked: Size
    schedulable: bool
    trouble: tuple[str, ...]


class Cards(NamedTuple):
    """GPUs of one node. `percent` is their mean use of the last hour by the pods that hold them, None where nobody measures it."""

    node: str
    zone: str
    model: str
    total: int
    held: int
    by: tuple[str, ...]
    percent: float | None


class Wants(NamedTuple):
    """A pod that waits for GPUs, and the nodes on which it would fit now by GPUs alone."""

    namespace: str
    name: str
    gpus: int
    fits: tuple[str, ...]


class Cost(NamedTuple):
    """Micro-USD a month. The row of the namespace `""` is what nobody asked for: idle nodes' room."""

    namespace: str
    pods: int
    monthly_micro_usd: int


class Costs(NamedTuple):
    """`unpriced` are instance types without a price: their nodes are in no row. `source` tells where prices come from."""

    rows: tuple[Cost, ...]
    nodes_monthly_micro_usd: int
    unpriced: tuple[str, ...]
    source: str


class Distance(NamedTuple):
    """Mean seconds of a round trip. Between zones, the mean over their pairs of nodes."""

    origin: str
    target: str
    seconds: float
    pairs: int = 1


class Distances(NamedTuple):
    """`why` says what is missing where nothing is known; empty where something is."""

    zones: tuple[Distance, ...] = ()
    nodes: tuple[Distance, ...] = ()
    why: str = ""


def places(snapshot: Snapshot) -> tuple[Place, ...]:
    """By zone, then by name."""
    held = _held(snapshot)
    return tuple(sorted((_place(node, held.get(node.metadata.name, ())) for node in snapshot.nodes), key=lambda row: (row.zone, row.name)))


def _place(node: Node, pods: Sequence[Pod]) -> Place:
    labels, asked = node.metadata.labels, Size()
    for pod in pods:
        asked = asked.plus(sizes.of_pod(pod.spec))
    return Place(
        node.metadata.name,
        labels.get(ZONE, UNKNOWN),
        labels.get(REGION, UNKNOWN),
        instance_type(node) or UNKNOWN,
        len(pods),
        sizes.read(node.status.allocatable or node.status.capacity),
        asked,
        not node.spec.unschedulable,
        tuple(f"{row.type}={row.status}" for row in node.status.conditions if _ill(row.type, row.status)),
    )


def _ill(kind: str, status: str) -> bool:
    return status != "True" if kind == "Ready" else status == "True"


def _held(snapshot: Snapshot) -> Mapping[str, Sequence[Pod]]:
    """Pods that take room, by node."""
    found: dict[str, list[Pod]] = defaultdict(list)
    for pod in snapshot.pods:
        if capacity.holds(pod):
            found[pod.spec.node_name].append(pod)
    return found


def cards(snapshot: Snapshot, used: Iterable[Sample]) -> tuple[Cards, ...]:
    """Nodes with GPUs. `used` is by namespace and pod, in percent."""
    percents = {(sample.label("namespace"), sample.label("pod")): sample.value for sample in used}
    held, found = _held(snapshot), []
    for node in snapshot.nodes:
        total = sizes.read(node.status.allocatable or node.status.capacity).gpus
        if not total:
            continue
        pods = [pod for pod in held.get(node.metadata.name, ()) if sizes.gpus(pod.spec)]
        known = [value for pod in pods if (value := percents.get((pod.metadata.namespace, pod.metadata.name))) is not None]
        labels = node.metadata.labels
        found.append(
            Cards(
                node.metadata.name,
                labels.get(ZONE, UNKNOWN),
                next((bounded(labels[name], 60) for name in ACCELERATORS if name in labels), UNKNOWN),
                total,
                sum(sizes.gpus(pod.spec) for pod in pods),
                tuple(sorted(f"{pod.metadata.namespace}/{pod.metadata.name}" for pod in pods)),
                sum(known) / len(known) if known and len(known) == len(pods) else None,
            )
        )
    return tuple(sorted(found, key=lambda row: (row.zone, row.node)))


def waiting_for_gpus(snapshot: Snapshot, nodes: Sequence[Cards]) -> tuple[Wants, ...]:
    """Pods without a node that ask for GPUs, largest first."""
    free = {row.node: row.total - row.held for row in nodes}
    wants = []
    for pod in snapshot.pods:
        gpus = sizes.gpus(pod.spec)
        if gpus and not pod.spec.node_name and pod.status.phase == "Pending":
            fits = tuple(name for name, left in free.items() if left >= gpus)
            wants.append(Wants(pod.metadata.namespace, pod.metadata.name, gpus, fits))
    return tuple(sorted(wants, key=lambda row: (-row.gpus, row.namespace, row.name)))


def costs(snapshot: Snapshot, prices: PriceList | None) -> Costs:
    """Each node's price, split over what its pods ask for as `agents.pricing` splits it; what is left is idle.

    The rows add up to the nodes' price. Requests above what a node has cannot be: the scheduler keeps them below.
    """
    if prices is None:
        return Costs((), 0, (), "")
    held, pods, sums = _held(snapshot), defaultdict[str, int](int), defaultdict[str, int](int)
    total, unpriced = 0, set[str]()
    for node in snapshot.nodes:
        kind = instance_type(node)
        price, unit = prices.of(kind), unit_prices(prices, kind)
        if price is None or unit is None:
            unpriced.add(kind or UNKNOWN)
            continue
        monthly = price.hourly_micro_usd * HOURS_PER_MONTH
        total += monthly
        sums[""] += monthly - _split(held.get(node.metadata.name, ()), unit, sums, pods)
    rows = [Cost(name, pods[name], amount) for name, amount in sums.items() if amount or name]
    ranked = sorted(rows, key=lambda row: (not row.namespace, -row.monthly_micro_usd, row.namespace))
    return Costs(tuple(ranked), total, tuple(sorted(unpriced)), prices.source.name)


def _split(pods: Sequence[Pod], unit: UnitPrices, sums: dict[str, int], counts: dict[str, int]) -> int:
    spent = 0
    for pod in pods:
        amount = unit.monthly(sizes.of_pod(pod.spec))
        sums[pod.metadata.namespace] += amount
        counts[pod.metadata.namespace] += 1
        spent += amount
    return spent


def distances(nodes: Sequence[Mapping[str, Any]], samples: Iterable[Sample]) -> Distances:
    """`nodes` are full objects, for their addresses; `samples` are those of `Shape.NODE_LATENCY`: from an instance to a host's address."""
    by_address = {
        str(address.get("address")): str(node["metadata"]["name"])
        for node in nodes
        for address in node.get("status", {}).get("addresses", ())
        if address.get("type") in ("InternalIP", "Hostname")
    }
    names = set(by_address.values())
    zones = {str(node["metadata"]["name"]): str(node["metadata"].get("labels", {}).get(ZONE, UNKNOWN)) for node in nodes}
    pairs = [
        Distance(origin, target, sample.value)
        for sample in samples
        if (origin := sample.label("goldpinger_instance")) in names
        and (target := by_address.get(sample.label("host_ip"), "")) not in ("", origin)
        and sample.value == sample.value
    ]
    between: dict[tuple[str, str], list[float]] = defaultdict(list)
    for pair in pairs:
        between[zones[pair.origin], zones[pair.target]].append(pair.seconds)
    means = [Distance(one, other, sum(values) / len(values), len(values)) for (one, other), values in between.items()]
    why = "" if pairs else "no series of Goldpinger (goldpinger_peers_response_time_s) names two nodes of this cluster"
    return Distances(tuple(sorted(means)), tuple(sorted(pairs)), why)
