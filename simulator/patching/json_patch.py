"""JSON patch, RFC 6902, with the API server's one refusal: an operation that cannot be done, for whatever reason, is 422."""

from collections.abc import Callable
from typing import Any

from simulator.errors import ApiError

Json = dict[str, Any]


def apply(target: Any, operations: Any) -> Any:
    """`target` after all operations; `target` is a copy that may be changed. Raises ApiError 400 for a malformed patch."""
    if not isinstance(operations, list):
        kind = {dict: "object", str: "string", bool: "bool"}.get(type(operations), "number")
        why = f"json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp"
        raise ApiError(400, "BadRequest", f"error decoding patch: {why}")
    for operation in operations:
        target = _apply_one(target, operation)
    return target


def _apply_one(target: Any, operation: Any) -> Any:
    if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
        raise ApiError(400, "BadRequest", "each operation of a JSON patch needs an op and a path")
    handler = _HANDLERS.get(operation.get("op", ""))
    if handler is None:
        raise _refused()
    return handler(target, operation)


def _steps(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise _refused()
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _refused() -> ApiError:
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request")


def _index(items: list[Any], step: str, *, end: bool) -> int:
    if step == "-" and end:
        return len(items)
    if not step.isdecimal() or int(step) > len(items) - (0 if end else 1):
        raise _refused()
    return int(step)


def _walk(target: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(target, list):
            target = target[_index(target, step, end=False)]
        elif isinstance(target, dict) and step in target:
            target = target[step]
        else:
            raise _refused()
    return target


def _add(target: Any, operation: Json) -> Any:
    if "value" not in operation:
        raise _refused()
    steps = _steps(operation["path"])
    if not steps:
        return operation["value"]
    parent, last = _walk(target, steps[:-1]), steps[-1]
    if isinstance(parent, list):
        parent.insert(_index(parent, last, end=True), operation["value"])
    elif isinstance(parent, dict):
        parent[last] = operation["value"]
    else:
        raise _refused()
    return target


def _remove(target: Any, operation: Json) -> Any:
    steps = _steps(operation["path"])
    if not steps:
        return None
    _walk(target, steps)
    parent, last = _walk(target, steps[:-1]), steps[-1]
    parent.pop(int(last) if isinstance(parent, list) else last)
    return target


def _replace(target: Any, operation: Json) -> Any:
    """As the API server does it: a missing field of an object is added, a missing list item is an error."""
    steps = _steps(operation["path"])
    if not steps:
        return operation.get("value")
    parent, last = _walk(target, steps[:-1]), steps[-1]
    if isinstance(parent, list):
        parent[_index(parent, last, end=False)] = operation.get("value")
    elif isinstance(parent, dict):
        parent[last] = operation.get("value")
    else:
        raise _refused()
    return target


def _move(target: Any, operation: Json) -> Any:
    moved = _walk(target, _steps(operation.get("from", "")))
    return _add(_remove(target, {"path": operation["from"]}), {"path": operation["path"], "value": moved})


def _copy(target: Any, operation: Json) -> Any:
    return _add(target, {"path": operation["path"], "value": _walk(target, _steps(operation.get("from", "")))})


def _test(target: Any, operation: Json) -> Any:
    if _walk(target, _steps(operation["path"])) != operation.get("value"):
        raise _refused()
    return target


_HANDLERS: dict[str, Callable[[Any, Json], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}
