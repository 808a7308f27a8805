from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from core.cluster.objects import STRUCTS
from core.cluster.snapshot import Snapshot


@pytest.fixture(scope="session")
def snapshot() -> Callable[..., Snapshot]:
    """A snapshot of plain objects by kind: `snapshot(Pod=[{...}], Node=[{...}])`."""

    def make(**objects: list[Any]) -> Snapshot:
        decoded = {kind: tuple(msgspec.convert(item, STRUCTS[kind]) for item in items) for kind, items in objects.items()}
        return Snapshot(cluster="c-1", taken_at=datetime(2026, 1, 5, 12, 0, tzinfo=UTC), objects=decoded)

    return make


@pytest.fixture(scope="session")
def pod() -> Callable[..., dict[str, Any]]:
    """`pod("a", cpu="1", node="n1", owner=("ReplicaSet", "uid"))`; further keywords go into the spec."""

    def make(
        name: str, *, cpu: str = "", memory: str = "", gpus: str = "", node: str = "", owner: tuple[str, str] | None = None, **rest: Any
    ) -> dict[str, Any]:
        labels = rest.pop("labels", {})
        asked = {"cpu": cpu, "memory": memory, "nvidia.com/gpu": gpus}
        requests = {key: value for key, value in asked.items() if value}
        owners = [{"kind": owner[0], "name": owner[0].lower(), "uid": owner[1], "controller": True}] if owner else []
        meta = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "labels": labels, "ownerReferences": owners}
        spec = {"nodeName": node, "containers": [{"name": "main", "resources": {"requests": requests}}], **rest}
        return {"metadata": meta, "spec": spec, "status": {"phase": "Running" if node else "Pending"}}

    return make
