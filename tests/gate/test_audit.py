"""Whatever is done to the audit chains is found, and the message names role and record."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.domain.errors import Corrupt
from core.domain.ledger import AuditRow, Head, chained, genesis
from core.domain.values import digest
from gate import audit
from tools.stores.memory import MemoryLedger

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ROLES = ("door", "judge", "executor", "controller")


def written(number_of: Callable[[int], int] = int, *, origin: str = MemoryLedger().origin) -> MemoryLedger:
    """Twelve records by four roles, with two anchors by each in between."""
    ledger = MemoryLedger(origin)
    for number in range(12):
        role = ROLES[number % 4]
        ledger.record(role=role, event="event", subject=f"act-{number}", body={"number": number_of(number)}, at=NOW)
        if number in (5, 9):
            for anchoring in ROLES:
                ledger.anchor(anchoring, NOW)
    return ledger


LEDGER = written()
ORIGIN = LEDGER.origin
ROWS = LEDGER.chain()
HEAD = LEDGER.head()
PLACES = st.integers(0, len(ROWS) - 1)


class Held(MemoryLedger):
    """A ledger whose rows and heads were set by an attacker."""

    def __init__(self, rows: list[AuditRow], head: dict[str, Head]) -> None:
        super().__init__()
        self._rows = rows
        self._ends = head

    def chain(self, start: int = 1, limit: int = 10_000, *, role: str = "") -> list[AuditRow]:
        found = [row for row in self._rows if (row.seq if role else row.place) >= start and role in ("", row.role)]
        return sorted(found, key=lambda row: row.place)[:limit]

    def head(self) -> dict[str, Head]:
        return self._ends


def rechained(rows: list[AuditRow], *roles: str) -> list[AuditRow]:
    """As an attacker would who has no key: every place, and the records of these roles with fresh numbers and hashes."""
    made: list[AuditRow] = []
    ends: dict[str, tuple[int, str]] = {}
    for place, row in enumerate(rows, 1):
        fresh = row
        if row.role in roles:
            seq, previous = ends.get(row.role, (0, genesis(ORIGIN, row.role)))
            fresh = row._replace(place=place, seq=seq + 1, previous=previous)
            fresh = fresh._replace(hash=chained(fresh))
            ends[row.role] = (fresh.seq, fresh.hash)
        made.append(fresh)
    return made


def heads_of(rows: list[AuditRow]) -> dict[str, Head]:
    return {row.role: Head(row.role, row.seq, row.hash) for row in rows}


def of(role: str) -> list[int]:
    return [place for place, row in enumerate(ROWS) if row.role == role]


def test_whole_chains_are_whole() -> None:
    report = audit.verify(ROWS, origin=ORIGIN, head=HEAD)
    assert report.problems == ()
    assert (report.whole, report.records) == (True, 12)
    assert [(chain.role, chain.records, chain.head) for chain in report.chains] == sorted(tuple(head) for head in HEAD.values())
    assert [chain.anchors for chain in report.chains] == [2, 2, 2, 2]


def test_what_is_hashed_is_the_canonical_json_of_all_fields() -> None:
    row = ROWS[0]._replace(subject='Zoë\u2028 \x7f " \\ \x01')
    said = [
        "day2-audit-2",
        row.place,
        row.seq,
        row.previous,
        "2026-11-23T12:00:00.000000+00:00",
        row.role,
        row.event,
        row.subject,
        row.body,
    ]
    assert chained(row) == digest(said)


@given(st.datetimes(timezones=st.sampled_from((UTC, timezone(timedelta(hours=2)), ZoneInfo("Europe/Berlin")))))
@example(datetime(2026, 11, 23, 12, 0, 0, 120, tzinfo=UTC))
@example(datetime(2026, 11, 23, 12, 0, 0, 120000, tzinfo=UTC))
@example(NOW)
def test_a_time_is_hashed_as_its_iso_text_with_microseconds(at: datetime) -> None:
    row = ROWS[0]._replace(at=at)
    said = [
        "day2-audit-2",
        row.place,
        row.seq,
        row.previous,
        at.isoformat(timespec="microseconds"),
        row.role,
        row.event,
        row.subject,
        row.body,
    ]
    assert chained(row) == digest(said)


@settings(deadline=None)
@given(PLACES, st.sampled_from(AuditRow._fields), st.integers(1, 40), st.text(min_size=1, max_size=5))
def test_any_change_of_any_field_of_any_record_is_found(place: int, field: str, more: int, text: str) -> None:
    old = getattr(ROWS[place], field)
    new = old + more if isinstance(old, int) else old + timedelta(microseconds=more) if isinstance(old, datetime) else old + text
    changed = ROWS[place]._replace(**{field: new})
    report = audit.verify([*ROWS[:place], changed, *ROWS[place + 1 :]], origin=ORIGIN)
    assert f"record {changed.name} was changed" in report.problems


@settings(deadline=None)
@given(PLACES, st.sampled_from(("role", "event", "subject", "body")))
def test_a_changed_record_with_a_fresh_hash_is_found_too(place: int, field: str) -> None:
    changed = ROWS[place]._replace(**{field: "another"})
    changed = changed._replace(hash=chained(changed))
    rows = [*ROWS[:place], changed, *ROWS[place + 1 :]]
    assert not audit.verify_ledger(Held(rows, HEAD)).whole


@settings(deadline=None)
@given(st.sets(PLACES, min_size=1))
def test_removed_records_are_found(places: set[int]) -> None:
    kept = [row for place, row in enumerate(ROWS) if place not in places]
    assert not audit.verify_ledger(Held(kept, HEAD)).whole


@settings(deadline=None)
@given(st.permutations(ROWS))
def test_another_order_is_found(rows: list[AuditRow]) -> None:
    assert audit.verify(rows, origin=ORIGIN, head=HEAD).whole is (rows == ROWS)


@settings(deadline=None)
@given(PLACES, PLACES)
def test_a_repeated_record_is_found(place: int, source: int) -> None:
    assert not audit.verify([*ROWS[:place], ROWS[source], *ROWS[place:]], origin=ORIGIN, head=HEAD).whole


@pytest.mark.parametrize("role", ROLES)
def test_a_record_that_was_changed_is_named(role: str) -> None:
    place = of(role)[1]
    rows = [*ROWS[:place], ROWS[place]._replace(body='{"number":99}'), *ROWS[place + 1 :]]
    assert audit.verify(rows, origin=ORIGIN, head=HEAD).problems == (f"record {role}/2 was changed",)


@pytest.mark.parametrize("role", ROLES)
def test_a_record_that_was_removed_is_named(role: str) -> None:
    rows = [row for row in ROWS if row.name != f"{role}/2"]
    assert f"record {role}/2 is missing or out of order: {role}/3 stands in its place" in audit.verify(rows, origin=ORIGIN).problems


@pytest.mark.parametrize("role", ROLES)
def test_two_records_that_changed_places_are_found(role: str) -> None:
    first, second = of(role)[:2]
    rows = list(ROWS)
    rows[first], rows[second] = rows[second]._replace(place=first + 1), rows[first]._replace(place=second + 1)
    assert f"record {role}/1 is missing or out of order: {role}/2 stands in its place" in audit.verify(rows, origin=ORIGIN).problems


@pytest.mark.parametrize("role", ROLES)
def test_a_record_that_was_inserted_at_the_end_is_found_by_the_head(role: str) -> None:
    forged = AuditRow(len(ROWS) + 1, HEAD[role].seq + 1, NOW, role, "event", "act-0", "{}", HEAD[role].hash, "")
    rows = [*ROWS, forged._replace(hash=chained(forged))]
    said = f"the chain {role} ends at record {forged.name}, and should end at {role}/{HEAD[role].seq}"
    assert audit.verify_ledger(Held(rows, HEAD)).problems == (said,)


@pytest.mark.parametrize("role", ROLES)
def test_a_record_that_was_inserted_in_the_middle_and_chained_anew_contradicts_the_others(role: str) -> None:
    place = of(role)[1]
    rows = rechained([*ROWS[:place], ROWS[place]._replace(subject="act-forged"), *ROWS[place:]], *ROLES)
    report = audit.verify_ledger(Held(rows, heads_of(rows)))
    assert any(f"anchors {role}/" in problem for problem in report.problems)


@pytest.mark.parametrize(("source", "target"), tuple(itertools.permutations(ROLES, 2)))
def test_a_record_that_was_moved_to_another_chain_is_found(source: str, target: str) -> None:
    place = of(source)[1]
    moved = ROWS[place]._replace(role=target)
    for row in (moved, moved._replace(seq=HEAD[target].seq + 1)):
        assert not audit.verify_ledger(Held([*ROWS[:place], row, *ROWS[place + 1 :]], HEAD)).whole
        fresh = row._replace(hash=chained(row))
        assert not audit.verify_ledger(Held([*ROWS[:place], fresh, *ROWS[place + 1 :]], HEAD)).whole


@pytest.mark.parametrize("role", ROLES)
def test_a_chain_of_another_ledger_is_not_taken_for_ours(role: str) -> None:
    other = written(origin=f"other.0.{'0' * 64}").chain()
    rows = [theirs if theirs.role == role else ours for theirs, ours in zip(other, ROWS, strict=True)]
    report = audit.verify(rows, origin=ORIGIN, head=heads_of(rows))
    assert f"record {role}/1 does not follow the beginning of its chain" in report.problems


@pytest.mark.parametrize("role", ROLES)
def test_a_cut_off_end_is_found_by_the_head_row(role: str) -> None:
    rows = [row for row in ROWS if row.name != f"{role}/{HEAD[role].seq}"]
    said = f"the chain {role} ends at record {role}/{HEAD[role].seq - 1}, and should end at {role}/{HEAD[role].seq}"
    assert said in audit.verify_ledger(Held(rows, HEAD)).problems


@pytest.mark.parametrize("role", ROLES)
def test_a_cut_off_end_is_found_by_a_signed_head(role: str) -> None:
    rows = [row for row in ROWS if row.name != f"{role}/{HEAD[role].seq}"]
    report = audit.verify_ledger(Held(rows, heads_of(rows)), signed=[HEAD[role]])
    assert f"the {role} signed record {role}/{HEAD[role].seq}, which the chain does not have" in report.problems


@pytest.mark.parametrize("role", ROLES)
def test_a_cut_off_end_is_found_by_the_second_sink(role: str) -> None:
    rows = [row for row in ROWS if row.name != f"{role}/{HEAD[role].seq}"]
    report = audit.verify_ledger(Held(rows, heads_of(rows)), sink=ROWS)
    assert f"the ledger lacks, or has otherwise, record {role}/{HEAD[role].seq} that the second sink keeps" in report.problems


@pytest.mark.parametrize("kept", [0, 5, 11])
def test_a_ledger_that_lost_all_its_later_records_and_their_heads_is_found_by_the_second_sink(kept: int) -> None:
    report = audit.verify_ledger(Held(ROWS[:kept], heads_of(ROWS[:kept])), sink=ROWS)
    lost = ROWS[kept].name
    assert report.problems == (f"the ledger lacks, or has otherwise, record {lost} that the second sink keeps",)
    assert report.mirrored == len(ROWS)


@pytest.mark.parametrize("role", ROLES)
def test_a_cut_off_end_is_found_by_an_anchor_of_another_chain(role: str) -> None:
    """The role's records after its first are gone, its head row too, and the ledger is numbered anew: others anchored what it had."""
    rows = rechained([row for row in ROWS if row.role != role or row.seq == 1], *ROLES)
    report = audit.verify_ledger(Held(rows, heads_of(rows)))
    assert any(f"anchors {role}/" in problem and f"the chain {role} stood at {role}/1 then" in problem for problem in report.problems)


@pytest.mark.parametrize("role", ROLES)
def test_a_chain_that_was_replaced_contradicts_the_anchors_of_every_other_role(role: str) -> None:
    """Wholly consistent in itself, with its head row and the second sink rewritten: the other roles' records say otherwise."""
    rows = rechained([row._replace(subject="act-other") if row.role == role else row for row in ROWS], role)
    report = audit.verify_ledger(Held(rows, heads_of(rows)), sink=rows)
    anchoring = {problem.split("/")[0] for problem in report.problems}
    assert all(f"anchors {role}/" in problem and "with another hash" in problem for problem in report.problems)
    assert anchoring == set(ROLES) - {role}


@pytest.mark.parametrize("role", ROLES)
def test_a_chain_that_was_deleted_is_found(role: str) -> None:
    kept = [row for row in ROWS if row.role != role]
    renumbered = rechained(kept, *ROLES)
    assert f"the chain {role} is gone: it should end at record {role}/{HEAD[role].seq}" in audit.verify_ledger(Held(kept, HEAD)).problems
    report = audit.verify_ledger(Held(renumbered, heads_of(renumbered)))
    assert any(f"anchors {role}/" in problem and f"the chain {role} has no record then" in problem for problem in report.problems)


def test_a_head_row_that_is_gone_is_found() -> None:
    heads = {role: head for role, head in HEAD.items() if role != "judge"}
    assert audit.verify_ledger(Held(ROWS, heads)).problems == (
        f"the chain judge ends at record judge/{HEAD['judge'].seq}, and its head is gone",
    )


def test_chains_that_were_written_anew_are_found_by_their_heads() -> None:
    anew = written(lambda _: 0)
    assert audit.verify(anew.chain(), origin=ORIGIN).whole
    assert not audit.verify(anew.chain(), origin=ORIGIN, head=HEAD).whole
    report = audit.verify_ledger(anew, signed=[HEAD["judge"]])
    assert report.problems == (f"the judge signed record judge/{HEAD['judge'].seq} with another hash than the chain has",)


def test_an_origin_that_was_changed_is_found() -> None:
    assert not audit.verify(ROWS, origin=f"another.0.{'0' * 64}").whole
    assert not audit.verify(ROWS, origin=f"memory.{len(ROWS)}.{ROWS[-1].hash}").whole
    for odd in ("", "x", "x.y.z"):
        with pytest.raises(Corrupt, match="origin was changed"):
            audit.verify(ROWS, origin=odd)


def test_a_forged_record_that_only_calls_itself_an_anchor_is_found() -> None:
    ledger = written()
    ledger.record(role="judge", event="anchored", subject="heads", body={"heads": 7}, at=NOW)
    (problem,) = audit.verify_ledger(ledger).problems
    assert problem == f"judge/{HEAD['judge'].seq + 1} is no anchor, though it says so"


def test_an_anchor_that_leaves_out_a_chain_is_found() -> None:
    ledger = written()
    ledger.record(role="judge", event="anchored", subject="heads", body={"heads": {}}, at=NOW)
    assert any("anchors no chain door" in problem for problem in audit.verify_ledger(ledger).problems)


def test_a_second_sink_that_was_changed_is_told_apart_from_the_ledger() -> None:
    changed = [*ROWS[:3], ROWS[3]._replace(body="{}"), *ROWS[4:]]
    assert audit.verify_ledger(LEDGER, sink=changed).problems == (f"second sink: record {ROWS[3].name} was changed",)


@settings(deadline=None)
@given(PLACES, st.integers(0, 1))
def test_a_second_sink_that_lost_or_repeats_a_line_is_found(place: int, copies: int) -> None:
    rows = [*ROWS[:place], *[ROWS[place]] * (2 * copies), *ROWS[place + 1 :]]
    behind = not copies and place == len(ROWS) - 1
    report = audit.verify_ledger(LEDGER, sink=rows)
    assert report.whole is behind
    assert all(problem.startswith("second sink") for problem in report.problems)


def test_a_second_sink_that_is_a_little_behind_is_no_alarm() -> None:
    assert audit.verify_ledger(LEDGER, sink=ROWS[:10]).whole


def test_records_that_come_during_the_pass_are_no_alarm() -> None:
    class Busy(MemoryLedger):
        def chain(self, start: int = 1, limit: int = 10_000, *, role: str = "") -> list[AuditRow]:
            found = super().chain(start, 5, role=role)
            if start < 12:
                self.record(role="judge", event="event", subject="", body={}, at=NOW)
            return found

    ledger = Busy()
    for _ in range(8):
        ledger.record(role="door", event="event", subject="", body={}, at=NOW)
    assert audit.verify_ledger(ledger).problems == ()


def test_problems_do_not_grow_without_end() -> None:
    rows = [row._replace(body="x") for row in written().chain() * 10]
    assert len(audit.verify(rows, origin=ORIGIN).problems) == audit.MOST_PROBLEMS
