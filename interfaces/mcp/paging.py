"""Answers that fit into a model's window: long lists are cut into pages, long texts are cut and say so.

A cursor names the last item of the page before, so that what is new in front moves nothing; an item that is gone by then ends the list
with a hint to begin anew.
"""

import base64
import binascii
import json
from typing import Any

from core.domain.errors import InvalidInput
from core.domain.values import digest

PAGE = 25
LONGEST_TEXT = 2_000
LONGEST_ANSWER = 60_000
"""Characters of JSON. A document that is longer after its texts were cut loses items from its page until it fits."""

Json = dict[str, Any]


def page(document: Json, cursor: str = "") -> Json:
    """One page of a document's items with `nextCursor` where more follow; a document without items as it is. Raises InvalidInput."""
    short = _cut(document)
    if not isinstance(short.get("items"), list):
        return short if len(_text(short)) <= LONGEST_ANSWER else _too_long(short)
    items = document["items"]
    begin = _after(items, cursor) if cursor else 0
    size = PAGE
    while size > 1 and len(_text(short | {"items": short["items"][begin : begin + size]})) > LONGEST_ANSWER:
        size //= 2
    found = short | {"items": short["items"][begin : begin + size], "total": len(items)}
    if begin + size < len(items):
        found["nextCursor"] = _cursor(items[begin + size - 1])
    return found if len(_text(found)) <= LONGEST_ANSWER else _too_long(found)


def _cursor(item: Any) -> str:
    return base64.urlsafe_b64encode(digest(item)[:24].encode()).decode()


def _after(items: list[Any], cursor: str) -> int:
    try:
        wanted = base64.b64decode(cursor.encode(), b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("this cursor is none of ours", mend="leave cursor away to begin with the first page") from error
    for place, item in enumerate(items):
        if digest(item)[:24] == wanted:
            return place + 1
    raise InvalidInput("the list has changed since this cursor was given", mend="leave cursor away to begin with the first page")


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cut(item) for item in value]
    return value


def _text(document: Json) -> str:
    return json.dumps(document, ensure_ascii=False)


def _too_long(document: Json) -> Json:
    """What names it, and how long it would have been."""
    kept = {key: document[key] for key in ("apiVersion", "kind", "metadata", "id") if key in document}
    return kept | {"cut": f"{len(_text(document))} characters are more than {LONGEST_ANSWER}: ask for less, or look at the console"}
