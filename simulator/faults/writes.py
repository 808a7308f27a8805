"""What a fault does to a cluster: ordinary writes to the API, as data. Sent by whoever runs a fault, on whatever cluster."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from simulator.resources import RESOURCES, Resource

Json = dict[str, Any]
MERGE, STRATEGIC, PLAIN = "application/merge-patch+json", "application/strategic-merge-patch+json", "application/json"


class Write(NamedTuple):
    """One request. `after_seconds` pass before it is sent."""

    method: str
    path: str
    body: Json | None = None
    content_type: str = PLAIN
    after_seconds: float = 0


@cache
def _row(kind: str) -> Resource:
    """The newest version of a kind; every kind that faults touch is served under one group."""
    return next(row for row in RESOURCES if row.kind == kind)


def path(kind: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    row = _row(kind)
    head = f"/apis/{row.api_version}" if row.group else f"/api/{row.api_version}"
    place = f"/namespaces/{namespace}" if row.namespaced and namespace else ""
    return f"{head}{place}/{row.plural}" + "".join(f"/{part}" for part in (name, subresource) if part)


def made(kind: str, name: str, namespace: str = "", **more: Any) -> Json:
    """A manifest; `more` are its further fields, `metadata` among them."""
    meta = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("metadata", {})}
    return {"apiVersion": _row(kind).api_version, "kind": kind, "metadata": meta, **more}


def create(manifest: Json, *, after: float = 0) -> Write:
    meta = manifest["metadata"]
    return Write("POST", path(manifest["kind"], meta.get("namespace", "")), manifest, after_seconds=after)


def patch(kind: str, namespace: str, name: str, body: Mapping[str, Any], *, how: str = MERGE, sub: str = "", after: float = 0) -> Write:
    return Write("PATCH", path(kind, namespace, name, sub), dict(body), how, after)


def delete(kind: str, namespace: str, name: str, *, after: float = 0) -> Write:
    return Write("DELETE", path(kind, namespace, name), after_seconds=after)
