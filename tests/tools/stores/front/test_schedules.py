"""The timetable's contract, on sqlite, on Postgres and on its twin."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.domain.report import Report
from core.domain.timetable import Pause, Put, Sending, Tick, TickState, Timetable
from tools.stores.front import opening
from tools.stores.front.schedules import MemoryTimetable, SqlTimetable
from tools.stores.opening import Database

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
T = TickState


def tick(number: int, schedule: str = "s", **other: Any) -> Tick:
    at = AT + timedelta(minutes=number)
    return Tick(schedule, at, other.pop("run_id", f"run-{schedule}{number}"), T.DUE, at)._replace(**other)


def report(number: int, **other: Any) -> Report:
    made = AT + timedelta(minutes=number)
    told = {"run": f"run-s{number}", "schedule": "s", "tick": made, "ended": "ended", "began_at": made, "made_at": made, "complete": True}
    return Report(**told | other)  # type: ignore[arg-type]


@pytest.fixture
def timetable(database: Database | None) -> Timetable:
    return SqlTimetable(database) if database else MemoryTimetable()


def test_a_tick_is_one_row_whoever_adds_it(timetable: Timetable) -> None:
    assert timetable.add([tick(1), tick(2)]) == 2
    assert timetable.add([tick(1), tick(2, run_id="run-another"), tick(3)]) == 1
    assert [item.run_id for item in timetable.recent("s")] == ["run-s3", "run-s2", "run-s1"]
    assert timetable.add([tick(1, run_id="run-asked", asked_by="local:jane")]) == 1


def test_a_schedule_is_known_from_its_first_look_or_its_last_tick_in_turn(timetable: Timetable) -> None:
    assert timetable.after("s", AT) == AT
    assert timetable.after("s", AT + timedelta(hours=1)) == AT
    timetable.add([tick(5), tick(9, asked_by="local:jane")])
    assert timetable.after("s", AT + timedelta(hours=1)) == AT + timedelta(minutes=5)


def test_what_was_passed_over_is_not_looked_at_again(timetable: Timetable) -> None:
    timetable.after("s", AT)
    timetable.pass_over("s", AT + timedelta(minutes=30))
    timetable.pass_over("s", AT + timedelta(minutes=10))
    timetable.pass_over("new", AT)
    assert timetable.after("s", AT) == AT + timedelta(minutes=30)
    assert timetable.after("new", AT + timedelta(hours=1)) == AT


def test_one_tick_of_a_schedule_runs_at_a_time(timetable: Timetable) -> None:
    timetable.add([tick(1), tick(2), tick(1, "other")])
    assert timetable.begin("run-s1", AT)
    assert not timetable.begin("run-s1", AT)
    assert not timetable.begin("run-s2", AT)
    assert not timetable.begin("run-s9", AT)
    assert timetable.begin("run-other1", AT)
    assert timetable.move("run-s1", expected=T.RUNNING, to=T.ENDED, at=AT, note="well")
    assert not timetable.move("run-s1", expected=T.RUNNING, to=T.FAILED, at=AT)
    assert timetable.begin("run-s2", AT)
    assert [(item.run_id, item.state) for item in timetable.standing(T.RUNNING)] == [("run-other1", T.RUNNING), ("run-s2", T.RUNNING)]
    found = timetable.get("run-s1")
    assert found is not None
    assert (found.state, found.note) == (T.ENDED, "well")


def test_pauses_and_puts_are_kept_until_they_are_taken_away(timetable: Timetable) -> None:
    assert timetable.pause(Pause("s", "local:jane", "the shop moves", AT))
    assert not timetable.pause(Pause("s", "local:bo", "me too", AT))
    assert timetable.pauses() == [Pause("s", "local:jane", "the shop moves", AT)]
    assert (timetable.resume("s"), timetable.resume("s"), timetable.pauses()) == (True, False, [])
    timetable.put(Put("s", "first", "local:jane", AT))
    timetable.put(Put("s", "second", "local:bo", AT))
    assert timetable.puts() == [Put("s", "second", "local:bo", AT)]
    assert (timetable.remove("s"), timetable.remove("s"), timetable.puts()) == (True, False, [])


def test_a_report_is_made_again_and_its_sending_stays(timetable: Timetable) -> None:
    timetable.report(report(1, complete=False))
    timetable.report(report(2))
    assert [item.run for item in timetable.unfinished()] == ["run-s1"]
    assert timetable.send("run-s1", expected=Sending.UNSENT, to=Sending.CLAIMED)
    assert not timetable.send("run-s1", expected=Sending.UNSENT, to=Sending.CLAIMED)
    timetable.report(report(1, writes=3))
    assert (timetable.sending("run-s1"), timetable.sending("run-s2")) == (Sending.CLAIMED, Sending.UNSENT)
    assert timetable.report_of("run-s1") == report(1, writes=3)
    assert timetable.unfinished() == []
    assert [item.run for item in timetable.reports()] == ["run-s2", "run-s1"]
    assert [item.run for item in timetable.reports(since=AT + timedelta(minutes=2))] == ["run-s2"]
    assert timetable.reports(schedule="other") == []
    assert not timetable.send("run-s9", expected=Sending.UNSENT, to=Sending.CLAIMED)


def test_two_processes_see_one_timetable(front_url: str) -> None:
    databases = [opening.opened(front_url) for _ in range(2)]
    first, second = (SqlTimetable(database) for database in databases)
    begun: list[Callable[[], bool]] = [lambda: first.begin("run-s1", AT), lambda: second.begin("run-s1", AT)]
    first.add([tick(1)])
    assert [begin() for begin in begun] == [True, False]
    for database in databases:
        database.close()
