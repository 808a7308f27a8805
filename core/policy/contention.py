"""What proposals compete for: room on nodes, GPU allowances, quotas and budgets of namespaces. Called by whoever hands arbitration its
surroundings, with what it read of the cluster itself; no proposal says what is free.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from core.cluster import capacity, quantities
from core.cluster.objects import Quota
from core.cluster.placing import GPUS, Amounts
from core.cluster.snapshot import Snapshot
from core.domain.money import HOURS_PER_MONTH, MICRO, PriceList
from core.domain.objective import Objectives
from core.domain.proposal import Proposal

Resource = Literal["cpu_milli", "memory_mib", "gpus", "pods", "micro_usd"]
KINDS = ("Node", "Pod", "ResourceQuota")
"""What `pools` is read from."""
_INSTANCE_TYPE = "node.kubernetes.io/instance-type"
_HELD_BY_QUOTA: dict[Resource, tuple[str, ...]] = {
    "cpu_milli": ("cpu", "requests.cpu"),
    "memory_mib": ("memory", "requests.memory"),
    "gpus": tuple(f"requests.{name}" for name in GPUS),
    "pods": ("pods",),
}


class Pool(NamedTuple):
    """One capacity that several draw from. `namespace` is empty where it is the whole cluster's; `free` may be below zero.

    Over a firm one nobody goes: the API server or the judge refuses that, so a wish for more than all of it takes nothing from the others.
    Nodes are not firm: pods wait, or an autoscaler brings another node.
    """

    name: str
    resource: Resource
    free: int
    namespace: str = ""
    firm: bool = True


def wanted(proposal: Proposal, pool: Pool) -> int:
    """What a proposal takes from a pool; zero or less where it takes nothing or gives back."""
    target, effect = proposal.action.target, proposal.effect
    if pool.namespace and pool.namespace != target.namespace:
        return 0
    match pool.resource:
        case "cpu_milli":
            return effect.capacity_cpu_milli
        case "memory_mib":
            return effect.capacity_memory_mib
        case "gpus":
            return effect.capacity_gpus
        case "pods":
            return effect.capacity_pods
        case "micro_usd":
            return -effect.saving.paper_micro_usd if effect.saving else 0


def shown(amount: int, resource: Resource) -> str:
    """An amount as people read it: `3000m CPU`, `512 MiB`, `4 GPUs`, `2 pods`, `12.50 USD a month`."""
    match resource:
        case "cpu_milli":
            return f"{amount}m CPU"
        case "memory_mib":
            return f"{amount} MiB"
        case "micro_usd":
            return f"{amount / MICRO:.2f} USD a month"
        case "gpus":
            return f"{amount} GPU{'' if amount == 1 else 's'}"
        case "pods":
            return f"{amount} pod{'' if amount == 1 else 's'}"


def pools(snapshot: Snapshot, namespaces: Iterable[str], objectives: Objectives, prices: PriceList | None) -> tuple[Pool, ...]:
    """Of the whole cluster and of these namespaces. What could not be read limits nobody here: the judge looks again at each action."""
    known = {kind for kind in KINDS if kind not in snapshot.unread}
    found: list[Pool] = []
    if {"Node", "Pod"} <= known:
        found += _nodes(snapshot)
    for namespace in sorted(set(namespaces)):
        if "Pod" in known:
            found += _allowance(snapshot, namespace, objectives)
        if {"Node", "Pod"} <= known:
            found += _budget(snapshot, namespace, objectives, prices)
        found += _quotas(snapshot, namespace)
    return tuple(found)


def _nodes(snapshot: Snapshot) -> Iterator[Pool]:
    room, total = capacity.Room(snapshot), Amounts()
    for name in room.schedulable():
        total = total.plus(Amounts(*(max(0, free) for free in _room(room, name))))
    yield Pool("the open nodes", "cpu_milli", total.cpu_milli, firm=False)
    yield Pool("the open nodes", "memory_mib", total.memory_mib, firm=False)
    yield Pool("the open nodes", "gpus", total.gpus, firm=False)


def _room(room: capacity.Room, node: str) -> Amounts:
    """A node with an odd quantity has no room that anybody could promise."""
    try:
        return room.free(node)
    except ValueError:
        return Amounts()


def _allowance(snapshot: Snapshot, namespace: str, objectives: Objectives) -> Iterator[Pool]:
    allowed = objectives.gpu_allowance(namespace)
    if allowed is not None:
        held = capacity.gpus_held(pod for pod in snapshot.pods if pod.metadata.namespace == namespace)
        yield Pool(f"the GPU allowance of {namespace}", "gpus", allowed - held, namespace)


def _quotas(snapshot: Snapshot, namespace: str) -> Iterator[Pool]:
    quotas: list[Quota] = [item for item in snapshot.of("ResourceQuota") if item.metadata.namespace == namespace]
    for quota in quotas:
        hard, used = quota.status.get("hard", {}), quota.status.get("used", {})
        for resource, names in _HELD_BY_QUOTA.items():
            for name in names:
                if name in hard and (free := _left(resource, hard[name], used.get(name, 0))) is not None:
                    yield Pool(f"the quota {quota.metadata.name} of {namespace}", resource, free, namespace)


def _left(resource: Resource, hard: str | int | float, used: str | int | float) -> int | None:
    amount = {"cpu_milli": quantities.cpu_milli, "memory_mib": quantities.memory_mib}.get(resource, quantities.count)
    try:
        return amount(hard) - amount(used)
    except ValueError:
        return None


def _budget(snapshot: Snapshot, namespace: str, objectives: Objectives, prices: PriceList | None) -> Iterator[Pool]:
    """What the pods of a namespace cost a month is priced as the judge prices it: by the mean of the nodes with a known price."""
    limits = [item.monthly_budget_micro_usd for item in objectives.of(namespace) if item.monthly_budget_micro_usd]
    unit = _unit_price(snapshot, prices)
    if not limits or prices is None or unit is None:
        return
    room = capacity.Room(snapshot)
    held = (room.amounts(pod) for pod in snapshot.pods if pod.metadata.namespace == namespace and capacity.holds(pod))
    spent = sum(_weight(prices, item) for item in held) * unit * HOURS_PER_MONTH
    yield Pool(f"the budget of {namespace}", "micro_usd", min(limits) - round(spent), namespace)


def _unit_price(snapshot: Snapshot, prices: PriceList | None) -> float | None:
    """Micro-USD an hour for a thousandth of a core, or what weighs as much."""
    types = [node.metadata.labels.get(_INSTANCE_TYPE, "") for node in snapshot.nodes]
    known = [price for name in types if prices is not None and (price := prices.of(name))]
    if prices is None or not known:
        return None
    weight = sum(_weight(prices, Amounts(price.cpu_milli, price.memory_mib, price.gpus)) for price in known)
    return sum(price.hourly_micro_usd for price in known) / weight


def _weight(prices: PriceList, size: Amounts) -> float:
    return size.cpu_milli + size.memory_mib / 1024 * prices.memory_weight + size.gpus * prices.gpu_weight
