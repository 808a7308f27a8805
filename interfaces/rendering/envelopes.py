"""The JSON of every `-o json`: `apiVersion`, `kind`, `metadata`, `items`, `coverage`.

Names are camelCase, quantities are Kubernetes strings, money has its currency.

A field may be added within v1alpha1 (`schemaMinor` grows); removing or renaming one is a new version. Golden files hold this.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from core.cluster.quantities import cpu_text, memory_text
from core.domain.money import MICRO

API_VERSION = "day2.dev/v1alpha1"
SCHEMA_MINOR = 9

Json = dict[str, Any]
_HUMP = re.compile(r"_([a-z0-9])")


def envelope(
    kind: str, *, items: Sequence[Any] | None = None, coverage: Any = None, metadata: Mapping[str, Any] | None = None, **fields: Any
) -> Json:
    """A document of this kind. `items` makes it a list."""
    document: Json = {"apiVersion": API_VERSION, "kind": kind, "metadata": {"schemaMinor": SCHEMA_MINOR} | plain(dict(metadata or {}))}
    if items is not None:
        document["items"] = [plain(item) for item in items]
    document |= {camel(name): plain(value) for name, value in fields.items()}
    if coverage is not None:
        document["coverage"] = plain(coverage)
    return document


def text(document: Json, *, ascii_only: bool = False) -> str:
    """Stable, readable JSON."""
    return json.dumps(document, indent=2, ensure_ascii=ascii_only)


def plain(value: Any, name: str = "") -> Any:
    """Values as the outside knows them. Maps whose keys are data (labels, arguments by path) keep their keys."""
    if type(value) in _AS_THEY_ARE:  # most of what a long list is made of
        return value
    if isinstance(value, BaseModel):
        return {camel(_bare(key)): plain(getattr(value, key), key) for key in type(value).model_fields}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return moment(value)
    if hasattr(value, "_asdict"):
        return {camel(_bare(key)): plain(item, key) for key, item in value._asdict().items()}
    if isinstance(value, Mapping):
        keep = name in _DATA_KEYS
        return {(str(key) if keep else camel(_bare(str(key)))): plain(item, "" if keep else str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return _quantity(value, name)
    return value


_AS_THEY_ARE = frozenset({str, bool, float, type(None)})
_DATA_KEYS = frozenset({"labels", "annotations", "set", "remove", "autonomy", "outcomes", "rows", "old", "new", "body"})


def _quantity(value: int, name: str) -> Any:
    if name.endswith("_cpu_milli") or name == "cpu_milli":
        return cpu_text(value)
    if name.endswith("_memory_mib") or name == "memory_mib":
        return memory_text(value)
    if name.endswith("_micro_usd"):
        return {"amount": f"{value / MICRO:.2f}", "currency": "USD"}
    return value


@lru_cache(4096)
def _bare(name: str) -> str:
    for unit in ("_cpu_milli", "_memory_mib"):
        if name.endswith(unit):
            return name.removesuffix(unit) + unit.rsplit("_", 1)[0]
    return name.removesuffix("_milli").removesuffix("_mib").removesuffix("_micro_usd")


@lru_cache(4096)
def camel(name: str) -> str:
    return _HUMP.sub(lambda match: match.group(1).upper(), name)


def moment(value: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")
