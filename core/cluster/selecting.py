"""Label selectors as the API server matches them, and as people type them.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

import re
from collections.abc import Mapping
from typing import Any

from core.cluster.objects import LabelSelector
from core.domain.errors import InvalidInput
from core.domain.values import bounded

_COMMA = re.compile(r",(?![^()]*\))")
_SET = re.compile(r"(?P<key>[^\s!=(),]+)\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUAL = re.compile(r"(?P<key>[^\s!=(),]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^\s!=(),]*)")
_EXISTS = re.compile(r"(?P<absent>!?)\s*(?P<key>[^\s!=(),]+)")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_PREFIX = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_EXAMPLES = "such as app=web,tier!=db or 'env in (prod,staging),!canary'"


def parsed(text: str) -> LabelSelector:
    """What stands after `-l`: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, joined by commas that all must hold.

    Raises InvalidInput for the part that cannot be read. Nothing at all is refused: an unset variable must not mean everything.
    """
    if not text.strip():
        raise InvalidInput("an empty label selector", mend=_EXAMPLES)
    return LabelSelector(match_expressions=tuple(_expression(part.strip()) for part in _COMMA.split(text)))


def _expression(part: str) -> dict[str, Any]:
    if found := _SET.fullmatch(part):
        values = [value.strip() for value in found["values"].split(",")]
        return _checked(part, found["key"], "In" if found["op"] == "in" else "NotIn", values)
    if found := _EQUAL.fullmatch(part):
        return _checked(part, found["key"], "NotIn" if found["op"] == "!=" else "In", [found["value"]])
    if found := _EXISTS.fullmatch(part):
        return _checked(part, found["key"], "DoesNotExist" if found["absent"] else "Exists", [])
    raise InvalidInput(f"cannot read {bounded(part, 80)!r} of the label selector", mend=_EXAMPLES)


def _checked(part: str, key: str, operator: str, values: list[str]) -> dict[str, Any]:
    """What the API server would not take as a label can select nothing, and is a slip of the pen."""
    prefix, slash, name = key.rpartition("/")
    if not _NAME.fullmatch(name) or (slash and not _PREFIX.fullmatch(prefix)):
        raise InvalidInput(f"{bounded(key, 80)!r} is no label key", mend=_EXAMPLES)
    if wrong := next((value for value in values if value and not _NAME.fullmatch(value)), None):
        raise InvalidInput(f"{bounded(wrong, 80)!r} in {bounded(part, 80)!r} is no label value", mend=_EXAMPLES)
    return {"key": key, "operator": operator, "values": tuple(values)}


def matches(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """No selector matches nothing; an empty one matches everything. An operator that does not exist matches nothing."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in selector.match_labels.items()):
        return False
    return all(_holds(expression, labels) for expression in selector.match_expressions)


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = str(expression.get("key", "")), expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False
