"""Label and field selectors: which objects of a list, a watch or a deletecollection are meant."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from simulator import errors
from simulator.resources import Resource

Json = dict[str, Any]
Wanted = Callable[[Json], bool]

_SET = re.compile(r"\s*(?P<key>[^\s!=(),]+)\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)\s*$")
_EQUAL = re.compile(r"\s*(?P<key>[^\s!=(),]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^\s!=(),]*)\s*$")
_EXISTS = re.compile(r"\s*(?P<no>!?)\s*(?P<key>[^\s!=(),]+)\s*$")
_COMMA = re.compile(r",(?![^()]*\))")

FIELDS: dict[str, tuple[str, ...]] = {
    "pods": ("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase", "status.podIP"),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "replicasets": ("status.replicas",),
    "jobs": ("status.successful",),
    "services": ("spec.clusterIP", "spec.type"),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
}
"""Fields that may be selected on, besides metadata.name and metadata.namespace which always may."""


def labels(text: str) -> Wanted:
    """A label selector. 400 when it cannot be read."""
    terms = [_label_term(term) for term in _COMMA.split(text)] if text.strip() else []
    return lambda obj: _all(terms, obj.get("metadata", {}).get("labels") or {})


def label_selector(selector: Json | None) -> Callable[[Mapping[str, str]], bool]:
    """A metav1.LabelSelector object. None selects nothing, an empty one everything."""
    if selector is None:
        return lambda _labels: False
    exact = selector.get("matchLabels") or {}
    terms = [(each["key"], each["operator"], tuple(each.get("values") or ())) for each in selector.get("matchExpressions") or ()]
    return lambda own: all(own.get(key) == value for key, value in exact.items()) and all(_expression(term, own) for term in terms)


def _expression(term: tuple[str, str, tuple[str, ...]], own: Mapping[str, str]) -> bool:
    key, operator, values = term
    if operator == "In":
        return own.get(key) in values
    if operator == "NotIn":
        return own.get(key) not in values
    return (key in own) == (operator == "Exists")


def fields(text: str, row: Resource) -> Wanted:
    """A field selector. 400 when it cannot be read or names a field this resource does not select on."""
    terms: list[tuple[tuple[str, ...], str, bool]] = []
    for term in filter(None, text.split(",")):
        found = _EQUAL.match(term)
        if found is None:
            raise errors.bad_request(f"invalid selector: '{text[:80]}'; can't understand '{term[:80]}'")
        path, plural = found["key"], row.plural
        if row.definition and path not in ("metadata.name", "metadata.namespace"):
            raise errors.bad_request(f"field label not supported: {path[:80]}")
        if path not in ("metadata.name", "metadata.namespace", *FIELDS.get(plural, ())):
            known = ", ".join(f'"{each}"' for each in ("metadata.name", "metadata.namespace", *FIELDS.get(plural, ())))
            raise errors.bad_request(f'"{path[:80]}" is not a known field selector: only {known}')
        terms.append((tuple(path.split(".")), found["value"], found["op"] != "!="))
    return lambda obj: all((_field(obj, path) == value) is same for path, value, same in terms)


def _field(obj: Json, path: tuple[str, ...]) -> str:
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if value is None:
        return "false" if path == ("spec", "unschedulable") else ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _all(terms: list[Callable[[Mapping[str, str]], bool]], own: Mapping[str, str]) -> bool:
    return all(term(own) for term in terms)


def _label_term(term: str) -> Callable[[Mapping[str, str]], bool]:
    found = _SET.match(term)
    if found:
        return _member(found["key"], frozenset(value.strip() for value in found["values"].split(",")), positive=found["op"] == "in")
    found = _EQUAL.match(term)
    if found:
        return _member(found["key"], frozenset([found["value"]]), positive=found["op"] != "!=")
    found = _EXISTS.match(term)
    if found is None:
        raise errors.bad_request(f"unable to parse requirement: {term[:80]}")
    key, absent = found["key"], bool(found["no"])
    return lambda own: (key in own) is not absent


def _member(key: str, values: frozenset[str], *, positive: bool) -> Callable[[Mapping[str, str]], bool]:
    return lambda own: (own.get(key) in values) is positive
