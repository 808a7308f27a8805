"""How many requests per second reach a workload: the shape of its days, and nothing of the cluster."""

import numpy as np

from simulator.metrics.noise import Floats, series_seed, smooth
from simulator.worlds.world import Peak, Traffic

_DAY = 86_400.0
_EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday (Monday is 0)."""
_MORNING, _EVENING, _TURN = 6.0, 20.0, 3.0
"""The plateau begins to rise at 6:00 and to fall at 20:00, each over three hours (UTC)."""


def requests_per_second(traffic: Traffic, seed: int, name: str, times: Floats) -> Floats:
    """Demand at Unix seconds `times`, never negative."""
    of_day = np.mod(times, _DAY) / 3600.0
    weekend = np.mod(np.floor(times / _DAY) + _EPOCH_WEEKDAY, 7) >= 5
    night = traffic.base_rps * 0.4 if traffic.night_rps is None else traffic.night_rps
    by_day = _step((of_day - _MORNING) / _TURN) * (1 - _step((of_day - _EVENING) / _TURN))
    level = night + (traffic.base_rps - night) * by_day
    for peak in traffic.peaks:
        height = _peak(peak, of_day)
        level = level + np.maximum(0, peak.rps - level) * (np.where(weekend, 0.0, height) if peak.weekdays_only else height)
    level = level * np.where(weekend, traffic.weekend_factor, 1.0)
    wobble = smooth(series_seed(seed, name, "demand"), times, 300.0)
    return np.asarray(np.maximum(0.0, level * (1 + traffic.noise * wobble)))


def _peak(peak: Peak, of_day: Floats) -> Floats:
    """0..1: full at the peak's time, after a rise, until the end of its hold, then a fall."""
    hours, minutes = peak.at.split(":")
    since = (of_day - int(hours) - int(minutes) / 60.0) * 60.0
    rise = _step((since + peak.rise_minutes) / peak.rise_minutes)
    fall = _step((since - peak.hold_minutes) / peak.fall_minutes)
    return np.asarray(rise * (1 - fall))


def _step(share: Floats) -> Floats:
    """A smooth step from 0 to 1."""
    clipped = np.clip(share, 0.0, 1.0)
    return np.asarray(clipped * clipped * (3 - 2 * clipped))
