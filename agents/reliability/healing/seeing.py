"""What one look at a sick node and its surroundings says. Made by `runtime.healing` from the cluster, the ledger and the provider."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from agents.reliability.sick_nodes import BAD_WHEN_TRUE, PATIENCE_NOT_READY, PATIENCE_PRESSURE
from core.actions.fence_node import TAINT
from core.cluster.machines import Machine
from core.cluster.objects import Node
from core.domain.outcome import ActionState
from core.domain.target import Target

ZONE = "topology.kubernetes.io/zone"
POOLS = (
    "karpenter.sh/nodepool",
    "cloud.google.com/gke-nodepool",
    "eks.amazonaws.com/nodegroup",
    "kubernetes.azure.com/agentpool",
    "cluster.x-k8s.io/deployment-name",
    "node.kubernetes.io/instance-type",
)
"""Labels by which nodes belong together, the first that is there."""
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
LEASE_OLD = timedelta(seconds=40)


class Illness(NamedTuple):
    """`sudden` is true below the patience: ill, and not yet for long enough to be suspected."""

    what: str
    since: datetime | None
    sudden: bool = False


class Tenant(NamedTuple):
    """A pod on the node. `stays` where nothing would move it: of a DaemonSet, a mirror of a static pod, finished.

    `allowed` is None without a disruption budget; `idle` where none of the budget's pods is Ready.
    """

    pod: Target
    owner: str
    stays: bool = False
    going: bool = False
    ready: bool = True
    budget: str = ""
    allowed: int | None = None
    idle: bool = False


class Peer(NamedTuple):
    """Another node."""

    name: str
    pool: str
    zone: str
    well: bool
    control: bool = False


class Act(NamedTuple):
    """An action that this episode submitted, as the ledger has it."""

    action_id: str
    kind: str
    target_uid: str
    state: ActionState
    note: str = ""


class Past(NamedTuple):
    """Other episodes. `busy` is one that was confirmed in the same pool before this one and has not ended; `last` when one ended that
    changed the pool; `today` how many of this node did within a day."""

    busy: str = ""
    last: datetime | None = None
    today: int = 0


class Look(NamedTuple):
    """`node` is None when the object with this uid is gone. `lease_age` and `machine` are None where nobody tells.

    `short` names workloads of the episode that are not back; `fresh` nodes of the pool that came up since the machine was replaced.
    """

    now: datetime
    node: Node | None
    tenants: tuple[Tenant, ...] = ()
    volumes: tuple[str, ...] = ()
    lease_age: timedelta | None = None
    machine: Machine | None = None
    hardware: tuple[str, ...] = ()
    peers: tuple[Peer, ...] = ()
    acts: tuple[Act, ...] = ()
    past: Past = Past()
    short: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    owners: tuple[Target, ...] = ()

    @property
    def movable(self) -> tuple[Tenant, ...]:
        return tuple(tenant for tenant in self.tenants if not tenant.stays)


def readiness(node: Node) -> Literal["True", "False", "Unknown"]:
    """A node without the condition has not said yes."""
    said = next((each.status for each in node.status.conditions if each.type == "Ready"), "Unknown")
    return "True" if said == "True" else "False" if said == "False" else "Unknown"


def illness(node: Node, now: datetime) -> Illness | None:
    """The first condition that is bad."""
    found = None
    for condition in node.status.conditions:
        since = condition.last_transition_time
        age = now - since if since else timedelta.max
        if condition.type == "Ready" and condition.status != "True":
            return Illness(f"Ready is {condition.status}", since, sudden=age < PATIENCE_NOT_READY)
        if condition.type in BAD_WHEN_TRUE and condition.status == "True" and found is None:
            found = Illness(f"{condition.type} is True", since, sudden=age < PATIENCE_PRESSURE)
    return found


def fenced(node: Node) -> bool:
    return any(taint.key == TAINT["key"] for taint in node.spec.taints)


def pool_of(labels: Mapping[str, str], chosen: str = "") -> str:
    """By the chosen label, else by the first known one; nodes without any are one pool."""
    return next((labels[name] for name in (chosen, *POOLS) if labels.get(name)), "unlabelled")


def peer(node: Node, now: datetime, chosen: str = "") -> Peer:
    labels = node.metadata.labels
    well = illness(node, now) is None and not node.spec.unschedulable and readiness(node) == "True"
    return Peer(node.metadata.name, pool_of(labels, chosen), labels.get(ZONE, ""), well, CONTROL_PLANE in labels)
