"""Objects brought into the shape of their type: fields that the type does not know are dropped, its defaults filled in."""

from collections.abc import Iterator
from typing import Any

from simulator.schemas.nodes import Node

Json = dict[str, Any]


def unknown(node: Node, value: Any, path: str = "") -> Iterator[str]:
    """Paths of the fields that the type does not know, as decoding names them."""
    if node.atomic and not node.raw.get("properties") and not node.raw.get("items"):
        return
    if isinstance(value, dict):
        for name, each in value.items():
            typed = node.field(name)
            place = f"{path}.{name}" if path else name
            if typed is None:
                if node.raw.get("properties"):
                    yield place
            elif isinstance(each, dict | list):
                yield from unknown(typed, each, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield from unknown(node.items, item, f"{path}[{index}]")


def pruned(node: Node, value: Any) -> Any:
    """The value without the fields that its type does not know."""
    if isinstance(value, dict):
        if not node.raw.get("properties") and node.open:
            return value
        kept = {}
        for name, each in value.items():
            typed = node.field(name)
            if typed is not None:
                kept[name] = pruned(typed, each) if isinstance(each, dict | list) else each
        return kept
    if isinstance(value, list):
        return [pruned(node.items, each) if isinstance(each, dict | list) else each for each in value]
    return value


def fill_defaults(node: Node, value: Any) -> None:
    """Set in place what a custom resource's schema declares as defaults. A null where a default is declared counts as absent."""
    if isinstance(value, dict):
        for name, raw in node.raw.get("properties", {}).items():
            typed = node.field(name)
            if typed is None or name == "metadata":
                continue
            if value.get(name) is None and "default" in raw:
                value[name] = _copied(raw["default"])
            if isinstance(value.get(name), dict | list):
                fill_defaults(typed, value[name])
        if isinstance(node.raw.get("additionalProperties"), dict):
            for name, each in value.items():
                if isinstance(each, dict | list) and (typed := node.field(name)) is not None:
                    fill_defaults(typed, each)
    elif isinstance(value, list):
        for item in value:
            fill_defaults(node.items, item)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
