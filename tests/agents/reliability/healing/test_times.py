"""Times from stamps, with what is unfinished counted as unfinished."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agents.reliability.healing.episode import Episode, Stage, Stamp
from agents.reliability.healing.times import Lasting, spread, times
from core.domain.target import Target

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def episode(**seconds: int) -> Episode:
    stamps = tuple(Stamp(stage=Stage(stage), at=NOON + timedelta(seconds=at)) for stage, at in seconds.items())
    node = Target(cluster="c-1", kind="Node", name="n1", uid="uid-n1")
    return Episode(id="heal-0001", node=node, pool="a", by="controller", fault_at=NOON, stamps=stamps)


def test_an_episode_is_timed_from_the_fault_that_the_node_itself_told() -> None:
    took = times([episode(suspected=130, confirmed=140, cordoned=170, fenced=200, released=230, replaced=240, healed=850)], NOON)
    assert (took.mttd.median, took.mttm.median, took.mttr.median) == (130, 230, 850)
    assert (took.mttr.n, took.mttr.open) == (1, 0)


def test_what_is_not_finished_counts_as_longer_and_is_not_left_out() -> None:
    """Two of three are healed: with the third left out, the median would be that of the quick ones."""
    found = [
        episode(suspected=10, confirmed=20, released=60, healed=600),
        episode(suspected=10, confirmed=20, released=80, healed=700),
        episode(suspected=10, confirmed=20, escalated=900),
    ]
    took = times(found, NOON + timedelta(hours=1))
    assert (took.mttr.n, took.mttr.open, took.mttr.median, took.mttr.p90) == (3, 1, 700, None)


def test_a_false_alarm_healed_nothing() -> None:
    took = times([episode(suspected=10, recovered=20), episode(suspected=10, confirmed=20, held=20)], NOON)
    assert (took.mttr.n, took.mttr.median) == (0, None)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=60))
def test_where_all_are_finished_the_median_is_the_lower_one_of_the_sorted_times(seconds: list[int]) -> None:
    found = spread(Lasting(float(each), reached=True) for each in seconds)
    assert found.median == sorted(seconds)[(len(seconds) - 1) // 2]
    assert found.p90 is not None
    assert sum(each <= found.p90 for each in seconds) >= 0.9 * len(seconds) - 1e-6


@given(st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, max_size=40), st.integers(0, 39))
def test_not_to_finish_never_makes_a_time_shorter(drawn: list[tuple[int, bool]], which: int) -> None:
    spans = [Lasting(float(seconds), reached) for seconds, reached in drawn]
    worse = [span._replace(reached=False) if number == which else span for number, span in enumerate(spans)]
    for better, other in ((spread(spans).median, spread(worse).median), (spread(spans).p90, spread(worse).p90)):
        assert other is None or (better is not None and other >= better)
