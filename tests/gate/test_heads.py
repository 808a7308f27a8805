"""Signed heads: a past that was replaced in the ledger and in the second sink is still found."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gate import audit, heads, keys
from tools.stores.memory import MemoryLedger

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def ledger_of(*events: str) -> MemoryLedger:
    found = MemoryLedger()
    for event in events:
        found.record(role="controller", event=event, subject="run-1", body={}, at=NOW)
    return found


def head_of(ledger: MemoryLedger) -> heads.Head:
    last = ledger.chain()[-1]
    return heads.Head(last.seq, last.hash)


@pytest.fixture
def key(tmp_path: Path) -> keys.Signer:
    return keys.signer(tmp_path / "keys", keys.JUDGE)


def test_a_chain_that_was_written_anew_as_a_whole_contradicts_the_signed_head(tmp_path: Path, key: keys.Signer) -> None:
    real, forged = ledger_of("run.started", "action.denied"), ledger_of("run.started", "action.allowed")
    heads.HeadBook(tmp_path / heads.NAME, key).keep(head_of(real), NOW)
    signed, problems = heads.read(tmp_path / heads.NAME, key.verifier)
    assert problems == []
    assert audit.verify_ledger(real, signed=signed).whole
    report = audit.verify_ledger(forged, sink=forged.chain(), signed=signed)
    assert not report.whole
    assert "signed record 2" in report.problems[0]


def test_a_chain_that_lost_its_end_contradicts_the_signed_head(tmp_path: Path, key: keys.Signer) -> None:
    heads.HeadBook(tmp_path / heads.NAME, key).keep(head_of(ledger_of("a", "b", "c")), NOW)
    signed, _ = heads.read(tmp_path / heads.NAME, key.verifier)
    assert not audit.verify_ledger(ledger_of("a", "b"), signed=signed).whole


def test_heads_of_another_key_and_odd_lines_are_told(tmp_path: Path, key: keys.Signer) -> None:
    stranger = keys.signer(tmp_path / "strange", keys.JUDGE)
    heads.HeadBook(tmp_path / heads.NAME, stranger).keep(head_of(ledger_of("a")), NOW)
    with (tmp_path / heads.NAME).open("a") as file:
        file.write("this is no token\n")
    signed, problems = heads.read(tmp_path / heads.NAME, key.verifier)
    assert signed == []
    assert [problem.split(" is no head")[0] for problem in problems] == ["audit.heads line 1", "audit.heads line 2"]


def test_a_line_that_a_crash_cut_off_is_no_problem(tmp_path: Path, key: keys.Signer) -> None:
    book = heads.HeadBook(tmp_path / heads.NAME, key)
    book.keep(head_of(ledger_of("a")), NOW)
    with (tmp_path / heads.NAME).open("a") as file:
        file.write("eyJhbGci")
    signed, problems = heads.read(tmp_path / heads.NAME, key.verifier)
    assert (len(signed), problems) == (1, [])


def test_a_head_is_signed_once_a_minute_when_it_moved_and_at_once_at_the_end(tmp_path: Path, key: keys.Signer) -> None:
    path = tmp_path / heads.NAME
    book = heads.HeadBook(path, key)
    first, second, third = (head_of(ledger_of(*"abc"[:count])) for count in (1, 2, 3))
    book.keep(first, NOW)
    book.keep(first, NOW + timedelta(minutes=5))
    book.keep(second, NOW + timedelta(seconds=30))
    book.keep(second, NOW + timedelta(seconds=90))
    book.keep(third, NOW + timedelta(seconds=91), at_once=True)
    assert [head.seq for head in heads.read(path, key.verifier)[0]] == [1, 2, 3]
    assert path.stat().st_mode & 0o777 == 0o600
