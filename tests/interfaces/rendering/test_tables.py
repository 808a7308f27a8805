import csv
import io

import pytest

from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column, csv_text, markdown_text, print_table

COLUMNS = (Column("ID", "id"), Column("WHAT", "a.b"), Column("STATE", lambda item: item["state"]))
ITEMS = [{"id": "x", "a": {"b": "long words that need room"}, "state": "verified"}, {"id": "yyy", "a": {}, "state": "denied"}]


def printed(**screen: object) -> list[str]:
    out = io.StringIO()
    print_table(Screen(out, **screen), COLUMNS, ITEMS)  # type: ignore[arg-type]
    return out.getvalue().splitlines()


def test_columns_line_up_and_what_is_missing_is_a_dash() -> None:
    assert printed() == [
        "ID   WHAT                       STATE",
        "x    long words that need room  verified",
        "yyy  -                          denied",
    ]


@pytest.mark.parametrize("width", [30, 36])
def test_a_narrow_screen_cuts_the_longest_cell(width: int) -> None:
    lines = printed(width=width)
    assert max(map(len, lines)) <= width
    assert "…" in lines[1]
    assert lines[1].endswith("verified")


def test_colour_never_moves_a_column() -> None:
    plain, painted = printed(), printed(color=True)
    assert [line.replace("\x1b[32m", "").replace("\x1b[31m", "").replace("\x1b[0m", "") for line in painted[1:]] == plain[1:]


@pytest.mark.parametrize("hostile", ["=cmd()", "+1+cmd", "@SUM(A1)", "-cmd"])
def test_a_spreadsheet_runs_nothing(hostile: str) -> None:
    (_, row) = csv.reader(io.StringIO(csv_text((Column("A", "a"),), [{"a": hostile}])))
    assert row == [f"'{hostile}"]


def test_a_negative_number_stays_a_number() -> None:
    assert csv_text((Column("A", "a"),), [{"a": -12}]).splitlines()[1] == "-12"


def test_markdown_keeps_its_columns() -> None:
    assert markdown_text((Column("A", "a"),), [{"a": "x | y <b>"}]).splitlines()[2] == "| x \\| y &lt;b> |"
