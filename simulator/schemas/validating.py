"""What a custom resource's schema refuses, in the API server's words. `x-kubernetes-validations` (CEL) are not evaluated."""

import json
import re
from collections.abc import Iterator
from typing import Any

from simulator.errors import Cause
from simulator.schemas.nodes import Node

Json = dict[str, Any]
Causes = Iterator[Cause]
_OBJECTS = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


def faults(node: Node, value: Any, path: str = "") -> Causes:
    """One cause per rule that is broken. What has a wrong type is looked at no further."""
    raw = node.raw
    wanted = raw.get("type")
    if raw.get("x-kubernetes-int-or-string"):
        if not isinstance(value, int | str) or isinstance(value, bool):
            yield _typed(path, "integer,string", value)
        return
    if wanted and not _fits(wanted, value):
        yield _typed(path, wanted, value)
        return
    if "enum" in raw and value not in raw["enum"]:
        supported = ", ".join(json.dumps(each) for each in raw["enum"])
        yield Cause("FieldValueNotSupported", f"Unsupported value: {json.dumps(value)}: supported values: {supported}", path)
    if isinstance(value, dict):
        yield from _object_faults(node, value, path)
    elif isinstance(value, list):
        yield from _list_faults(node, value, path)
    elif isinstance(value, str):
        yield from _text_faults(raw, value, path)
    elif isinstance(value, int | float):
        yield from _number_faults(raw, value, path)


def _fits(wanted: str, value: Any) -> bool:
    if wanted in ("integer", "number"):
        return isinstance(value, int if wanted == "integer" else int | float) and not isinstance(value, bool)
    return {"object": dict, "array": list, "string": str, "boolean": bool}.get(wanted, object) is type(value)


def _typed(path: str, wanted: str, value: Any) -> Cause:
    found = _OBJECTS.get(type(value), "null")
    return Cause("FieldValueTypeInvalid", f'Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"', path or "<nil>")


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _object_faults(node: Node, value: Json, path: str) -> Causes:
    for name in node.raw.get("required", ()):
        if name not in value:
            yield Cause("FieldValueRequired", "Required value", _below(path, name))
    for name, each in value.items():
        typed = node.field(name)
        if typed is not None and not (path == "" and name in ("metadata", "apiVersion", "kind")):
            yield from faults(typed, each, _below(path, name))


def _list_faults(node: Node, value: list[Any], path: str) -> Causes:
    for name, more in (("maxItems", False), ("minItems", True)):
        limit = node.raw.get(name)
        if limit is not None and (len(value) < limit if more else len(value) > limit):
            text = f"must have at least {limit} items" if more else f"must have at most {limit} items"
            yield Cause("FieldValueInvalid", f"Invalid value: {len(value)}: {text}", path)
    seen: list[Any] = []
    for index, item in enumerate(value):
        yield from faults(node.items, item, f"{path}[{index}]")
        if node.list_kind == "map" and isinstance(item, dict):
            item = {key: item[key] for key in node.keys if key in item}
        if node.list_kind in ("map", "set"):
            if item in seen:
                shown = json.dumps(item, separators=(",", ":"))
                yield Cause("FieldValueDuplicate", f"Duplicate value: {shown}", f"{path}[{index}]")
            seen.append(item)


def _text_faults(raw: Json, value: str, path: str) -> Causes:
    if len(value) > raw.get("maxLength", len(value)):
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {raw['maxLength']} bytes", path)
    if len(value) < raw.get("minLength", 0):
        text = f'Invalid value: "{value}": {path} in body should be at least {raw["minLength"]} chars long'
        yield Cause("FieldValueInvalid", text, path)
    if "pattern" in raw and not re.search(raw["pattern"], value):
        yield Cause("FieldValueInvalid", f"Invalid value: {json.dumps(value)}: {path} in body should match '{raw['pattern']}'", path)


def _number_faults(raw: Json, value: float, path: str) -> Causes:
    if "minimum" in raw and value < raw["minimum"]:
        text = f"Invalid value: {value}: {path} in body should be greater than or equal to {raw['minimum']}"
        yield Cause("FieldValueInvalid", text, path)
    if "maximum" in raw and value > raw["maximum"]:
        yield Cause("FieldValueInvalid", f"Invalid value: {value}: {path} in body should be less than or equal to {raw['maximum']}", path)
