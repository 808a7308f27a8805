"""Spot capacity that its owner takes back: a notice, a drain as termination handlers do it, the end, and capacity again after a while.

When a node is taken is drawn once for each life of it: waits between interruptions are exponential (a Poisson process at the pool's rate),
from the store's seed and the node's name alone. Notice shows as such handlers of the clouds show it: a Warning event of the node, the
condition `SpotInterruption`, a taint, and the node is closed. Pods are asked to go as far as their budgets allow; what is left when the
notice is over goes with the machine. What comes back is another machine: it has a name of its own.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from simulator.clock import stamp
from simulator.controllers import disruption, events, pods
from simulator.controllers.cluster import NODES, PDBS, PODS, Cluster, Json, earliest
from simulator.controllers.conditions import put
from simulator.worlds import machines
from simulator.worlds.world import Market, NodePool

CONDITION = "SpotInterruption"
TAINT = {"key": "node.example.com/spot-interruption", "effect": "NoSchedule"}
SOURCE = "termination-handler"
AGAIN_SECONDS = 5
SETTLING = timedelta(minutes=5)
"""So long after a machine went its pods may still be on their way."""


class Place(NamedTuple):
    """One machine's place in a pool, and the life that it is in: how many machines it had before, and what happens next."""

    pool: NodePool
    market: Market
    number: int
    life: int
    notice: datetime
    gone: datetime | None = None

    @property
    def name(self) -> str:
        """Of the machine that stands there now."""
        return f"{self.pool.names[self.number]}-{self.life}" if self.life else self.pool.names[self.number]

    @property
    def back(self) -> datetime | None:
        after = self.market.returns_after_seconds
        return None if self.gone is None or after is None else self.gone + timedelta(seconds=after)


def reconcile(cluster: Cluster) -> datetime | None:
    if "market" not in cluster.memo:
        cluster.memo["market"] = list(_places(cluster))
        cluster.memo["taken"] = {}
    places: list[Place] = cluster.memo["market"]
    due = None
    for number, place in enumerate(places):
        places[number], at = _one(cluster, place)
        due = earliest(due, at)
    return due


def taken(cluster: Cluster) -> dict[str, datetime]:
    """The machines that the market took back, by name, and when each went."""
    found: dict[str, datetime] = cluster.memo.get("taken", {})
    return found


def is_unsettled(cluster: Cluster) -> bool:
    """Whether a machine is being taken now, or went so lately that its pods may not stand elsewhere yet."""
    under_notice = any(place.gone is None and place.notice <= cluster.now for place in cluster.memo.get("market", ()))
    return under_notice or any(at > cluster.now - SETTLING for at in taken(cluster).values())


# -- one place --------------------------------------------------------------------------------------------------------


def _places(cluster: Cluster) -> Iterator[Place]:
    for pool in cluster.world.nodes:
        if pool.market is not None:
            for index in range(len(pool.names)):
                yield _begun(cluster, Place(pool, pool.market, index, 0, cluster.world.start), cluster.world.start)


def _begun(cluster: Cluster, place: Place, since: datetime) -> Place:
    """The place with the time drawn at which its machine is called back."""
    chance = Random(f"{cluster.store.seed}/{cluster.world.name}/{place.name}")  # noqa: S311  a draw of the world, not a secret
    hours = chance.expovariate(place.market.interruptions_per_hour)
    return place._replace(notice=since + timedelta(seconds=1 + int(hours * 3600)), gone=None)


def _one(cluster: Cluster, place: Place) -> tuple[Place, datetime | None]:
    if place.gone is not None:
        return _awaited(cluster, place)
    if cluster.now < place.notice:
        return place, place.notice
    node = cluster.store.peek(NODES, None, place.name)
    if node is None:  # somebody else took it away
        return place._replace(gone=cluster.now), place._replace(gone=cluster.now).back
    ends = place.notice + timedelta(seconds=place.market.notice_seconds)
    if cluster.now < ends:
        _give_notice(cluster, node, ends)
        _drain(cluster, place.name)
        return place, min(ends, cluster.after(AGAIN_SECONDS))
    cluster.memo["taken"][place.name] = cluster.now
    cluster.store.delete(NODES, None, place.name)
    events.record(
        cluster, node, "RemovingNode", f"Node {place.name} event: Removing Node {place.name} from Controller", source="node-controller"
    )
    place = place._replace(gone=cluster.now)
    return place, place.back


def _awaited(cluster: Cluster, place: Place) -> tuple[Place, datetime | None]:
    if place.back is None or cluster.now < place.back:
        return place, place.back
    place = _begun(cluster, place._replace(life=place.life + 1), cluster.now)
    slot = machines.slots(cluster.world.nodes)[place.pool.names[place.number]]
    cluster.create(NODES, machines.node(place.pool, place.name, place.number, slot), manager="kubelet")
    return place, place.notice


def _give_notice(cluster: Cluster, node: Json, ends: datetime) -> None:
    conditions: list[Json] = node.get("status", {}).get("conditions", [])
    if any(each["type"] == CONDITION for each in conditions):
        return
    name = node["metadata"]["name"]
    message = f"spot capacity of {name} is taken back at {stamp(ends)}"
    events.record(cluster, node, CONDITION, message, source=SOURCE, warning=True)
    closed = {**node["spec"], "unschedulable": True, "taints": [*node["spec"].get("taints", ()), TAINT]}
    cluster.update(NODES, {**node, "spec": closed}, manager=SOURCE)
    told = put(conditions, CONDITION, "True", cluster.now, reason="TerminationNotice", message=message)
    live = cluster.store.peek(NODES, None, name)
    if live is not None:
        cluster.set_status(NODES, live, {**live.get("status", {}), "conditions": told}, manager=SOURCE)


# -- the drain --------------------------------------------------------------------------------------------------------


def _drain(cluster: Cluster, name: str) -> None:
    """Ask the machine's pods to go, one budget's room at a time; those of a DaemonSet stay to the end."""
    room = {_key(budget): _room(cluster, budget) for budget in cluster.all(PDBS)}
    for pod in cluster.all(PODS):
        if pod["spec"].get("nodeName") != name or not pods.is_active(pod) or _of_daemon(pod):
            continue
        over = [_key(budget) for budget in cluster.all(PDBS) if _is_over(budget, pod)]
        if all(room[key] > 0 for key in over):
            room.update({key: room[key] - 1 for key in over})
            cluster.delete_pod(pod)


def _key(budget: Json) -> tuple[str, str]:
    return budget["metadata"]["namespace"], budget["metadata"]["name"]


def _room(cluster: Cluster, budget: Json) -> int:
    """What the budget lets go, worked out now: its status may be of before the last eviction."""
    selected = [pod for pod in cluster.all(PODS) if _is_over(budget, pod)]
    healthy = sum(pods.is_ready(pod) and pods.is_active(pod) for pod in selected)
    return healthy - int(budget.get("status", {}).get("desiredHealthy", 0))


def _is_over(budget: Json, pod: Json) -> bool:
    return bool(budget["metadata"]["namespace"] == pod["metadata"]["namespace"] and disruption.selects(budget, pod))


def _of_daemon(pod: Json) -> bool:
    return any(owner["kind"] == "DaemonSet" for owner in pod["metadata"].get("ownerReferences", ()))
