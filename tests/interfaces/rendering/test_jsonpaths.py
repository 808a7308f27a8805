import pytest

from core.domain.errors import InvalidInput
from interfaces.rendering.jsonpaths import rendered

DOCUMENT = {"items": [{"id": "a", "n": 1, "t": {"x.y": True}}, {"id": "b", "n": 2, "t": {}}], "metadata": {"name": "m"}}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.items[*].id}", "a b"),
        (".items[*].id", "a b"),
        ("items[0].id", "a"),
        ("{$.metadata.name}", "m"),
        ("{.items[-1].n}", "2"),
        ("{.items[0].t['x.y']}", "true"),
        ("{.items[9].id}", ""),
        ("{.nothing}", ""),
        ('{range .items[*]}{.id}={.n}{"\\n"}{end}', "a=1\nb=2\n"),
        ("{range .none[*]}{.id}{end}done", "done"),
        ("name: {.metadata.name}!", "name: m!"),
        ("{.metadata}", '{"name": "m"}'),
    ],
)
def test_what_people_type_works(template: str, text: str) -> None:
    assert rendered(template, DOCUMENT) == text


@pytest.mark.parametrize("template", ["{.items[?(@.n>1)].id}", "{..id}", "{.items[0:1]}", "{range .items[*]}{.id}", "{.id}{end}"])
def test_what_is_not_there_is_refused_with_what_is(template: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        rendered(template, DOCUMENT)
    assert "jsonpath" in str(caught.value)
    assert "range" in caught.value.mend
