"""The forms a client may ask for instead of plain objects: a Table with kubectl's columns, or metadata only."""

from datetime import datetime
from typing import Any, Literal

from simulator import columns
from simulator.resources import Resource

Json = dict[str, Any]
Form = Literal["plain", "table", "partial"]
_OTHERS = ("application/yaml", "application/vnd.kubernetes.protobuf")
_JSON = ("application/json", "*/*", "application/*")


def form(accept: str) -> Form:
    """The first form of the Accept header that we can give."""
    for offer in accept.split(","):
        words = [word.strip() for word in offer.split(";")]
        if words[0] not in _JSON:
            continue
        wanted = next((word.removeprefix("as=") for word in words if word.startswith("as=")), "")
        if wanted == "Table":
            return "table"
        if wanted.startswith("PartialObjectMetadata"):
            return "partial"
        if not wanted:
            return "plain"
    return "plain"


def acceptable(accept: str) -> bool:
    """False when no offer of the header is one that we can give."""
    offers = [offer.partition(";")[0].strip() for offer in accept.split(",") if offer.strip()]
    return not offers or any(offer in _JSON or offer in _OTHERS for offer in offers)


def render(
    form: Form, row: Resource, objects: list[Json], now: datetime, meta: Json, *, single: bool = False, include: str = "Metadata"
) -> Json:
    """Objects in a form. `meta` is the list's metadata, or the object's own when `single`; `include` is what a table's rows carry."""
    if form == "partial":
        return _partial(objects, meta, single=single)
    printed = columns.of(row)
    rows = [{"cells": printed.cells(obj, now), "object": _carried(obj, include)} for obj in objects]
    kept = {key: meta[key] for key in ("resourceVersion", "continue", "remainingItemCount") if key in meta}
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": kept, "columnDefinitions": printed.definitions(), "rows": rows}


def _carried(obj: Json, include: str) -> Json | None:
    """What a row of a table brings along."""
    if include == "None":
        return None
    return obj if include == "Object" else _metadata_only(obj)


def _partial(objects: list[Json], meta: Json, *, single: bool) -> Json:
    shown = [_metadata_only(obj) for obj in objects]
    if single:
        return shown[0]
    return {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "items": shown or None}


def _metadata_only(obj: Json) -> Json:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
