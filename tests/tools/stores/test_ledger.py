"""What every ledger promises: the twin, sqlite and Postgres alike."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.domain.approval import Approval
from core.domain.check import Look, Signal
from core.domain.errors import Busy, Corrupt
from core.domain.ledger import ActionRow, Head, Ledger, StopRow, chained, genesis
from core.domain.outcome import TERMINAL, TRANSITIONS, ActionState, allowed
from gate import audit
from tools.stores.ledger import SqlLedger, opened
from tools.stores.memory import MemoryLedger
from tools.stores.opening import Database
from tools.stores.sink import Sink

S = ActionState
Row = Callable[..., ActionRow]
PATHS = {
    S.SUBMITTED: (),
    S.NEEDS_APPROVAL: (S.NEEDS_APPROVAL,),
    S.APPROVED: (S.NEEDS_APPROVAL, S.APPROVED),
    S.PERMITTED: (S.PERMITTED,),
    S.CLAIMED: (S.PERMITTED, S.CLAIMED),
    S.SENDING: (S.PERMITTED, S.CLAIMED, S.SENDING),
    S.UNKNOWN: (S.PERMITTED, S.CLAIMED, S.SENDING, S.UNKNOWN),
    S.APPLIED: (S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED),
    S.UNDOING: (S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, S.UNDOING),
}


def move(ledger: Ledger, action_id: str, old: ActionState, new: ActionState, at: datetime, **columns: Any) -> bool:
    return ledger.move(action_id, old, new, role="test", at=at, event={"why": "a test"}, **columns)


def brought(ledger: Ledger, row: ActionRow, state: ActionState, at: datetime) -> None:
    """Submit the row and walk it to the state."""
    assert ledger.submit(row)
    now = S.SUBMITTED
    for following in PATHS[state]:
        assert move(ledger, row.action_id, now, following, at)
        now = following


def test_a_submitted_action_reads_back_as_it_was(ledger: Ledger, row: Row) -> None:
    assert ledger.submit(row())
    assert ledger.get("act-0001") == row()
    assert ledger.get("act-none") is None


def test_the_same_wish_cannot_be_open_twice(ledger: Ledger, row: Row) -> None:
    assert ledger.submit(row(1))
    assert not ledger.submit(row(2, intent_key="intent-1"))
    assert ledger.get("act-0002") is None


def test_a_wish_that_ended_can_be_made_again(ledger: Ledger, row: Row, start: datetime) -> None:
    ledger.submit(row(1))
    move(ledger, "act-0001", S.SUBMITTED, S.DENIED, start)
    assert ledger.submit(row(2, intent_key="intent-1"))


def test_an_action_is_never_submitted_twice_even_after_it_ended(ledger: Ledger, row: Row, start: datetime) -> None:
    ledger.submit(row(1))
    move(ledger, "act-0001", S.SUBMITTED, S.CANCELLED, start)
    assert not ledger.submit(row(1))
    assert not ledger.submit(row(2, digest="digest-1"))


@pytest.mark.parametrize("old", PATHS)
def test_the_ledger_makes_exactly_the_moves_of_the_table(ledger: Ledger, row: Row, start: datetime, old: ActionState) -> None:
    for number, new in enumerate(S, 1):
        brought(ledger, row(number), old, start)
        if allowed(old, new):
            assert move(ledger, f"act-000{number}", old, new, start)
        else:
            with pytest.raises(ValueError, match="is no transition"):
                move(ledger, f"act-000{number}", old, new, start)
        found = ledger.get(f"act-000{number}")
        assert found is not None
        assert found.state is (new if allowed(old, new) else old)


def test_nothing_leads_out_of_an_ended_action() -> None:
    assert not any(TRANSITIONS.get(state) for state in TERMINAL)


def test_only_the_first_of_two_movers_wins(ledger: Ledger, row: Row, start: datetime) -> None:
    ledger.submit(row())
    assert move(ledger, "act-0001", S.SUBMITTED, S.DENIED, start)
    assert not move(ledger, "act-0001", S.SUBMITTED, S.CANCELLED, start)


def test_a_move_of_nothing_moves_nothing_and_is_not_recorded(ledger: Ledger, start: datetime) -> None:
    assert not move(ledger, "act-none", S.SUBMITTED, S.DENIED, start)
    assert ledger.chain() == []


def test_a_move_stores_its_columns_and_is_on_record(ledger: Ledger, row: Row, start: datetime) -> None:
    ledger.submit(row())
    later = start + timedelta(minutes=1)
    move(ledger, "act-0001", S.SUBMITTED, S.PERMITTED, later, permit="p" * 700, note="permitted", deadline=later)
    found = ledger.get("act-0001")
    assert found is not None
    assert (found.permit, found.note, found.deadline, found.changed_at) == ("p" * 700, "permitted", later, later)
    last = ledger.chain()[-1]
    assert (last.event, last.subject, last.role) == ("permitted", "act-0001", "test")
    assert "p" * 20 not in last.body
    assert "stored" in last.body


@pytest.mark.parametrize("column", ["digest", "intent_key", "target_uid", "proposal", "submitted_by", "agent", "unknown"])
def test_a_move_never_rewrites_who_the_action_is(ledger: Ledger, row: Row, start: datetime, column: str) -> None:
    ledger.submit(row())
    with pytest.raises(ValueError, match=f"never writes {column}"):
        move(ledger, "act-0001", S.SUBMITTED, S.DENIED, start, **{column: "x"})


def test_one_claim_wins_and_epochs_only_grow(ledger: Ledger, row: Row, start: datetime) -> None:
    epochs = []
    for number in (1, 2):
        brought(ledger, row(number), S.PERMITTED, start)
        epochs.append(ledger.claim(f"act-000{number}", "one", start))
        assert ledger.claim(f"act-000{number}", "two", start) is None
    move(ledger, "act-0001", S.CLAIMED, S.SUBMITTED, start)
    move(ledger, "act-0001", S.SUBMITTED, S.PERMITTED, start)
    epochs.append(ledger.claim("act-0001", "two", start))
    assert epochs == [1, 2, 3]


def test_who_lost_its_claim_moves_nothing(ledger: Ledger, row: Row, start: datetime) -> None:
    brought(ledger, row(), S.PERMITTED, start)
    first = ledger.claim("act-0001", "one", start)
    move(ledger, "act-0001", S.CLAIMED, S.SUBMITTED, start)
    move(ledger, "act-0001", S.SUBMITTED, S.PERMITTED, start)
    ledger.claim("act-0001", "two", start)
    assert not ledger.move("act-0001", S.CLAIMED, S.SENDING, role="one", at=start, event={}, epoch=first)


def test_a_permit_is_spent_once(ledger: Ledger, start: datetime) -> None:
    assert not ledger.spent("jti-1")
    assert ledger.spend("jti-1", "act-0001", start)
    assert not ledger.spend("jti-1", "act-0002", start)
    assert ledger.spent("jti-1")


def test_a_person_decides_once_on_a_digest(ledger: Ledger, approval: Callable[..., Approval]) -> None:
    assert ledger.approve(approval("ann"))
    assert not ledger.approve(approval("ann", id="approval-2", decision="denied"))
    assert ledger.approve(approval("bob"))
    assert [item.by for item in ledger.approvals("act-0001")] == ["ann", "bob"]
    assert ledger.approvals("act-0001")[0] == approval("ann")


def test_decisions_of_everybody_come_oldest_first(ledger: Ledger, approval: Callable[..., Approval], start: datetime) -> None:
    later = start + timedelta(minutes=5)
    ledger.approve(approval("bob", at=later))
    ledger.approve(approval("ann", action_id="act-0002", action_digest="digest-2"))
    assert [item.by for item in ledger.decisions(start)] == ["ann", "bob"]
    assert [item.by for item in ledger.decisions(later)] == ["bob"]


def test_a_stop_stands_until_a_person_resumes(ledger: Ledger, start: datetime) -> None:
    assert ledger.stops() == []
    stop = StopRow("all", "forward", "ann", "an incident", start)
    ledger.stop(stop)
    ledger.stop(stop._replace(mode="all"))
    assert ledger.stops() == [stop._replace(mode="all")]
    assert ledger.resume("all", "ann", "over", start)
    assert not ledger.resume("all", "ann", "over", start)
    assert ledger.stops() == []


def test_rows_come_oldest_first_and_searches_newest_first(ledger: Ledger, row: Row, start: datetime) -> None:
    for number in (3, 1, 2):
        ledger.submit(row(number, run_id="run-2" if number == 3 else "run-1", agent="finops" if number == 2 else "scaling"))
    move(ledger, "act-0002", S.SUBMITTED, S.DENIED, start + timedelta(hours=1))
    assert [item.action_id for item in ledger.in_states(S.SUBMITTED)] == ["act-0001", "act-0003"]
    assert [item.action_id for item in ledger.of_run("run-1")] == ["act-0001", "act-0002"]
    assert [item.action_id for item in ledger.search()] == ["act-0003", "act-0002", "act-0001"]
    assert [item.action_id for item in ledger.search(limit=1)] == ["act-0003"]
    assert [item.action_id for item in ledger.search(states=(S.DENIED,))] == ["act-0002"]
    assert [item.action_id for item in ledger.search(agent="finops")] == ["act-0002"]
    assert [item.action_id for item in ledger.search(since=start + timedelta(minutes=30))] == ["act-0002"]
    assert [item.action_id for item in ledger.search(scope=("scale_workload", "shop"), limit=2)] == ["act-0003", "act-0002"]
    assert ledger.search(scope=("scale_workload", "other")) == ledger.search(scope=("restart_rollout", "shop")) == []
    assert [item.action_id for item in ledger.recent("uid-1", start + timedelta(minutes=30))] == ["act-0002"]
    assert ledger.recent("uid-2", start) == []


def test_what_the_verifier_saw_is_kept_without_a_move(ledger: Ledger, row: Row, start: datetime) -> None:
    brought(ledger, row(), S.APPLIED, start)
    length = len(ledger.chain())
    look = Look(signal=Signal.PODS_READY, held=None, seen="no data")
    ledger.observe("act-0001", looks=(look,), next_look_at=start, at=start)
    found = ledger.get("act-0001")
    assert found is not None
    assert (found.state, found.next_look_at) == (S.APPLIED, start)
    assert '"pods_ready"' in found.looks
    assert len(ledger.chain()) == length


def test_whatever_anybody_does_is_on_record(ledger: Ledger, row: Row, approval: Callable[..., Approval], start: datetime) -> None:
    ledger.submit(row())
    ledger.approve(approval("ann"))
    move(ledger, "act-0001", S.SUBMITTED, S.PERMITTED, start)
    ledger.claim("act-0001", "executor-1", start)
    ledger.spend("jti-1", "act-0001", start)
    ledger.stop(StopRow("all", "forward", "ann", "an incident", start))
    ledger.resume("all", "bob", "over", start)
    told = [(item.role, item.event, item.subject) for item in ledger.chain()]
    assert told == [
        ("door", "submitted", "act-0001"),
        ("door", "approval.approved", "act-0001"),
        ("test", "permitted", "act-0001"),
        ("executor", "claimed", "act-0001"),
        ("executor", "permit.spent", "act-0001"),
        ("door", "stop", "all"),
        ("door", "resume", "all"),
    ]
    bodies = [json.loads(item.body) for item in ledger.chain()]
    assert (bodies[3]["owner"], bodies[3]["epoch"], bodies[4]) == ("executor-1", 1, {"jti": "jti-1"})
    assert bodies[5:] == [{"mode": "forward", "by": "ann", "reason": "an incident"}, {"by": "bob", "reason": "over"}]


def test_what_came_to_nothing_is_on_no_record(ledger: Ledger, row: Row, approval: Callable[..., Approval], start: datetime) -> None:
    ledger.submit(row())
    ledger.approve(approval("ann"))
    ledger.spend("jti-1", "act-0001", start)
    length = len(ledger.chain())
    assert not ledger.submit(row())
    assert not ledger.approve(approval("ann"))
    assert not ledger.spend("jti-1", "act-0001", start)
    assert not ledger.resume("all", "bob", "over", start)
    assert ledger.claim("act-0001", "executor-1", start) is None
    assert len(ledger.chain()) == length


def test_since_a_moment_is_with_that_moment(ledger: Ledger, row: Row) -> None:
    ledger.submit(row(1))
    ledger.submit(row(2))
    since = row(2).changed_at
    assert [item.action_id for item in ledger.recent("uid-1", since)] == ["act-0002"]
    assert [item.action_id for item in ledger.search(since=since)] == ["act-0002"]


def test_all_chains_are_read_in_the_order_of_their_commits(ledger: Ledger, start: datetime) -> None:
    for role in ("door", "door", "judge", "door", "judge"):
        ledger.record(role=role, event="event", subject="", body={}, at=start)
    assert [row.name for row in ledger.chain()] == ["door/1", "door/2", "judge/1", "door/3", "judge/2"]
    assert [row.name for row in ledger.chain(role="door")] == ["door/1", "door/2", "door/3"]
    assert [row.name for row in ledger.chain(2, role="judge")] == ["judge/2"]


def test_the_first_record_of_a_role_may_be_its_anchor(ledger: Ledger, start: datetime) -> None:
    ledger.record(role="door", event="event", subject="", body={}, at=start)
    ledger.anchor("judge", start)
    ledger.anchor("door", start)
    assert [row.name for row in ledger.chain()] == ["door/1", "judge/1"], "an anchor alone is nothing that another one tells of"


def test_the_chain_links_every_record_to_the_one_before(ledger: Ledger, row: Row, start: datetime) -> None:
    ledger.submit(row())
    move(ledger, "act-0001", S.SUBMITTED, S.DENIED, start)
    ledger.record(role="door", event="refused", subject="act-0001", body={"text": "x" * 10_000}, at=start)
    rows = ledger.chain()
    assert [item.name for item in rows] == ["door/1", "test/1", "door/2"]
    assert [item.place for item in rows] == [1, 2, 3]
    assert [item.previous for item in rows] == [genesis(ledger.origin, "door"), genesis(ledger.origin, "test"), rows[0].hash]
    assert all(chained(item) == item.hash for item in rows)
    assert len(rows[-1].body) < 4096
    assert ledger.chain(2, 1) == rows[1:2]
    assert ledger.chain(2, role="door") == rows[2:]
    assert ledger.head() == {"door": Head("door", 2, rows[2].hash), "test": Head("test", 1, rows[1].hash)}


def test_an_anchor_tells_where_the_other_chains_stand(ledger: Ledger, start: datetime) -> None:
    assert ledger.anchor("judge", start) is None
    for role in ("door", "executor", "door"):
        ledger.record(role=role, event="event", subject="", body={}, at=start)
    heads = ledger.head()
    head = ledger.anchor("judge", start)
    (row,) = ledger.chain(role="judge")
    assert head == Head("judge", 1, row.hash)
    assert row.event == "anchored"
    assert json.loads(row.body) == {"heads": {role: [heads[role].seq, heads[role].hash] for role in ("door", "executor")}}


def test_anchors_are_no_reason_for_anchors(ledger: Ledger, start: datetime) -> None:
    roles = ("door", "judge", "executor")
    for role in roles:
        ledger.record(role=role, event="event", subject="", body={}, at=start)
    for _ in range(5):
        for role in roles:
            ledger.anchor(role, start)
    assert [row.name for row in ledger.chain(4)] == ["door/2", "judge/2", "executor/2"]
    ledger.record(role="door", event="event", subject="", body={}, at=start)
    for _ in range(5):
        for role in roles:
            ledger.anchor(role, start)
    assert [row.name for row in ledger.chain(8)] == ["judge/3", "executor/3"]


def test_where_machines_share_a_ledger_one_process_holds_a_role(postgres: str) -> None:
    first, second = SqlLedger(Database(postgres)), SqlLedger(Database(postgres))
    first.hold("executor")
    second.hold("judge")
    with pytest.raises(Busy):
        second.hold("executor")
    first.close()
    second.hold("executor")
    second.close()


def test_processes_that_share_a_database_give_each_place_once(postgres: str, on_postgres: SqlLedger, start: datetime) -> None:
    """The rows of the roles are not enough, for places are counted over all of them."""
    others = [SqlLedger(Database(postgres)) for _ in range(4)]

    def write(number: int) -> None:
        for _ in range(8):
            others[number].record(role=f"role-{number}", event="event", subject="", body={}, at=start)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert [row.place for row in on_postgres.chain()] == list(range(1, 33))
    for other in others:
        other.close()


def test_on_sqlite_the_file_lock_of_the_role_is_enough(tmp_path: Path) -> None:
    for _ in range(2):
        SqlLedger(Database(f"sqlite:///{tmp_path / 'ledger.db'}")).hold("executor")


def test_of_many_at_once_exactly_one_gets_each_thing(ledger: Ledger, row: Row, start: datetime) -> None:
    """Submitting, claiming, spending and moving, each tried by eight threads; by one on the twin, which lives in one."""
    threads = 1 if isinstance(ledger, MemoryLedger) else 8
    brought(ledger, row(1), S.PERMITTED, start)

    def race(attempt: Callable[[int], object]) -> int:
        with ThreadPoolExecutor(threads) as pool:
            return sum(bool(won) for won in pool.map(attempt, range(8)))

    assert race(lambda number: ledger.claim("act-0001", f"owner-{number}", start)) == 1
    assert race(lambda number: ledger.spend("jti-1", f"act-{number}", start)) == 1
    assert race(lambda number: ledger.submit(row(number + 10, intent_key="one wish"))) == 1
    assert race(lambda number: move(ledger, "act-0001", S.CLAIMED, S.SENDING, start)) == 1
    chain = ledger.chain()
    assert [item.place for item in chain] == list(range(1, len(chain) + 1))
    assert audit.verify_ledger(ledger).problems == ()


def reopened(folder: Path, sink: str = "audit.jsonl") -> SqlLedger:
    return opened(f"sqlite:///{folder / 'ledger.db'}", folder / sink)


def test_a_ledger_that_has_all_its_records_is_opened_again(sqlite: SqlLedger, tmp_path: Path, row: Row) -> None:
    for number in (1, 2, 3):
        sqlite.submit(row(number))
    assert list(Sink(tmp_path / "audit.jsonl").rows()) == sqlite.chain()
    again = reopened(tmp_path)
    assert again.chain() == sqlite.chain()
    again.close()


def test_a_ledger_that_is_opened_brings_its_second_sink_up_to_date(sqlite: SqlLedger, tmp_path: Path, row: Row) -> None:
    path = tmp_path / "audit.jsonl"
    for number in (1, 2, 3):
        sqlite.submit(row(number))
    whole = path.read_bytes()
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:1]))
    reopened(tmp_path).close()
    assert path.read_bytes() == whole
    reopened(tmp_path, "elsewhere.jsonl").close()
    assert (tmp_path / "elsewhere.jsonl").read_bytes() == whole


def test_a_ledger_that_lost_what_its_second_sink_has_is_not_opened(sqlite: SqlLedger, tmp_path: Path, empty_ledger: Path, row: Row) -> None:
    sqlite.submit(row())
    sqlite.close()
    for rest in tmp_path.glob("ledger.db-*"):
        rest.unlink()
    shutil.copy(empty_ledger, tmp_path / "ledger.db")
    with pytest.raises(Corrupt, match=r"lacks record 1 \(door/1\)") as caught:
        reopened(tmp_path)
    assert "day2 doctor" in caught.value.mend


def test_a_ledger_without_a_second_sink_keeps_its_records_alone(url: str, sqlite: SqlLedger, tmp_path: Path, row: Row) -> None:
    before = (tmp_path / "audit.jsonl").read_bytes()
    alone = opened(url, None)
    assert alone.submit(row())
    assert [item.event for item in alone.chain()] == ["submitted"]
    assert (tmp_path / "audit.jsonl").read_bytes() == before
    alone.close()


def test_what_records_nothing_does_not_touch_the_second_sink(sqlite: SqlLedger, tmp_path: Path, start: datetime) -> None:
    assert sqlite.spend("jti-1", "act-0001", start)
    (tmp_path / "audit.jsonl").unlink()
    assert not sqlite.spend("jti-1", "act-0001", start)
    assert not (tmp_path / "audit.jsonl").exists()
