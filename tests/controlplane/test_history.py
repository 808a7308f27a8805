from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.controlplane.history import Past, Usage, instants, lines, rendered

NOON = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)


def past(cpu_cores: float = 0.2, swing: float = 0.0, days: float = 1) -> Past:
    return Past({"pod": "a"}, Usage(cpu_cores, 1024, swing), instants(NOON, days, 60))


def samples(text: list[str], name: str) -> list[tuple[int, float]]:
    rows = [line.split(" ") for line in text if line.startswith(name + "{")]
    return [(int(at), float(value)) for _, value, at in rows]


def test_the_last_sample_is_at_the_end_and_the_first_as_long_before_as_asked() -> None:
    times = instants(NOON, 8, 60)
    assert times[-1] == NOON.timestamp()
    assert times[0] == (NOON - timedelta(days=8)).timestamp()


def test_the_counter_rises_by_the_cores_used() -> None:
    rows = samples(list(lines([past(cpu_cores=0.2)])), "container_cpu_usage_seconds_total")
    assert {round((after - before) / (later - at), 6) for (at, before), (later, after) in pairwise(rows)} == {0.2}


def test_usage_swings_around_its_mean_over_a_day() -> None:
    rows = samples(list(lines([past(cpu_cores=1.0, swing=0.5)])), "container_cpu_usage_seconds_total")
    rates = [(after - before) / 60 for (_, before), (_, after) in pairwise(rows)]
    assert min(rates) == pytest.approx(0.5, abs=0.01)
    assert max(rates) == pytest.approx(1.5, abs=0.01)
    assert sum(rates) / len(rates) == pytest.approx(1.0, abs=0.01)


def test_each_family_is_in_one_piece_and_the_text_ends() -> None:
    text = list(lines([past(), Past({"pod": "b"}, Usage(1, 1), instants(NOON, 0.01, 60))]))
    families = [line for line in text if line.startswith("# TYPE")]
    assert len(families) == len(set(families)) == 4
    assert text[-1] == "# EOF\n"
    assert not any("_total counter" in line for line in families), "a counter's family is named without it"


def test_labels_are_escaped_and_empty_ones_left_out() -> None:
    assert rendered({"b": 'x"\\\n', "a": "", "c": "y"}) == '{b="x\\"\\\\\\n",c="y"}'
