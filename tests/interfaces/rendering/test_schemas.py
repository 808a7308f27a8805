"""The golden form of every document: a field that goes, or changes its sort, is a new version and not a surprise."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from core.actions.catalogue import CATALOGUE
from core.domain.errors import InvalidInput
from core.domain.finding import Severity
from core.domain.outcome import ActionState
from interfaces.rendering import schemas
from interfaces.rendering.envelopes import SCHEMA_MINOR

GOLDEN = Path(__file__).parent / "golden" / "documents.json"
"""Field paths with their sorts. A new field is added here by hand, together with a later `SCHEMA_MINOR`."""


def fields(schema: Any, path: str = "") -> dict[str, str]:
    """Every named field with its sort: `items[].severity` to `string`."""
    found: dict[str, str] = {}
    for choice in schema.get("anyOf", [schema]):
        for name, inner in choice.get("properties", {}).items():
            place = f"{path}.{name}".lstrip(".")
            found[place] = sort(inner)
            found |= fields(inner, place)
        if "items" in choice:
            found |= fields(choice["items"], f"{path}[]")
    return found


def sort(schema: Any) -> str:
    if "anyOf" in schema:
        return " or ".join(sort(choice) for choice in schema["anyOf"])
    return str(schema.get("type", schema.get("const", "any")))


def shapes() -> dict[str, dict[str, str]]:
    return {name: fields(schemas.of_kind(name)) for name in schemas.KINDS}


def test_no_field_of_a_document_went_or_changed_its_sort() -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    now = shapes()
    lost = {
        f"{kind}: {field}"
        for kind, known in golden["fields"].items()
        for field, sort in known.items()
        if now.get(kind, {}).get(field) != sort
    }
    assert lost == set(), "a field that goes needs a new apiVersion"


def test_a_new_field_is_in_the_golden_file_with_a_later_minor() -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert golden == {"schemaMinor": SCHEMA_MINOR, "fields": shapes()}


@pytest.mark.parametrize("name", [*schemas.KINDS, *CATALOGUE, "proposal", "facts"])
def test_every_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas.of_kind(name))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no kind 'Nothing'"):
        schemas.of_kind("Nothing")


def test_words_of_the_domain_are_all_in_the_schemas() -> None:
    assert schemas.SEVERITY["enum"] == [level.value for level in Severity]
    assert set(schemas.STATES["enum"]) == {state.value for state in ActionState}
