"""Kinds that two API versions show in two shapes: autoscaling v1 over v2, and events.k8s.io over core events.

The store keeps one shape (autoscaling/v2, core v1). `out` turns it into what the caller's version shows, `into` the reverse.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from simulator.history import Stored
from simulator.resources import Resource

Json = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_CPU_V1 = "targetCPUUtilizationPercentage"
_METRICS = "autoscaling.alpha.kubernetes.io/metrics"
_BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"


class Conversion(NamedTuple):
    out: Callable[[Json], Json]
    into: Callable[[Json], Json]


def out(row: Resource, obj: Json) -> Json:
    """A stored object as `row`'s version shows it."""
    if row.definition:
        return {**obj, "apiVersion": row.api_version}
    conversion = _CONVERSIONS.get((row.group, row.version, row.plural))
    return conversion.out(obj) if conversion else obj


def into(row: Resource, obj: Json) -> Json:
    """An object of `row`'s version as it is stored."""
    conversion = _CONVERSIONS.get((row.group, row.version, row.plural))
    return conversion.into(obj) if conversion else obj


def encoded(row: Resource, stored: Stored) -> bytes:
    """The JSON of one object in `row`'s version."""
    if row.definition:
        return item(row, stored)
    conversion = _CONVERSIONS.get((row.group, row.version, row.plural))
    return _encode(conversion.out(stored.obj)) if conversion else stored.encoded


def item(row: Resource, stored: Stored, *, keep: bool = True) -> bytes:
    """As `encoded`, without apiVersion and kind: an item of a list. Custom resources keep them."""
    if row.definition:
        return _encode({**stored.obj, "apiVersion": row.api_version})
    conversion = _CONVERSIONS.get((row.group, row.version, row.plural))
    if conversion is None:
        return stored.item if keep else stored.passing_item()
    return _encode({field: value for field, value in conversion.out(stored.obj).items() if field not in ("apiVersion", "kind")})


def _cpu_metric(target: int) -> Json:
    return {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}}}


def _is_cpu(metric: Json) -> bool:
    resource = metric.get("resource", {})
    return resource.get("name") == "cpu" and "averageUtilization" in resource.get("target" if "target" in resource else "current", {})


def _hpa_out(obj: Json) -> Json:
    spec, status, meta = dict(obj.get("spec", {})), dict(obj.get("status", {})), dict(obj["metadata"])
    metrics = spec.pop("metrics", None) or []
    annotations = dict(meta.get("annotations") or {})
    cpu = next((each for each in metrics if _is_cpu(each)), None)
    if cpu:
        spec[_CPU_V1] = cpu["resource"]["target"]["averageUtilization"]
    if others := [each for each in metrics if each is not cpu]:
        annotations[_METRICS] = json.dumps(others)
    if behavior := spec.pop("behavior", None):
        annotations[_BEHAVIOR] = json.dumps(behavior)
    current = next((each for each in status.pop("currentMetrics", None) or [] if _is_cpu(each)), None)
    if current:
        status["currentCPUUtilizationPercentage"] = current["resource"]["current"]["averageUtilization"]
    status.pop("conditions", None)
    status.setdefault("currentReplicas", 0)
    if annotations:
        meta["annotations"] = annotations
    return {**obj, "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": status}


def _hpa_into(obj: Json) -> Json:
    spec, meta = dict(obj.get("spec", {})), dict(obj.get("metadata", {}))
    annotations = dict(meta.get("annotations") or {})
    target = spec.pop(_CPU_V1, None)
    others = json.loads(annotations.pop(_METRICS, "[]"))
    if metrics := ([_cpu_metric(target)] if target is not None else []) + others:
        spec["metrics"] = metrics
    if behavior := annotations.pop(_BEHAVIOR, None):
        spec["behavior"] = json.loads(behavior)
    if "annotations" in meta:
        meta["annotations"] = annotations
    return {**obj, "apiVersion": "autoscaling/v2", "metadata": meta, "spec": spec}


_EVENT_RENAMES = (
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
)


def _event_out(obj: Json) -> Json:
    names = dict(_EVENT_RENAMES)
    return {**{names.get(field, field): value for field, value in obj.items()}, "apiVersion": "events.k8s.io/v1"}


def _event_into(obj: Json) -> Json:
    names = {new: old for old, new in _EVENT_RENAMES}
    return {**{names.get(field, field): value for field, value in obj.items()}, "apiVersion": "v1"}


_CONVERSIONS: dict[tuple[str, str, str], Conversion] = {
    ("autoscaling", "v1", "horizontalpodautoscalers"): Conversion(_hpa_out, _hpa_into),
    ("events.k8s.io", "v1", "events"): Conversion(_event_out, _event_into),
}
