"""The base of every frozen value, and canonical JSON. Imported by all of `core`.

Canonical JSON is sorted, compact UTF-8 without floats that change by re-reading: what is hashed, signed and compared.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

Json = dict[str, Any]
"""A decoded JSON object: a live Kubernetes object, a request body."""


class Value(BaseModel):
    """Frozen, complete, strict: an unknown field or a wrong type is an error, never a guess."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs its zone")
    return value.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_aware)]
"""An aware UTC time."""


def canonical(value: object) -> bytes:
    """Canonical JSON of plain data or of a `Value`. Raises TypeError for what JSON does not have."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON, as 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def identifier(prefix: str, *parts: object) -> str:
    """A stable id such as `fnd-3fa9c2d1`: the same parts always give the same id."""
    return f"{prefix}-{hashlib.sha256(canonical([str(part) for part in parts])).hexdigest()[:10]}"


def bounded(text: str, limit: int = 256) -> str:
    """Hostile text made safe to keep and to print: one line, no control or direction characters, at most `limit` characters."""
    clean = text if text.isascii() and text.isprintable() else _cleaned(text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _cleaned(text: str) -> str:
    return "".join(" " if character in "\r\n\t" else character for character in text if _printable(character))


def _printable(character: str) -> bool:
    return character in "\r\n\t" or (character.isprintable() and character not in _DIRECTION_MARKS)


_DIRECTION_MARKS = frozenset("\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


def at_path(document: Mapping[str, Any], path: str) -> Any:
    """The value under a dotted path of plain keys, None where a step is missing: `at_path(pod, "spec.nodeName")`."""
    value: Any = document
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
