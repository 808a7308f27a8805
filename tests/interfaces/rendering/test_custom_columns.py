import io

import pytest

from core.domain.errors import InvalidInput
from interfaces.rendering import custom_columns
from interfaces.rendering.screens import Screen

ITEMS = [
    {"id": "a", "subject": {"name": "web", "labels": {"x": 1}}, "evidence": [{"id": "e1"}, {"id": "e2"}]},
    {"id": "b\x1b[31m", "none": None},
]


def shown(spec: str) -> list[list[str]]:
    out = io.StringIO()
    custom_columns.show(Screen(out), spec, ITEMS)
    return [line.split() for line in out.getvalue().splitlines()]


def test_columns_have_the_titles_and_paths_that_were_asked_for() -> None:
    assert shown("ID:.id,NAME:subject.name,EV:{.evidence[*].id},FIRST:.evidence[0].id") == [
        ["ID", "NAME", "EV", "FIRST"],
        ["a", "web", "e1,e2", "e1"],
        ["b[31m", "<none>", "<none>", "<none>"],
    ]


@pytest.mark.parametrize("spec", ["", "ID", "ID:", ":.id", "ID:.id,", "ID:.a[?(@.b)]", "ID:..a"])
def test_what_is_no_list_of_columns_is_refused(spec: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        custom_columns.parsed(spec)
    assert caught.value.mend
