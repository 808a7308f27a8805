"""The part of kubectl's JSONPath that people type: `{.items[*].id}`, `{.items[0].title}`, `{range .items[*]}{.id}{"\\n"}{end}`.

What is not there (filters, slices, unions, `..`) is refused by name. Source: https://kubernetes.io/docs/reference/kubectl/jsonpath/
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from core.domain.errors import InvalidInput

_PART = re.compile(r"\{((?:[^{}\"']|\"[^\"]*\"|'[^']*')*)\}")
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[(\*|-?\d+)\]|\['([^']+)'\]")
_MEND = "use fields, [*], [0], ['key'], range and end; or take -o json to a JSON tool"


def rendered(template: str, document: Any) -> str:
    """The text that the template makes of the document. Raises InvalidInput for what is not supported."""
    text = template if "{" in template else "{" + (template if template.startswith(".") else f".{template}") + "}"
    text = text.removesuffix("\n")
    pieces = _pieces(text)
    out, rest = _walk(pieces, document)
    if rest:
        raise InvalidInput("jsonpath: {end} without {range}", mend=_MEND)
    return out


def _pieces(text: str) -> list[tuple[str, str]]:
    """(literal | code, text) in order."""
    found, at = [], 0
    for match in _PART.finditer(text):
        found += [("literal", text[at : match.start()]), ("code", match.group(1).strip())]
        at = match.end()
    return [*found, ("literal", text[at:])]


def _walk(pieces: list[tuple[str, str]], item: Any) -> tuple[str, list[tuple[str, str]]]:
    """Text up to the matching `end`, and what stands from there on."""
    out = ""
    while pieces:
        (sort, text), pieces = pieces[0], pieces[1:]
        if sort == "literal":
            out += text
        elif text == "end":
            return out, pieces or [("literal", "")]
        elif text.startswith("range "):
            body = pieces
            after: list[tuple[str, str]] = []
            for each in selected(text.removeprefix("range ").strip(), item) or [None]:
                made, after = _walk(body, each)
                out += made if each is not None else ""
            if not after:
                raise InvalidInput("jsonpath: {range} without {end}", mend=_MEND)
            pieces = after
        elif text[:1] in ('"', "'"):
            out += text[1:-1].replace("\\n", "\n").replace("\\t", "\t")
        else:
            out += " ".join(_said(value) for value in selected(text, item))
    return out, []


def selected(path: str, item: Any) -> list[Any]:
    """What stands under a path without braces: `.items[*].id`. Raises InvalidInput for what is not supported."""
    steps, at = [], 1 if path[:1] in ("$", "@") else 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise InvalidInput(f"jsonpath: {path[at:][:40]!r} is not supported", mend=_MEND)
        steps.append(match)
        at = match.end()
    values = [item]
    for step in steps:
        values = [inner for value in values for inner in _step(value, step)]
    return values


def _step(value: Any, step: re.Match[str]) -> list[Any]:
    name, index = step.group(1) or step.group(3), step.group(2)
    if name is not None:
        return [value[name]] if isinstance(value, Mapping) and name in value else []
    if index == "*":
        return list(value.values()) if isinstance(value, Mapping) else list(value) if isinstance(value, list) else []
    within = isinstance(value, list) and -len(value) <= int(index) < len(value)
    return [value[int(index)]] if within else []


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
