"""The forecast on loads whose future is known."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from agents.scaling.forecasting import Forecast, forecast, history

NOW = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)  # a Monday
STEP = 900
Load = Callable[[datetime], float]


def lunch(at: datetime) -> float:
    """A peak at 13:00 on weekdays; two fifths of the load at weekends."""
    weekend = at.weekday() >= 5
    peak = 900 if at.hour == 13 and not weekend else 220 if 7 <= at.hour < 21 else 60
    return peak * (0.4 if weekend else 1.0)


def noisy(load: Load, seed: int, share: float) -> Load:
    def value(at: datetime) -> float:
        return load(at) * (1 + share * random.Random(f"{seed}/{at.isoformat()}").uniform(-1, 1))

    return value


def of(load: Load, now: datetime = NOW, days: int = 14, quantile: float = 0.9) -> Forecast | None:
    moments = [now - timedelta(seconds=index * STEP) for index in range(days * 86_400 // STEP, -1, -1)]
    past = history([at.timestamp() for at in moments], [load(at) for at in moments], now, STEP)
    return forecast(past, now, quantile) if past is not None else None


def value_at(found: Forecast, at: datetime, now: datetime = NOW) -> float:
    first = now + timedelta(seconds=STEP - now.timestamp() % STEP)
    return found.values[int((at - first).total_seconds()) // STEP]


@pytest.mark.parametrize("seed", range(5))
def test_a_weekday_peak_is_foreseen_at_its_hour_and_height(seed: int) -> None:
    found = of(noisy(lunch, seed, 0.03))
    assert found is not None
    assert found.trusted
    assert 880 <= value_at(found, NOW.replace(hour=13, minute=15)) <= 960
    assert value_at(found, NOW.replace(hour=12, minute=45)) < 240


def test_before_a_weekend_no_weekday_peak_is_foreseen() -> None:
    friday = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
    found = of(noisy(lunch, 1, 0.03), friday)
    assert found is not None
    assert value_at(found, datetime(2026, 11, 21, 13, 15, tzinfo=UTC), friday) < 120


def test_a_load_that_grows_by_a_tenth_a_week_is_foreseen_higher() -> None:
    def growing(at: datetime) -> float:
        return lunch(at) * 1.1 ** ((at - NOW).total_seconds() / (7 * 86_400))

    found = of(noisy(growing, 2, 0.02))
    assert found is not None
    assert value_at(found, NOW.replace(hour=13, minute=15)) > 880


@pytest.mark.parametrize("seed", range(5))
def test_a_load_without_any_pattern_is_not_trusted(seed: int) -> None:
    found = of(noisy(lambda _: 100.0, seed, 0.9))
    assert found is not None
    assert not found.trusted


def test_a_load_that_never_moves_is_not_trusted_because_nothing_was_learnt() -> None:
    found = of(lambda _: 100.0)
    assert found is not None
    assert not found.trusted


@pytest.mark.parametrize("days", [0, 3, 10])
def test_too_little_history_gives_no_forecast(days: int) -> None:
    assert of(lunch, days=days) is None


def test_a_gap_of_some_hours_is_bridged() -> None:
    moments = [NOW - timedelta(seconds=index * STEP) for index in range(14 * 96, -1, -1)]
    kept = [at for at in moments if not datetime(2026, 11, 16, 2, tzinfo=UTC) <= at < datetime(2026, 11, 16, 8, tzinfo=UTC)]
    past = history([at.timestamp() for at in kept], [lunch(at) for at in kept], NOW, STEP)
    assert past is not None
    assert value_at(forecast(past, NOW, 0.9), NOW.replace(hour=13, minute=15)) > 850


def test_the_horizon_runs_over_midnight() -> None:
    evening = datetime(2026, 11, 23, 23, 50, tzinfo=UTC)
    found = of(noisy(lunch, 3, 0.02), evening)
    assert found is not None
    assert len(found.values) == 96
    assert value_at(found, datetime(2026, 11, 24, 13, 15, tzinfo=UTC), evening) > 850
