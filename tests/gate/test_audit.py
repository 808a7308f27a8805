"""Whatever is done to the audit chain is found."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.ledger import AuditRow, chained
from gate import audit
from tools.stores.memory import MemoryLedger

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def chain(length: int) -> list[AuditRow]:
    ledger = MemoryLedger()
    for number in range(length):
        ledger.record(role="door", event="event", subject=f"act-{number}", body={"number": number}, at=NOW)
    return ledger.chain()


ROWS = chain(12)
HEAD = (ROWS[-1].seq, ROWS[-1].hash)
FIELDS = ("role", "event", "subject", "body", "previous", "hash")


def test_a_whole_chain_is_whole() -> None:
    report = audit.verify(ROWS, head=HEAD)
    assert report == audit.AuditReport(True, 12, HEAD[1], ())


@settings(deadline=None)
@given(st.integers(0, 11), st.sampled_from(FIELDS), st.text(max_size=5))
def test_a_changed_record_is_found(place: int, field: str, addition: str) -> None:
    changed = ROWS[place]._replace(**{field: getattr(ROWS[place], field) + addition + "x"})
    assert not audit.verify([*ROWS[:place], changed, *ROWS[place + 1 :]], head=HEAD).whole


@settings(deadline=None)
@given(st.integers(0, 11), st.sampled_from(FIELDS[:4]))
def test_a_changed_record_with_a_fresh_hash_is_found_too(place: int, field: str) -> None:
    changed = ROWS[place]._replace(**{field: "another"})
    changed = changed._replace(hash=chained(changed))
    assert not audit.verify([*ROWS[:place], changed, *ROWS[place + 1 :]], head=HEAD).whole


@settings(deadline=None)
@given(st.sets(st.integers(0, 11), min_size=1))
def test_removed_records_are_found(places: set[int]) -> None:
    assert not audit.verify([row for place, row in enumerate(ROWS) if place not in places], head=HEAD).whole


@settings(deadline=None)
@given(st.permutations(ROWS))
def test_another_order_is_found(rows: list[AuditRow]) -> None:
    assert audit.verify(rows, head=HEAD).whole is (rows == ROWS)


@settings(deadline=None)
@given(st.integers(0, 11), st.integers(0, 11))
def test_a_repeated_record_is_found(place: int, source: int) -> None:
    assert not audit.verify([*ROWS[:place], ROWS[source], *ROWS[place:]], head=HEAD).whole


def test_a_chain_that_was_written_anew_is_found_by_its_head() -> None:
    anew = MemoryLedger()
    for number in range(12):
        anew.record(role="door", event="event", subject=f"act-{number}", body={"number": 0}, at=NOW)
    assert audit.verify(anew.chain()).whole
    assert not audit.verify(anew.chain(), head=HEAD).whole


@pytest.mark.parametrize("kept", [0, 5, 11])
def test_a_cut_off_end_is_found_by_the_second_sink(kept: int) -> None:
    class Cut(MemoryLedger):
        def chain(self, start: int = 1, limit: int = 10_000) -> list[AuditRow]:
            return ROWS[:kept][start - 1 : start - 1 + limit]

    assert not audit.verify_ledger(Cut(), sink=ROWS).whole
    assert not audit.verify_ledger(Cut(), head=HEAD).whole


def test_a_second_sink_that_was_changed_is_told_apart_from_the_ledger() -> None:
    ledger = MemoryLedger()
    for number in range(12):
        ledger.record(role="door", event="event", subject=f"act-{number}", body={"number": number}, at=NOW)
    report = audit.verify_ledger(ledger, head=ledger.head(), sink=[*ROWS[:3], ROWS[3]._replace(body="{}"), *ROWS[4:]])
    assert not report.whole
    assert all(problem.startswith("second sink") for problem in report.problems)


def test_a_second_sink_that_is_a_little_behind_is_no_alarm(tmp_path: Path) -> None:
    ledger = MemoryLedger()
    for number in range(12):
        ledger.record(role="door", event="event", subject=f"act-{number}", body={"number": number}, at=NOW)
    assert audit.verify_ledger(ledger, head=ledger.head(), sink=ROWS[:10]).whole
