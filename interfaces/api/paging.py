"""Pages of a list. A cursor says after which item to go on, and of which list it is; its content is nobody's business."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from core.domain.errors import InvalidInput
from core.domain.values import digest
from interfaces.rendering.envelopes import Json

MOST, USUAL = 500, 50


class Page(NamedTuple):
    """`next` is the cursor of the page after this one, None at the end."""

    items: list[Json]
    next: str | None


def page(items: list[Json], place: Callable[[Json], tuple[Any, ...]], *, descending: bool, cursor: str, limit: int, of: str) -> Page:
    """The items after the cursor, by their place. `of` says which list it is. Raises InvalidInput for a cursor of none, or of another."""
    items = sorted(items, key=place, reverse=descending)
    if cursor:
        last = read(cursor, of)
        try:
            items = [item for item in items if (place(item) < last if descending else place(item) > last)]
        except TypeError as error:
            raise _unknown() from error
    shown = items[:limit]
    return Page(shown, written(place(shown[-1]), of) if len(items) > limit else None)


def name_of(offer: str, arguments: Mapping[str, Any]) -> str:
    """The same list asked for otherwise is another list."""
    return digest([offer, {key: str(value) for key, value in arguments.items()}])[:12]


def written(last: tuple[Any, ...], of: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([of, *last], separators=(",", ":")).encode()).decode().rstrip("=")


def read(cursor: str, of: str) -> tuple[Any, ...]:
    """Raises InvalidInput."""
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _unknown() from error
    if not isinstance(found, list) or not found or found[0] != of:
        raise _unknown()
    return tuple(found[1:])


def _unknown() -> InvalidInput:
    return InvalidInput(
        "this cursor is of no page of this list", mend="begin without a cursor, and repeat all other parameters with each page"
    )
