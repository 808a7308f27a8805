import io
import json

from interfaces.rendering import watching
from interfaces.rendering.envelopes import envelope
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column

COLUMNS = (Column("ID", "id"), Column("STATE", "state"))
BEFORE = envelope("ActionList", items=[{"id": "a", "state": "submitted"}, {"id": "b", "state": "verified"}])
AFTER = envelope(
    "ActionList", items=[{"id": "a", "state": "permitted"}, {"id": "b", "state": "verified"}, {"id": "c", "state": "submitted"}]
)


def shown(output: str) -> str:
    out = io.StringIO()
    found = watching.news(BEFORE, AFTER, key="id")
    assert found is not None
    watching.show(Screen(out), output, found, columns=COLUMNS, view=None, name="id")
    return out.getvalue()


def test_only_what_is_new_or_changed_is_news() -> None:
    found = watching.news(BEFORE, AFTER, key="id")
    assert found is not None
    assert [item["id"] for item in found["items"]] == ["a", "c"]
    assert watching.news(AFTER, AFTER, key="id") is None
    assert watching.news(AFTER, BEFORE | {"items": AFTER["items"][:1]}, key="id") is None


def test_rows_come_without_their_head_and_lines_without_their_header() -> None:
    assert [line.split() for line in shown("table").splitlines()] == [["a", "permitted"], ["c", "submitted"]]
    assert [json.loads(line)["id"] for line in shown("jsonl").splitlines()] == ["a", "c"]
    assert shown("yaml").startswith("---\n")
