"""When a schedule is due: every tick once, never two for one, through summer time, ends of months and clocks that jump."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.policy import ticks
from core.policy.schedules import Schedule, Window, Windows
from core.policy.ticks import MOST, ON_TIME, due

BERLIN = ZoneInfo("Europe/Berlin")
MINUTES = st.sampled_from(["0", "30", "*/15", "7,37", "59"])
HOURS = st.sampled_from(["*", "2", "3", "1-3", "*/6", "0", "23"])
DAYS = st.sampled_from(["*", "1", "31", "L", "29", "28-31"])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago"])
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC, microsecond=0))  # noqa: DTZ001


def schedule(**said: Any) -> Schedule:
    when = {} if "cron" in said else {"every_seconds": 900}
    return Schedule(name=said.pop("name", "s"), **when | said)


@st.composite
def crons(draw: st.DrawFn) -> Schedule:
    dow = draw(st.sampled_from(["*", "1-5", "0", "MON#1", "5L"]))
    cron = f"{draw(MINUTES)} {draw(HOURS)} {draw(DAYS)} * {dow}"
    return schedule(cron=cron, zone=draw(ZONES), jitter_seconds=draw(st.sampled_from([0, 0, 60, 3600])), catch_up="all")


def local(moments: list[datetime]) -> list[str]:
    return [moment.astimezone(BERLIN).strftime("%m-%d %H:%M%z") for moment in moments]


def test_a_tick_in_a_gap_runs_once_at_its_end() -> None:
    found = ticks.upcoming(schedule(cron="30 2 * * *", zone="Europe/Berlin"), datetime(2026, 3, 28, tzinfo=UTC), 3)
    assert local(found) == ["03-28 02:30+0100", "03-29 03:00+0200", "03-30 02:30+0200"]


def test_a_tick_that_the_clock_shows_twice_runs_once() -> None:
    found = ticks.upcoming(schedule(cron="30 2 * * *", zone="Europe/Berlin"), datetime(2026, 10, 24, tzinfo=UTC), 3)
    assert local(found) == ["10-24 02:30+0200", "10-25 02:30+0200", "10-26 02:30+0100"]


def test_two_ticks_of_one_gap_are_one() -> None:
    found = ticks.upcoming(schedule(cron="10,30,50 2 * * *", zone="Europe/Berlin"), datetime(2026, 3, 29, tzinfo=UTC), 2)
    assert local(found) == ["03-29 03:00+0200", "03-30 02:10+0200"]


def test_what_counts_distances_goes_on_evenly_through_both_nights() -> None:
    for night in (datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)):
        found = ticks.upcoming(schedule(cron="*/30 * * * *", zone="Europe/Berlin"), night, 12)
        assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(minutes=30)}


def test_the_last_day_of_each_month_is_found() -> None:
    found = ticks.upcoming(schedule(cron="0 6 L * *"), datetime(2027, 12, 1, tzinfo=UTC), 4)
    assert [f"{tick:%m-%d}" for tick in found] == ["12-31", "01-31", "02-29", "03-31"]


@settings(deadline=None)
@given(crons(), MOMENTS)
def test_looking_back_finds_what_looking_ahead_found(found: Schedule, start: datetime) -> None:
    ahead = list(islice(ticks.forwards(found, start), 12))
    back = list(takewhile(lambda tick: tick > start, ticks.backwards(found, ahead[-1])))
    assert back[::-1] == ahead


@settings(deadline=None)
@given(crons(), MOMENTS, st.lists(st.integers(-7200, 40_000), min_size=1, max_size=40))
def test_however_the_clock_goes_each_tick_is_dealt_with_once(found: Schedule, start: datetime, jumps: list[int]) -> None:
    after, now, furthest, ran, missed = start, start, start, [], []
    gone_by = False
    for jump in jumps:
        now = now + timedelta(seconds=jump)
        furthest = max(furthest, now)
        answer = due(found, after, now)
        gone_by = gone_by or answer.unseen
        ran += answer.run
        missed += answer.missed
        after = answer.last or after
    dealt = ran + missed
    assert len(dealt) == len(set(dealt))
    assert dealt == sorted(dealt) or missed  # in order, besides those that a burst left out
    wanted = list(takewhile(lambda tick: tick + ticks.jitter(found, tick) <= furthest, ticks.forwards(found, start)))
    if not gone_by:
        assert sorted(dealt) == wanted


@settings(deadline=None)
@given(crons(), MOMENTS)
def test_no_tick_is_due_before_its_time(found: Schedule, start: datetime) -> None:
    answer = due(found, start - timedelta(days=3), start)
    assert all(tick + ticks.jitter(found, tick) <= start for tick in answer.run + answer.missed)


def test_jitter_is_the_same_wherever_it_is_computed_and_differs_between_schedules() -> None:
    start = datetime(2026, 5, 4, tzinfo=UTC)
    one, other = (schedule(name=name, jitter_seconds=600) for name in ("one", "other"))
    drawn = [ticks.jitter(one, start + timedelta(minutes=15 * number)).total_seconds() for number in range(200)]
    assert drawn == [ticks.jitter(one, start + timedelta(minutes=15 * number)).total_seconds() for number in range(200)]
    assert 0 <= min(drawn) < 60
    assert 540 < max(drawn) <= 600
    assert drawn[0] != ticks.jitter(other, start).total_seconds()


@pytest.mark.parametrize(("catch_up", "ran"), [("none", 0), ("last", 1), ("all", MOST)])
def test_after_a_long_absence_no_more_is_caught_up_than_was_said(catch_up: str, ran: int) -> None:
    start = datetime(2026, 5, 4, tzinfo=UTC)
    answer = due(schedule(catch_up=catch_up), start, start + timedelta(days=30, minutes=7))
    assert len(answer.run) == ran
    assert answer.unseen
    assert answer.last == start + timedelta(days=30)
    assert due(schedule(catch_up=catch_up), answer.last, start + timedelta(days=30, minutes=7)) == ticks.Due()


def test_a_tick_a_few_minutes_late_is_none_that_was_missed() -> None:
    start = datetime(2026, 5, 4, tzinfo=UTC)
    late = due(schedule(catch_up="none"), start, start + timedelta(minutes=15) + ON_TIME)
    assert (len(late.run), late.missed) == (1, ())
    later = due(schedule(catch_up="none"), start, start + timedelta(minutes=15, seconds=1) + ON_TIME)
    assert (later.run, len(later.missed)) == ((), 1)


def test_a_tick_is_one_run_and_another_tick_another() -> None:
    at = datetime(2026, 5, 4, tzinfo=UTC)
    assert ticks.run_id("s", at) == ticks.run_id("s", at.astimezone(BERLIN))
    others = {ticks.run_id("t", at), ticks.run_id("s", at + timedelta(minutes=1)), ticks.run_id("s", at, asked="local:jane")}
    assert len(others | {ticks.run_id("s", at)}) == 4


def windows(*found: Window) -> Schedule:
    return schedule(zone="Europe/Berlin", windows=Windows(write=found))


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    found = windows(Window(days=("fri",), begins="22:00", ends="05:00"))
    friday = datetime(2026, 5, 8, 21, 59, tzinfo=BERLIN)
    until = datetime(2026, 5, 9, 5, tzinfo=BERLIN)
    assert ticks.open_until(found.windows.write, found, friday) is None
    for inside in (friday + timedelta(minutes=1), until - timedelta(seconds=1)):
        assert ticks.open_until(found.windows.write, found, inside) == until
    assert ticks.open_until(found.windows.write, found, until) is None
    assert ticks.open_until(found.windows.write, found, friday - timedelta(days=1)) is None


def test_windows_that_follow_on_each_other_are_one() -> None:
    found = windows(Window(begins="20:00", ends="24:00"), Window(begins="00:00", ends="06:00"))
    now = datetime(2026, 5, 8, 20, tzinfo=BERLIN)
    assert ticks.open_until(found.windows.write, found, now) == datetime(2026, 5, 9, 6, tzinfo=BERLIN)


@settings(deadline=None)
@given(MOMENTS, ZONES)
def test_a_window_of_all_day_is_never_shut_and_its_end_is_always_ahead(now: datetime, zone: str) -> None:
    found = schedule(zone=zone, windows=Windows(write=(Window(begins="00:00", ends="24:00"),)))
    until = ticks.open_until(found.windows.write, found, now)
    assert until is not None
    assert until > now + timedelta(days=7)


@settings(deadline=None)
@given(MOMENTS, ZONES, st.integers(0, 23), st.integers(0, 23))
def test_a_window_that_is_open_now_is_open_up_to_its_end_and_not_then(now: datetime, zone: str, begins: int, ends: int) -> None:
    if begins == ends:
        return
    found = schedule(zone=zone, windows=Windows(write=(Window(days=("mon", "thu"), begins=f"{begins:02}:00", ends=f"{ends:02}:00"),)))
    until = ticks.open_until(found.windows.write, found, now)
    if until is not None:
        assert until > now
        assert ticks.open_until(found.windows.write, found, until - timedelta(seconds=1)) == until
        assert ticks.open_until(found.windows.write, found, until) is None
