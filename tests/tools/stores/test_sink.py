"""The second sink beside a ledger: what it writes, what it reads back, and what it finds after a crash or beside another process."""

import fcntl
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.domain.errors import Corrupt
from core.domain.ledger import AuditRow, Entry, link
from tools.stores.sink import PAGE, Sink

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Chain:
    """The ledger's side: its rows, and from which places it was asked for them."""

    def __init__(self, name: str = "event") -> None:
        self.rows: list[AuditRow] = []
        self.asked: list[int] = []
        self._name = name

    def commit(self, count: int = 1) -> list[AuditRow]:
        first = len(self.rows) + 1
        one = link(Entry("judge", self._name, "", {}, AT), first, first, "0" * 64)
        made = [one._replace(place=place, seq=place, hash=f"{self._name}-{place}") for place in range(first, first + count)]
        self.rows += made
        return made

    def __call__(self, start: int, limit: int) -> list[AuditRow]:
        self.asked.append(start)
        return self.rows[start - 1 : start - 1 + limit]


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def kept(path: Path) -> list[AuditRow]:
    return list(Sink(path).rows())


def test_a_writer_that_is_alone_reads_nothing_back_after_its_first_record(chain: Chain, path: Path) -> None:
    sink = Sink(path)
    for count in (1, 1, 1, 2, 1):
        sink.catch_up(chain, chain.commit(count))
    assert kept(path) == chain.rows
    assert chain.asked == [1]


def test_the_records_of_another_process_that_died_before_its_lines_are_not_left_out(chain: Chain, path: Path) -> None:
    sink = Sink(path)
    sink.catch_up(chain, chain.commit())
    chain.commit()
    sink.catch_up(chain, chain.commit())
    assert kept(path) == chain.rows


def test_the_lines_of_another_process_are_not_written_again(chain: Chain, path: Path) -> None:
    ours, theirs = Sink(path), Sink(path)
    for sink in (ours, theirs, theirs, ours, theirs, ours):
        sink.catch_up(chain, chain.commit())
    assert kept(path) == chain.rows


def test_a_line_that_was_cut_off_meanwhile_is_written_whole(chain: Chain, path: Path) -> None:
    sink = Sink(path)
    sink.catch_up(chain, chain.commit(3))
    path.write_bytes(path.read_bytes()[:-20])
    sink.catch_up(chain, chain.commit())
    assert kept(path) == chain.rows


def test_a_new_process_does_not_write_behind_the_records_of_another_ledger(chain: Chain, path: Path) -> None:
    other = Chain("another")
    Sink(path).catch_up(other, other.commit())
    written = path.read_bytes()
    with pytest.raises(Corrupt, match=r"disagree at record 1 \(judge/1\)"):
        Sink(path).catch_up(chain, chain.commit())
    assert path.read_bytes() == written


def test_a_ledger_that_lacks_the_last_line_is_not_mirrored(chain: Chain, path: Path) -> None:
    Sink(path).catch_up(chain, chain.commit(2))
    with pytest.raises(Corrupt, match="disagree at record 2"):
        Sink(path).catch_up(lambda start, limit: chain(start, limit)[:0])
    with pytest.raises(Corrupt, match="disagree at record 2"):
        Sink(path).catch_up(lambda start, limit: [row._replace(hash="1" * 64) for row in chain(start, limit)])


@pytest.mark.parametrize(("before", "behind"), [(0, PAGE + 1), (1, PAGE)])
def test_what_is_behind_by_more_than_a_page_is_caught_up_whole(chain: Chain, path: Path, before: int, behind: int) -> None:
    if before:
        Sink(path).catch_up(chain, chain.commit(before))
    chain.commit(behind)
    Sink(path).catch_up(chain)
    assert path.read_bytes().count(b"\n") == PAGE + 1
    assert Sink(path).head() == chain.rows[-1]


def test_the_last_whole_line_is_the_head(chain: Chain, path: Path) -> None:
    Sink(path).catch_up(chain, chain.commit(3))
    assert Sink(path).head() == chain.rows[2]
    path.write_bytes(path.read_bytes()[:-20])
    assert Sink(path).head() == chain.rows[1]
    assert kept(path) == chain.rows[:2]


def test_a_first_line_that_was_cut_off_is_no_record_and_is_written_again(chain: Chain, path: Path) -> None:
    path.write_bytes(b'{"place": 1, "se')
    assert (Sink(path).head(), kept(path)) == (None, [])
    Sink(path).catch_up(chain, chain.commit(2))
    assert kept(path) == chain.rows


def test_the_head_of_a_long_file_is_found_without_its_beginning(chain: Chain, path: Path) -> None:
    Sink(path).catch_up(chain, chain.commit(300))
    path.write_bytes(b"x" + path.read_bytes()[1:])
    assert Sink(path).head() == chain.rows[-1]
    Sink(path).catch_up(chain, chain.commit())
    assert Sink(path).head() == chain.rows[-1]


def test_who_writes_waits_until_another_process_has_written(chain: Chain, path: Path) -> None:
    Sink(path).catch_up(chain, chain.commit())
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        other = threading.Thread(target=Sink(path).catch_up, args=(chain, chain.commit()))
        other.start()
        other.join(0.2)
        assert other.is_alive()
        assert len(kept(path)) == 1
        fcntl.flock(held, fcntl.LOCK_UN)
        other.join()
    assert kept(path) == chain.rows


def test_only_its_owner_can_read_it(chain: Chain, path: Path) -> None:
    Sink(path).catch_up(chain, chain.commit())
    assert path.stat().st_mode & 0o777 == 0o600
