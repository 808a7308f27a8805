"""The port of whoever makes machines: is the one behind a node off, and could there be another? Adapters are in `tools.machines`."""

from typing import Literal, NamedTuple, Protocol

from core.cluster.objects import Node
from core.domain.target import Target

Power = Literal["on", "off", "unknown"]


class Machine(NamedTuple):
    """`power` is what the provider says, `said` its words. `target` is the object to delete for another one; None where only the
    provider itself can be asked."""

    power: Power
    said: str = ""
    target: Target | None = None


class Machines(Protocol):
    async def behind(self, cluster: str, node: Node) -> Machine | None:
        """The machine of this node; None where this provider knows of none. Raises Unavailable."""

    async def replace(self, cluster: str, node: Node, key: str) -> str:
        """Ask for another machine, of those that have no target; the answer in words. The same key asks once, however often it is called.

        Raises Unavailable (ask again) or Refused."""
