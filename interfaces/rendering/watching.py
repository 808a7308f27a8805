"""Following a list (`-w`): of two looks at it, what is new or changed; printed without what was said before."""

import json
from collections.abc import Sequence

from interfaces.rendering import formats
from interfaces.rendering.envelopes import Json
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column, chosen, print_rows


def news(before: Json, after: Json, *, key: str) -> Json | None:
    """The later document with only the items that the earlier one did not have so; None where there is none. What left is not told."""
    known = {item.get(key): item for item in before["items"]}
    fresh = [item for item in after["items"] if known.get(item.get(key)) != item]
    return after | {"items": fresh} if fresh else None


def show(screen: Screen, output: str, found: Json, *, columns: Sequence[Column], view: formats.View | None, name: str) -> None:
    """Rows without their head, lines without their header; other forms as a document of their own."""
    if output in ("table", "wide") and (view is None or output == "wide"):
        print_rows(screen, chosen(columns, wide=output == "wide"), found["items"])
    elif output == "jsonl":
        screen.stream.write("".join(json.dumps(row, ensure_ascii=screen.ascii_only) + "\n" for row in found["items"]))
    else:
        if output == "yaml":
            screen.stream.write("---\n")
        formats.show(screen, output, found, columns=columns, view=view, name=name)
