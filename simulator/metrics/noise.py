"""Noise that is a function: the same seed, series and time give the same value, whoever asks and how often."""

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


def series_seed(seed: int, *names: str) -> int:
    """A number for one series of one world."""
    return int.from_bytes(sha256("/".join((str(seed), *names)).encode()).digest()[:8], "big")


def smooth(seed: int, times: Floats, period_seconds: float) -> Floats:
    """Values in -1..1 that move over about a period, straight between one draw per period."""
    position = times / period_seconds
    bucket = np.floor(position)
    share = position - bucket
    numbers = bucket.astype(np.int64)
    return _draw(seed, numbers) * (1 - share) + _draw(seed, numbers + 1) * share


def _draw(seed: int, numbers: NDArray[np.int64]) -> Floats:
    """splitmix64 of (seed, number), as -1..1. Wrap-around is meant."""
    with np.errstate(over="ignore"):
        mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed & (2**64 - 1))
        mixed = (mixed ^ (mixed >> _SHIFTS[0])) * _MIX_1
        mixed = (mixed ^ (mixed >> _SHIFTS[1])) * _MIX_2
        mixed ^= mixed >> _SHIFTS[2]
    return mixed.astype(np.float64) / 2.0**63 - 1.0
