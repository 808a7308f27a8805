"""Virtual time moves only when told, and ticks run in the order of time."""

from datetime import UTC, datetime, timedelta

import pytest

from simulator.clock import VirtualClock, parse, stamp

START = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)


def test_time_stands_until_it_is_advanced() -> None:
    clock = VirtualClock(START, rate=60)
    assert clock.now() == START
    clock.advance(1.5)
    assert clock.now() == START + timedelta(seconds=1.5)


def test_due_ticks_run_in_time_order_and_at_equal_times_in_order_of_registration() -> None:
    clock, seen = VirtualClock(START), list[tuple[str, float]]()
    clock.on_tick(lambda now: seen.append(("slow", (now - START).total_seconds())), 2)
    clock.on_tick(lambda now: seen.append(("fast", (now - START).total_seconds())), 1)
    clock.advance(4)
    assert seen == [("fast", 1), ("slow", 2), ("fast", 2), ("fast", 3), ("slow", 4), ("fast", 4)]


def test_one_long_step_equals_many_short_ones() -> None:
    counts = []
    for steps in ([60.0], [0.7] * 50 + [25.0]):
        clock, seen = VirtualClock(START), list[datetime]()
        clock.on_tick(seen.append, 5)
        for seconds in steps:
            clock.advance(seconds)
        counts.append(seen)
    assert counts[0] == counts[1]


def test_a_tick_may_not_advance_the_clock() -> None:
    clock = VirtualClock(START)
    clock.on_tick(lambda _now: clock.advance(1))
    with pytest.raises(RuntimeError, match="may not advance"):
        clock.advance(1)


def test_time_never_goes_back_and_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="never goes back"):
        VirtualClock(START).advance(-1)
    with pytest.raises(ValueError, match="time zone"):
        VirtualClock(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_stamp_can_be_read_back() -> None:
    assert parse(stamp(START)) == START
    with pytest.raises(ValueError, match="no time zone"):
        parse("2026-01-01T00:00:00")
