"""Records that leave for other programs run nothing there."""

import csv
import io
from datetime import UTC, datetime

import pytest

from core.domain.ledger import AuditRow, Entry, link
from runtime.services import auditing

AT = datetime(2026, 11, 2, tzinfo=UTC)


def record(subject: str) -> AuditRow:
    return link(Entry("door", "noted", subject, {}, AT), 1, 1, "")


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x.example")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)"])
def test_a_cell_of_an_export_is_no_formula(text: str) -> None:
    rows = list(csv.DictReader(io.StringIO(auditing.exported([record(text)], "csv"))))
    assert rows[0]["subject"] == f"'{text}"
    assert rows[0]["place"] == "1"
