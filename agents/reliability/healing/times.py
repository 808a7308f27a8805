"""How long healings took: to notice, to contain, to mend. From the stamps of episodes alone, so the same journal gives the same numbers.

Episodes that have not come so far count as longer than they have lasted (right-censored), instead of being left out: the quantiles are
those of Kaplan and Meier's curve (J. Am. Stat. Assoc. 53, 1958). One that lies beyond what was seen is None, never a guess.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from agents.reliability.healing.episode import Episode, Stage


class Lasting(NamedTuple):
    """One episode on one clock, in seconds. `reached` is False where it has not come to the end of that span."""

    seconds: float
    reached: bool


class Spread(NamedTuple):
    """`n` episodes, of which `open` have not come so far. Quantiles are in seconds."""

    n: int
    open: int
    median: float | None
    p90: float | None


class Times(NamedTuple):
    """From the fault to its detection, to the release of what was bound to the node, and to the verified recovery."""

    mttd: Spread
    mttm: Spread
    mttr: Spread


def times(episodes: Iterable[Episode], now: datetime) -> Times:
    """Of those that were no false alarm: what recovered by itself, or was left alone, healed nothing."""
    counted = [episode for episode in episodes if episode.at(Stage.CONFIRMED) and episode.stage not in (Stage.RECOVERED, Stage.HELD)]
    detected = [Lasting(_seconds(episode, episode.stamps[0].at), reached=True) for episode in counted]
    return Times(
        spread(detected),
        spread(_until(episode, Stage.RELEASED, now) for episode in counted),
        spread(_until(episode, Stage.HEALED, now) for episode in counted),
    )


def _until(episode: Episode, stage: Stage, now: datetime) -> Lasting:
    """An episode that went to a person goes on: it is not healed, and nobody knows for how long."""
    at = episode.at(stage)
    return Lasting(_seconds(episode, at or now), reached=at is not None)


def _seconds(episode: Episode, at: datetime) -> float:
    return max(0.0, (at - (episode.fault_at or episode.stamps[0].at)).total_seconds())


def spread(spans: Iterable[Lasting]) -> Spread:
    found = sorted(spans)
    return Spread(len(found), sum(not span.reached for span in found), _quantile(found, 0.5), _quantile(found, 0.9))


def _quantile(spans: list[Lasting], part: float) -> float | None:
    """The time by which so large a part is over, by the product-limit estimate; None where the curve does not come so far."""
    left = 1.0
    for seconds in sorted({span.seconds for span in spans if span.reached}):
        at_risk = sum(span.seconds >= seconds for span in spans)
        left *= 1 - sum(span == (seconds, True) for span in spans) / at_risk
        if 1 - left >= part - 1e-9:
            return seconds
    return None
