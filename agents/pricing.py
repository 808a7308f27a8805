"""What requests cost, and which nodes could go. Called by planners that claim money.

A node's price is split over its CPU, memory and GPUs by fixed weights (OpenCost's way, see `PriceList`). A node type without a price makes
no claim. Paper savings are requests given back, priced; realisable ones count only nodes that a first-fit-decreasing re-pack would empty.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from agents.desk import Desk
from agents.sizes import Size
from core.cluster import capacity
from core.cluster.objects import Node, Pod
from core.cluster.placing import Amounts
from core.domain.money import HOURS_PER_MONTH, PriceList, Saving

INSTANCE_TYPE = "node.kubernetes.io/instance-type"


class UnitPrices(NamedTuple):
    """Micro-USD per hour."""

    cpu_milli: Fraction
    memory_mib: Fraction
    gpu: Fraction

    def monthly(self, size: Size) -> int:
        hourly = self.cpu_milli * size.cpu_milli + self.memory_mib * size.memory_mib + self.gpu * size.gpus
        return round(hourly * HOURS_PER_MONTH)


def unit_prices(prices: PriceList, instance_type: str) -> UnitPrices | None:
    """The split of one machine's price; None for a type that the list does not have."""
    price = prices.of(instance_type)
    if price is None:
        return None
    weight = Fraction(price.cpu_milli) + Fraction(price.memory_mib * prices.memory_weight, 1024) + price.gpus * prices.gpu_weight
    core_thousandth = Fraction(price.hourly_micro_usd) / weight
    return UnitPrices(core_thousandth, core_thousandth * prices.memory_weight / 1024, core_thousandth * prices.gpu_weight)


def prices_under(desk: Desk, pods: Iterable[Pod]) -> UnitPrices | None:
    """The prices of the machines these pods stand on: of the cheapest type among them, so that no saving is overstated."""
    if desk.prices is None:
        return None
    types = {instance_type(node) for pod in pods if (node := desk.snapshot.find("Node", "", pod.spec.node_name)) is not None}
    split = [unit for name in sorted(types) if (unit := unit_prices(desk.prices, name)) is not None]
    return min(split, key=lambda unit: unit.cpu_milli, default=None)


def instance_type(node: Node) -> str:
    return node.metadata.labels.get(INSTANCE_TYPE, "")


def saving(
    desk: Desk, pods: Iterable[Pod], given_back: Size, *, certainty_percent: int, after: Mapping[str, Size] | None = None
) -> Saving | None:
    """`given_back` over all pods, priced; `low` is that certainty's share of it. `after`: the new size by pod uid, for the re-pack.

    A node that goes is credited up to the paper saving: the rest of it was idle before and is no merit of this change.
    """
    unit = prices_under(desk, pods)
    if unit is None or desk.prices is None:
        return None
    paper = unit.monthly(given_back)
    realisable = min(paper, nodes_to_go(desk, after)) if after is not None and desk.whole else 0
    bounds = sorted((paper * certainty_percent // 100, paper))
    return Saving(
        paper_micro_usd=paper, realisable_micro_usd=realisable, low_micro_usd=bounds[0], high_micro_usd=bounds[1], source=desk.prices.source
    )


def nodes_to_go(desk: Desk, after: Mapping[str, Size]) -> int:
    """Micro-USD a month of the nodes that the new sizes empty and the old ones did not: what was idle before is no merit of this change."""
    amounts = {uid: Amounts(*size) for uid, size in after.items()}
    return max(0, _price(desk, capacity.repack(desk.snapshot, amounts)) - _price(desk, capacity.repack(desk.snapshot)))


def _price(desk: Desk, packing: capacity.Packing) -> int:
    nodes = (desk.snapshot.find("Node", "", name) for name in packing.removable)
    prices = [desk.prices.of(instance_type(node)) for node in nodes if node is not None] if desk.prices is not None else []
    return sum(price.hourly_micro_usd * HOURS_PER_MONTH for price in prices if price is not None)
