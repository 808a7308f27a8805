"""The read port of agents: besides full objects, slim snapshots of everything and the tails of logs."""

from collections.abc import Sequence
from typing import Protocol

from core.cluster.reading import ObjectReader
from core.cluster.snapshot import Snapshot


class ClusterReader(ObjectReader, Protocol):
    """Reads one cluster. Raises what `ObjectReader` raises."""

    async def snapshot(self, kinds: Sequence[str], namespaces: Sequence[str] = ()) -> Snapshot:
        """Slim objects of these kinds, paged and decoded. What may not be read is named in the snapshot, not raised."""

    async def log(self, namespace: str, pod: str, container: str, *, previous: bool = False, lines: int = 40) -> str:
        """The tail of a container's log: hostile text, with its secrets taken out."""
