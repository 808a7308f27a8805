"""Rows of documents as text: a table for people, `wide`, CSV and Markdown for others; all from one document, so they cannot disagree."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from interfaces.rendering.screens import STYLES, Screen, cell

GAP = 2
NARROWEST = 8
Row = Mapping[str, Any]


class Column(NamedTuple):
    """`value` is a dotted path into the item, or a function of it. `wide` columns show with `-o wide`, CSV and Markdown."""

    title: str
    value: str | Callable[[Row], object]
    wide: bool = False

    def text(self, item: Row) -> str:
        return cell(found(item, self.value) if isinstance(self.value, str) else self.value(item))


def found(item: Any, path: str) -> Any:
    """What stands under a dotted path, None where a step is missing."""
    for step in path.split("."):
        item = item.get(step) if isinstance(item, Mapping) else None
    return item


def chosen(columns: Sequence[Column], *, wide: bool) -> list[Column]:
    return [column for column in columns if wide or not column.wide]


def print_table(screen: Screen, columns: Sequence[Column], items: Sequence[Row]) -> None:
    """Aligned columns; a terminal that is too narrow gets the longest cells cut, a pipe gets everything."""
    titles = [column.title for column in columns]
    widths = _widths([titles, *_texts(screen, columns, items)], screen.width)
    screen.line(_aligned(titles, widths, screen).rstrip(), "bold")
    print_rows(screen, columns, items)


def print_rows(screen: Screen, columns: Sequence[Column], items: Sequence[Row]) -> None:
    """The same without a head: for rows that come later."""
    rows = _texts(screen, columns, items)
    widths = _widths([[column.title for column in columns], *rows], screen.width)
    for row in rows:
        cut = [_cut(text, width, screen) for text, width in zip(row, widths, strict=True)]
        screen.stream.write(_painted(cut, widths, screen) + "\n")


def _texts(screen: Screen, columns: Sequence[Column], items: Sequence[Row]) -> list[list[str]]:
    return [[screen.fitting(column.text(item)) for column in columns] for item in items]


def csv_text(columns: Sequence[Column], items: Sequence[Row]) -> str:
    """RFC 4180. A cell that a spreadsheet would run as a formula is quoted with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.title for column in columns])
    for item in items:
        writer.writerow([_harmless(column.text(item)) for column in columns])
    return out.getvalue()


def markdown_text(columns: Sequence[Column], items: Sequence[Row]) -> str:
    lines = ["| " + " | ".join(column.title for column in columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(_escaped(column.text(item)) for column in columns) + " |" for item in items]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _harmless(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "@") or (text[:1] == "-" and len(text) > 1 and not text[1].isdigit()) else text


def _widths(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    while room and sum(widths) + GAP * (len(widths) - 1) > room and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _cut(text: str, width: int, screen: Screen) -> str:
    if len(text) <= width:
        return text
    mark = "~" if screen.ascii_only else "…"
    return text[: width - 1] + mark


def _aligned(row: Sequence[str], widths: Sequence[int], screen: Screen) -> str:
    return (" " * GAP).join(_cut(text, width, screen).ljust(width) for text, width in zip(row, widths, strict=True))


def _painted(row: Sequence[str], widths: Sequence[int], screen: Screen) -> str:
    cells = []
    for place, (text, width) in enumerate(zip(row, widths, strict=True)):
        padding = " " * (width - len(text)) if place + 1 < len(row) else ""
        cells.append((screen.painted(text, text) if text in STYLES else text) + padding)
    return (" " * GAP).join(cells).rstrip()
