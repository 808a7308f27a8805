"""YAML read so that every value keeps its line. Used by `documents`, which is the only caller.

A smaller language than YAML 1.1 on purpose: no anchors, aliases, tags or merge keys, no duplicate keys, and scalars as in JSON
(`yes`, `on`, `1:30` and dates stay text). A document can therefore not grow in memory, and means what it looks like.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from core.domain.errors import InvalidDocument

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_DOCUMENTS = 1000

Place = tuple[str | int, ...]
"""The way to a value: keys and list positions from the document's root."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})", re.ASCII)
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_QUOTED = frozenset(("'", '"', "|", ">"))
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


class Marked(NamedTuple):
    """One YAML document as plain data, with the line (from 1) of each place."""

    data: Any
    lines: dict[Place, int]
    file: str

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest place above it that exists."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def wrong(self, message: str, place: Place = (), *, mend: str = "") -> InvalidDocument:
        return InvalidDocument(message, file=self.file, line=self.line(place), mend=mend)


def parse(text: str, file: str) -> tuple[Marked, ...]:
    """All documents of a file; empty ones are left out. Raises InvalidDocument with the line of the mistake."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise InvalidDocument("the file is larger than 1 MiB", file=file, mend="split it into several files")
    try:
        _check_events(text, file)
        roots = list(yaml.compose_all(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise InvalidDocument(_problem(error), file=file, line=_line(error.problem_mark or error.context_mark)) from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise InvalidDocument("the file is not YAML text: it holds characters that YAML does not allow", file=file) from error
    return tuple(marked for root in roots for marked in [_marked(root, file)] if marked.data is not None)


def _check_events(text: str, file: str) -> None:
    """Refuse what could make a small file large or deep, before anything recursive walks it."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = _line(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InvalidDocument("anchors and aliases are not allowed", file=file, line=line, mend="write the value out")
        if tag := getattr(event, "tag", None):
            raise InvalidDocument(f"the tag {tag!r} is not allowed", file=file, line=line, mend="leave the tag out")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise InvalidDocument(f"nested deeper than {MAX_DEPTH} levels", file=file, line=line)
        if documents > MAX_DOCUMENTS:
            raise InvalidDocument(f"more than {MAX_DOCUMENTS} documents in one file", file=file, line=line)


def _marked(root: yaml.Node, file: str) -> Marked:
    lines: dict[Place, int] = {}
    return Marked(_plain(root, (), lines, file), lines, file)


def _plain(node: yaml.Node, place: Place, lines: dict[Place, int], file: str) -> Any:
    lines.setdefault(place, _line(node.start_mark))
    match node:
        case yaml.MappingNode():
            return dict(_pairs(node, place, lines, file))
        case yaml.SequenceNode():
            return [_plain(item, (*place, position), lines, file) for position, item in enumerate(node.value)]
        case _:
            return _scalar(node)


def _pairs(node: yaml.MappingNode, place: Place, lines: dict[Place, int], file: str) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for key, value in node.value:
        line = _line(key.start_mark)
        if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
            raise InvalidDocument("a key must be plain text", file=file, line=line)
        if key.value in seen:
            raise InvalidDocument(f"the key `{key.value[:80]}` is here twice", file=file, line=line, mend="keep one of the two")
        seen.add(key.value)
        lines[(*place, key.value)] = line
        yield key.value, _plain(value, (*place, key.value), lines, file)


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
    text = str(node.value)
    if getattr(node, "style", None) in _QUOTED:  # quoted or a block: text, whatever it looks like
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _line(mark: Any) -> int:
    return int(mark.line) + 1 if mark is not None else 0


def _problem(error: yaml.MarkedYAMLError) -> str:
    return f"not YAML: {error.problem or error.context or 'cannot be read'}"
