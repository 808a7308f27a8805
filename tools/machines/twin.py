"""The twin of whoever makes machines: a table of nodes, and a memory of what was asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.cluster.machines import Machine
from core.cluster.objects import Node


@dataclass
class TableMachines:
    """`asked` is node by key: the same key asks once."""

    table: Mapping[str, Machine]
    asked: dict[str, str] = field(default_factory=dict)

    async def behind(self, cluster: str, node: Node) -> Machine | None:  # noqa: ARG002  the port's form
        return self.table.get(node.metadata.name)

    async def replace(self, cluster: str, node: Node, key: str) -> str:  # noqa: ARG002
        self.asked.setdefault(key, node.metadata.name)
        return "accepted"
