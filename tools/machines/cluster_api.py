"""Machines of the Cluster API, read through the API server. What is replaced here is an object with a uid, so the gate replaces it."""

from core.actions.fence_stopped_node import SHUTDOWN, stopped
from core.cluster.kinds import KINDS
from core.cluster.machines import Machine
from core.cluster.objects import Node
from core.cluster.reading import ObjectReader
from core.domain.errors import Refused
from core.domain.target import Target
from core.domain.values import Json, at_path, bounded

MACHINE, NAMESPACE = "cluster.x-k8s.io/machine", "cluster.x-k8s.io/cluster-namespace"
"""Annotations of a node that a Machine made."""


class ClusterApiMachines:
    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader

    async def behind(self, cluster: str, node: Node) -> Machine | None:
        """Of a node without a Machine only what its cloud controller says, and None where that says nothing."""
        tainted = any(taint.key == SHUTDOWN for taint in node.spec.taints)
        notes, found = node.metadata.annotations, None
        if notes.get(MACHINE) and notes.get(NAMESPACE):
            found = await self._reader.get(KINDS["Machine"], notes[NAMESPACE], notes[MACHINE])
        if found is None or at_path(found, "status.nodeRef.uid") != node.metadata.uid:
            return Machine("off", "the cloud controller says that it is shut down") if tainted else None
        return _seen(cluster, found, off=tainted or stopped({"metadata": {"uid": node.metadata.uid}}, found))

    async def replace(self, cluster: str, node: Node, key: str) -> str:  # noqa: ARG002  the port's form
        raise Refused((f"node {node.metadata.name} has no Machine that could be replaced",))


def _seen(cluster: str, machine: Json, *, off: bool) -> Machine:
    meta, kind = machine["metadata"], KINDS["Machine"]
    target = Target(cluster=cluster, group=kind.group, kind=kind.name, namespace=meta["namespace"], name=meta["name"], uid=meta["uid"])
    said: Json = next((each for each in at_path(machine, "status.conditions") or () if each.get("type") == "InfrastructureReady"), {})
    words = bounded(f"Machine {meta['name']}: {said.get('reason') or at_path(machine, 'status.phase') or 'no word'}", 120)
    return Machine("off" if off else "on" if said.get("status") == "True" else "unknown", words, target)
