"""One type of the API as its readers see it: a node with fields, values or items. Built-in types come from `builtin.jsonl`.

Read by field ownership, apply, pruning and OpenAPI. The marks are those of the OpenAPI documents (`x-kubernetes-list-type` and others).
"""

import json
from functools import cache, cached_property
from pathlib import Path
from typing import Any

Json = dict[str, Any]
BUILTIN = Path(__file__).with_name("builtin.jsonl")
_PRESERVED = "x-kubernetes-preserve-unknown-fields"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_TEXT: Json = {"type": "string"}


class Node:
    """A type. Nodes are shared and never changed."""

    def __init__(self, raw: Json, *, defined: bool = False) -> None:
        self.raw = _resolved(raw)
        self._raw_outside = raw
        self._defined = defined
        self._fields: dict[str, Node | None] = {}

    def field(self, name: str) -> "Node | None":
        """The type of a field or of a map's value; None where there is no such field. What is open has open fields."""
        if name not in self._fields:
            raw = self.raw.get("properties", {}).get(name)
            values = self.raw.get("additionalProperties")
            if raw is not None:
                self._fields[name] = Node(raw, defined=self._defined)
            elif isinstance(values, dict):
                self._fields[name] = Node(values, defined=self._defined)
            else:
                self._fields[name] = ANYTHING if self.open else None
        return self._fields[name]

    def names(self, field: str) -> bool:
        """True for a declared field, false for a key of a map."""
        return field in self.raw.get("properties", {})

    @cached_property
    def items(self) -> "Node":
        raw = self.raw.get("items")
        return Node(raw, defined=self._defined) if isinstance(raw, dict) else ANYTHING

    @cached_property
    def open(self) -> bool:
        """Fields that are not declared are kept."""
        if self.raw.get(_PRESERVED) or self.raw.get("x-kubernetes-embedded-resource"):
            return True
        return not self.raw.get("properties") and self.raw.get("additionalProperties") in (None, True) and not self._defined

    @cached_property
    def atomic(self) -> bool:
        """One owner for the whole: a map of that kind, a list without keys, an object of unknown fields."""
        if self.raw.get("type") == "array":
            return self.list_kind == "atomic"
        if self.raw.get("x-kubernetes-map-type") == "atomic":
            return True
        return self.open and self is not ANYTHING and not self._defined

    @cached_property
    def list_kind(self) -> str:
        return str(self.raw.get("x-kubernetes-list-type", "atomic"))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """What tells the items of a keyed list apart."""
        return tuple(self.raw.get("x-kubernetes-list-map-keys", ())) if self.list_kind == "map" else ()

    @cached_property
    def always(self) -> tuple[str, ...]:
        """Fields that even an empty object of this type shows, so that making them is no change."""
        if self._defined:
            return ()
        required = self.raw.get("required", ())
        return tuple(name for name, raw in self.raw.get("properties", {}).items() if name in required or raw.get("default") == {})

    @property
    def default(self) -> Any:
        """The default that the type declares, None for none."""
        return self._raw_outside.get("default", self.raw.get("default"))


@cache
def builtin() -> dict[str, Json]:
    """The built-in schemas by name."""
    found: dict[str, Json] = {}
    for line in BUILTIN.read_text().splitlines():
        found |= json.loads(line)
    return found


@cache
def _kinds() -> dict[tuple[str, str, str], str]:
    found: dict[tuple[str, str, str], str] = {}
    for name, schema in builtin().items():
        for mark in schema.get("x-kubernetes-group-version-kind", ()):
            found.setdefault((mark["group"], mark["version"], mark["kind"]), name)
    return found


def _resolved(raw: Json) -> Json:
    """A schema behind its references."""
    while True:
        if "$ref" in raw:
            raw = builtin()[raw["$ref"].rpartition("/")[2]]
        elif len(raw.get("allOf", ())) == 1 and "$ref" in raw["allOf"][0]:
            raw = builtin()[raw["allOf"][0]["$ref"].rpartition("/")[2]]
        else:
            return raw


@cache
def of_kind(group: str, version: str, kind: str) -> Node:
    """The type of a built-in kind; `ANYTHING` for one that has none."""
    name = _kinds().get((group, version, kind))
    return Node(builtin()[name]) if name else ANYTHING


def schema_name(group: str, version: str, kind: str) -> str:
    """The name of a built-in kind's schema, "" for one that has none."""
    return _kinds().get((group, version, kind), "")


def defined(schema: Json) -> Node:
    """The type of a custom resource: its schema, with the three fields that every object has."""
    properties = {**schema.get("properties", {}), "apiVersion": _TEXT, "kind": _TEXT}
    node = Node({**schema, "properties": properties}, defined=True)
    node._fields["metadata"] = Node(builtin()[_META])
    return node


ANYTHING = Node({_PRESERVED: True})
