"""JSON merge patch, RFC 7386."""

from typing import Any


def merge(target: Any, patch: Any) -> Any:
    """`target` with `patch` merged in: objects merge, null removes, everything else replaces. Neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for field, value in patch.items():
        if value is None:
            result.pop(field, None)
        else:
            result[field] = merge(result.get(field), value)
    return result
