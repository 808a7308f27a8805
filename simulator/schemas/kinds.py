"""The kinds that CustomResourceDefinitions add to a cluster: their rows, and the type of every kind. Kept by the store.

A version is served as soon as its definition is stored. Conversion between versions is none: they share one stored shape.
"""

from collections.abc import Iterator
from typing import Any

from simulator.resources import Column, Resource, resource
from simulator.schemas import nodes
from simulator.schemas.nodes import Node

Json = dict[str, Any]
DEFINITIONS = resource("apiextensions.k8s.io", "customresourcedefinitions")


class Kinds:
    """What is served besides the built-in kinds, by the definitions that are stored."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[Resource, ...]] = {}
        self._nodes: dict[tuple[str, str, str], Node] = {}
        self._by_key: dict[tuple[str, str], Resource] = {}

    def learn(self, definition: Json) -> None:
        """Follow a definition that was stored."""
        self.forget(definition["metadata"]["name"])
        rows = tuple(_rows(definition))
        self._rows[definition["metadata"]["name"]] = rows
        for version in definition["spec"]["versions"]:
            schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
            self._nodes[definition["spec"]["group"], version["name"], definition["spec"]["names"]["kind"]] = nodes.defined(schema)
        for row in reversed(rows):
            self._by_key[row.key] = row

    def forget(self, name: str) -> None:
        for row in self._rows.pop(name, ()):
            self._nodes.pop((row.group, row.version, row.kind), None)
            self._by_key.pop(row.key, None)

    def rows(self) -> list[Resource]:
        """What the definitions add, by their names."""
        return [row for name in sorted(self._rows) for row in self._rows[name]]

    def find(self, group: str, plural: str, version: str) -> Resource:
        """The row of a path. Raises KeyError when it is not served."""
        for row in self.rows() if self._rows else ():
            if (row.group, row.plural, row.version) == (group, plural, version):
                return row
        return resource(group, plural, version)

    def by_key(self, key: tuple[str, str]) -> Resource | None:
        return self._by_key.get(key)

    def node(self, row: Resource) -> Node:
        """The type of a row's objects."""
        if row.definition:
            return self._nodes.get((row.group, row.version, row.kind), nodes.ANYTHING)
        return nodes.of_kind(row.group, row.version, row.kind)


def _rows(definition: Json) -> Iterator[Resource]:
    spec, names = definition["spec"], definition["spec"]["names"]
    for version in spec["versions"]:
        if not version.get("served"):
            continue
        subresources = version.get("subresources") or {}
        yield Resource(
            group=spec["group"],
            version=version["name"],
            plural=names["plural"],
            kind=names["kind"],
            singular=names.get("singular") or names["kind"].lower(),
            short_names=tuple(names.get("shortNames") or ()),
            namespaced=spec["scope"] == "Namespaced",
            subresources=tuple(name for name in ("status", "scale") if name in subresources),
            categories=tuple(names.get("categories") or ()),
            generations=True,
            definition=definition["metadata"]["name"],
            columns=tuple(_columns(version)),
            replicas=_scale_paths(subresources.get("scale") or {}),
        )


def _scale_paths(scale: Json) -> tuple[str, str, str]:
    return scale.get("specReplicasPath", ""), scale.get("statusReplicasPath", ""), scale.get("labelSelectorPath", "")


def _columns(version: Json) -> Iterator[Column]:
    declared: list[Json] | None = version.get("additionalPrinterColumns")
    for each in _AGE if declared is None else declared:
        yield Column(each["name"], each["type"], each["jsonPath"], each.get("priority", 0))


_AGE: list[Json] = [{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]
