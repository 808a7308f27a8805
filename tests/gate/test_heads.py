"""Signed heads: a past that was replaced in the ledger and in the second sink is still found, whoever's it is."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.domain.ledger import Head
from gate import audit, heads, keys
from tools.stores.memory import MemoryLedger

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SIGNERS = {"judge": "judge", "executor": "executor", "controller": "controller", "door-cli": "door"}


def ledger_of(*events: str, role: str = "judge") -> MemoryLedger:
    found = MemoryLedger()
    for event in events:
        found.record(role=role, event=event, subject="run-1", body={}, at=NOW)
    return found


def book(folder: Path, name: str = "judge") -> heads.HeadBook:
    return heads.HeadBook(heads.file_of(folder, name), keys.signer(folder / "keys", name), SIGNERS[name])


def signed(folder: Path) -> tuple[list[Head], list[str]]:
    return audit.signed_heads(folder, folder / "keys")


@pytest.mark.parametrize("name", SIGNERS)
def test_a_chain_that_was_written_anew_as_a_whole_contradicts_its_own_signed_head(tmp_path: Path, name: str) -> None:
    role = SIGNERS[name]
    real, forged = ledger_of("first", "denied", role=role), ledger_of("first", "allowed", role=role)
    book(tmp_path, name).keep(real, NOW)
    found, problems = signed(tmp_path)
    assert problems == []
    assert audit.verify_ledger(real, signed=found).whole
    report = audit.verify_ledger(forged, sink=forged.chain(), signed=found)
    assert report.problems == (f"the {role} signed record {role}/2 with another hash than the chain has",)


def test_a_chain_that_lost_its_end_contradicts_the_signed_head(tmp_path: Path) -> None:
    book(tmp_path).keep(ledger_of("a", "b", "c"), NOW)
    assert not audit.verify_ledger(ledger_of("a", "b"), signed=signed(tmp_path)[0]).whole


def test_one_roles_head_signs_the_past_of_the_others_too(tmp_path: Path) -> None:
    """The executor's whole chain is written anew, and every anchor with it: the judge's signature is over what it was."""

    def told(effect: str) -> MemoryLedger:
        ledger = ledger_of("permitted")
        ledger.record(role="executor", event=effect, subject="act-1", body={}, at=NOW)
        return ledger

    real, forged = told("applied"), told("failed")
    book(tmp_path).keep(real, NOW)
    forged.anchor("judge", NOW)
    assert audit.verify_ledger(forged).whole
    assert audit.verify_ledger(real, signed=signed(tmp_path)[0]).whole
    report = audit.verify_ledger(forged, signed=signed(tmp_path)[0])
    assert report.problems == ("the judge signed record judge/2 with another hash than the chain has",)


def test_a_key_signs_for_its_own_role_alone(tmp_path: Path) -> None:
    key = keys.signer(tmp_path / "keys", "executor")
    heads.HeadBook(heads.file_of(tmp_path, "executor"), key, "judge").keep(ledger_of("a"), NOW)
    found, problems = signed(tmp_path)
    assert (found, problems) == ([], ["audit.executor.heads line 1 is no head that the executor signed"])


def test_heads_of_another_key_and_odd_lines_are_told(tmp_path: Path) -> None:
    stranger = keys.signer(tmp_path / "strange", keys.JUDGE)
    keys.signer(tmp_path / "keys", keys.JUDGE)
    path = heads.file_of(tmp_path, keys.JUDGE)
    heads.HeadBook(path, stranger, keys.JUDGE).keep(ledger_of("a"), NOW)
    with path.open("a") as file:
        file.write("this is no token\n")
    found, problems = signed(tmp_path)
    assert found == []
    assert [problem.split(" is no head")[0] for problem in problems] == ["audit.judge.heads line 1", "audit.judge.heads line 2"]


def test_heads_whose_key_is_gone_are_told(tmp_path: Path) -> None:
    book(tmp_path).keep(ledger_of("a"), NOW)
    (tmp_path / "keys" / "judge.pub.json").unlink()
    found, (problem,) = signed(tmp_path)
    assert found == []
    assert problem.startswith("audit.judge.heads cannot be checked: ")


def test_a_line_that_a_crash_cut_off_is_no_problem(tmp_path: Path) -> None:
    book(tmp_path).keep(ledger_of("a"), NOW)
    with heads.file_of(tmp_path, "judge").open("a") as file:
        file.write("eyJhbGci")
    found, problems = signed(tmp_path)
    assert (len(found), problems) == (1, [])


def test_heads_of_the_first_form_are_read_as_such(tmp_path: Path) -> None:
    key = keys.signer(tmp_path / "keys", keys.JUDGE)
    token = key.sign({"seq": 3, "hash": "1" * 64, "at": NOW.isoformat()}, typ=heads.TYPE)
    (tmp_path / "audit.heads").write_text(token + "\n", encoding="ascii")
    assert signed(tmp_path) == ([Head(audit.FIRST_FORM, 3, "1" * 64)], [])


def test_a_head_is_signed_once_a_minute_when_it_moved_and_at_once_at_the_end(tmp_path: Path) -> None:
    kept, ledger = book(tmp_path), MemoryLedger()

    def recorded() -> None:
        ledger.record(role="judge", event="event", subject="", body={}, at=NOW)

    kept.keep(ledger, NOW - timedelta(minutes=2))
    recorded()
    kept.keep(ledger, NOW)
    kept.keep(ledger, NOW + timedelta(minutes=5))
    recorded()
    kept.keep(ledger, NOW + timedelta(minutes=5, seconds=30))
    kept.keep(ledger, NOW + timedelta(minutes=6))
    recorded()
    kept.keep(ledger, NOW + timedelta(minutes=6, seconds=1), at_once=True)
    assert [head.seq for head in signed(tmp_path)[0]] == [1, 2, 3]
    assert heads.file_of(tmp_path, "judge").stat().st_mode & 0o777 == 0o600


def test_what_others_recorded_is_anchored_before_the_head_is_signed(tmp_path: Path) -> None:
    ledger = ledger_of("submitted", role="door")
    book(tmp_path).keep(ledger, NOW)
    assert [row.name for row in ledger.chain(role="judge")] == ["judge/1"]
    assert signed(tmp_path)[0] == [ledger.head()["judge"]]


def test_heads_are_for_their_owner_alone_and_the_minute_counts_from_the_last_look(tmp_path: Path) -> None:
    made, ledger = book(tmp_path), ledger_of("a")
    file = heads.file_of(tmp_path, "judge")

    def lines() -> int:
        return len(file.read_text(encoding="ascii").splitlines())

    made.keep(ledger, NOW)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ledger.record(role="judge", event="b", subject="run-1", body={}, at=NOW)
    made.keep(ledger, NOW + timedelta(seconds=59))
    assert lines() == 1
    made.keep(ledger, NOW + timedelta(seconds=60))
    assert lines() == 2
    ledger.record(role="judge", event="c", subject="run-1", body={}, at=NOW)
    made.keep(ledger, NOW + timedelta(seconds=119))
    assert lines() == 2
    made.keep(ledger, NOW + timedelta(seconds=119), at_once=True)
    assert lines() == 3
    made.keep(ledger, NOW + timedelta(seconds=200), at_once=True)
    assert lines() == 3


def test_where_nothing_was_recorded_nothing_is_signed(tmp_path: Path) -> None:
    book(tmp_path).keep(MemoryLedger(), NOW)
    assert not heads.file_of(tmp_path, "judge").exists()
