"""The documents that people write, read strictly: Objective, ActionPolicy, Grant, Schedule, PriceList.

Every mistake is an InvalidDocument that names file and line, says what was expected, and for an unknown field the nearest known one.
"""

import difflib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from core.domain.errors import InvalidDocument
from core.domain.values import Value
from core.policy.forms import KINDS, Form, Kind, Metadata
from core.policy.marked import Marked, Place, parse
from core.policy.policies import ActionPolicy

API_VERSION = "day2.dev/v1alpha1"
_ENVELOPE = ("apiVersion", "kind", "metadata", "spec")
AnyValue = TypeVar("AnyValue", bound=Value)


class Document(NamedTuple):
    """A document as read: its value, and where each part of it stands."""

    kind: str
    name: str
    value: Value
    marked: Marked

    @property
    def file(self) -> str:
        return self.marked.file

    @property
    def line(self) -> int:
        return self.marked.line(())


def read(text: str, file: str, kinds: Mapping[str, Kind] = KINDS) -> tuple[Document, ...]:
    """Every document of one file. Raises InvalidDocument at the first mistake."""
    return tuple(_document(marked, kinds) for marked in parse(text, file))


def read_path(path: Path, kinds: Mapping[str, Kind] = KINDS) -> tuple[Document, ...]:
    """A file, or every `*.yaml` and `*.yml` directly in a folder; no name twice within a kind."""
    files = sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) if path.is_dir() else [path]
    return unique([document for file in files for document in read(_text(file), str(file), kinds)])


def unique(found: Iterable[Document]) -> tuple[Document, ...]:
    """The same documents. Raises InvalidDocument where two of a kind have one name."""
    seen: dict[tuple[str, str], Document] = {}
    for document in found:
        first = seen.setdefault((document.kind, document.name), document)
        if first is not document:
            message = f"{document.kind} `{document.name}` was already declared in {first.file}:{first.line}"
            raise document.marked.wrong(message, ("metadata", "name"), mend="rename one")
    return tuple(seen.values())


def of_kind(found: Iterable[Document], kind: type[AnyValue]) -> tuple[AnyValue, ...]:
    return tuple(document.value for document in found if isinstance(document.value, kind))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidDocument(f"the file cannot be read as UTF-8 text ({getattr(error, 'strerror', error)})", file=str(path)) from error


def _document(marked: Marked, kinds: Mapping[str, Kind]) -> Document:
    data = marked.data
    if not isinstance(data, dict):
        raise marked.wrong("expected a document with apiVersion, kind, metadata and spec")
    for key in data:
        if key not in _ENVELOPE:
            raise _unknown(marked, (key,), _ENVELOPE)
    if data.get("apiVersion") != API_VERSION:
        raise marked.wrong(f"apiVersion must be {API_VERSION}", ("apiVersion",))
    if data.get("kind") not in kinds:
        near = _nearest(str(data.get("kind")), kinds)
        raise marked.wrong(f"kind must be one of {', '.join(kinds)}{near}", ("kind",))
    metadata = _validated(Metadata, marked, "metadata")
    form, make = kinds[data["kind"]]
    spec = _validated(form, marked, "spec")
    try:
        value = make(spec, metadata.name)
    except ValidationError as error:
        raise _refused(error, form, marked) from error
    except ValueError as error:
        raise marked.wrong(str(error), ("spec",), mend=getattr(error, "mend", "")) from error
    if isinstance(value, ActionPolicy):
        value = value.model_copy(update={"pack": PurePath(marked.file).stem})
    return Document(data["kind"], metadata.name, value, marked)


AnyForm = TypeVar("AnyForm", bound=Form)


def _validated(form: type[AnyForm], marked: Marked, section: str) -> AnyForm:
    if not isinstance(marked.data.get(section), dict):
        raise marked.wrong(f"`{section}` is missing, or is no mapping", (section,))
    try:
        # through JSON, because strict mode then accepts lists for tuples and text for times, and still no number for a text
        return form.model_validate_json(json.dumps(marked.data[section]))
    except ValidationError as error:
        raise _explained(error, form, marked, section) from error


def _explained(error: ValidationError, form: type[Form], marked: Marked, section: str) -> InvalidDocument:
    found = min(error.errors(include_url=False, include_input=False), key=lambda item: item["type"] != "extra_forbidden")
    place: Place = (section, *found["loc"])
    if found["type"] == "extra_forbidden":
        return _unknown(marked, place, _fields_at(form, found["loc"][:-1]))
    said = " is missing" if found["type"] == "missing" else f": {found['msg'].removeprefix('Value error, ')}"
    return marked.wrong(f"`{_dotted(place)}`{said}", place, mend=getattr(found.get("ctx", {}).get("error"), "mend", ""))


def _refused(error: ValidationError, form: type[Form], marked: Marked) -> InvalidDocument:
    """What the value itself would not take: the field of the spec that it is made of (`every` becomes `every_seconds`), or its name."""
    found = error.errors(include_url=False, include_input=False)[0]
    field = next((item.alias or name for name, item in form.model_fields.items() if _dotted(found["loc"]).startswith(name)), None)
    place = ("spec", field) if field else ("metadata", "name")
    return marked.wrong(f"`{_dotted(place)}`: {found['msg'].removeprefix('Value error, ')}", place)


def _unknown(marked: Marked, place: Place, known: Iterable[str]) -> InvalidDocument:
    choices = tuple(known)
    field, above = str(place[-1])[:80], _dotted(place[:-1])
    within = f" in `{above}`" if above else ""
    return marked.wrong(f"unknown field `{field}`{within}{_nearest(field, choices)}", place, mend=f"known fields: {', '.join(choices)}")


def _nearest(word: str, known: Iterable[str]) -> str:
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.5)
    return f"; did you mean `{by_lower[close[0]]}`?" if close else ""


def _dotted(place: Place) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")


def _fields_at(form: type[BaseModel], place: Place) -> tuple[str, ...]:
    """The field names, as written, of the form at a place inside a document."""
    for step in place:
        if isinstance(step, str):
            field = next((item for item in form.model_fields.values() if item.alias == step), None)
            form = _form_in(field.annotation) or form if field else form
    return tuple(item.alias or name for name, item in form.model_fields.items())


def _form_in(annotation: Any) -> type[BaseModel] | None:
    parts = get_args(annotation)
    if parts:  # a generic such as tuple[X, ...] says True to isinstance(type), so it is asked first
        return next((form for part in parts if (form := _form_in(part))), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
