"""`-o custom-columns=NAME:.path,...`: the columns that the reader names, as kubectl's; paths are those of `jsonpaths`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from core.domain.errors import InvalidInput
from interfaces.rendering import jsonpaths, tables
from interfaces.rendering.envelopes import Json
from interfaces.rendering.screens import Screen, cell

NOTHING = "<none>"
_MEND = "such as custom-columns=ID:.id,WHERE:.subject.namespace"


class Asked(NamedTuple):
    """One column that was asked for."""

    title: str
    path: str


def parsed(spec: str) -> tuple[Asked, ...]:
    """Raises InvalidInput for what is no list of NAME:PATH."""
    found = []
    for part in spec.split(","):
        title, colon, path = part.partition(":")
        path = path.strip().removeprefix("{").removesuffix("}")
        if not title.strip() or not colon or not path:
            raise InvalidInput(f"custom-columns: {part[:60]!r} is not NAME:PATH", mend=_MEND)
        asked = Asked(title.strip(), path if path.startswith((".", "[", "$")) else f".{path}")
        jsonpaths.selected(asked.path, {})
        found.append(asked)
    return tuple(found)


def show(screen: Screen, spec: str, items: Sequence[Json]) -> None:
    columns = [tables.Column(asked.title, _of(asked.path)) for asked in parsed(spec)]
    tables.print_table(screen, columns, items)


def _of(path: str) -> Any:
    def value(item: tables.Row) -> str:
        found = jsonpaths.selected(path, item)
        return ",".join(cell(each) if not isinstance(each, dict | list) else cell(str(each)) for each in found) or NOTHING

    return value
