"""Growing: what a pod costs when there are more of them: decoding, then all checks and planners, over 10,000 to 50,000 pods.

A figure that grows with the square shows here as a cost per pod that rises. Each size is looked at as by DETECT, its least of some rounds.
"""

import gc
import time
from typing import NamedTuple

from benchmarks import detecting, pods
from core.cluster import decoding

SIZES = (10_000, 20_000, 50_000)
ROUNDS = 2
GOAL = 1.5


class Cost(NamedTuple):
    """CPU-microseconds for each pod."""

    pods: int
    decoding: float
    detecting: float


def run() -> list[str]:
    """One line: the curve, and by how much a pod costs more at its end."""
    costs = [_cost(count) for count in SIZES]
    rise = max(costs[-1].decoding / costs[0].decoding, costs[-1].detecting / costs[0].detecting)
    curve = ", ".join(f"{cost.pods:,}: {cost.decoding:.0f} + {cost.detecting:.0f}" for cost in costs)
    word = "met" if rise <= GOAL else "short"
    return [f"GROWTH (CPU-microseconds a pod, decoding + detecting; {curve}): at most {rise:.2f} times, goal <= {GOAL:g}: {word}"]


def _cost(count: int) -> Cost:
    pages = detecting.pages(pods.encoded(count))
    began = time.process_time()
    decoded = [decoding.decode_page("Pod", page) for page in pages]
    decode = time.process_time() - began
    snapshot = detecting.around(decoded)
    del pages, decoded
    gc.collect()
    gc.freeze()
    try:
        detect = min(detecting.measured(snapshot)[0] for _ in range(ROUNDS))
    finally:
        gc.unfreeze()
    return Cost(count, decode / count * 1e6, detect / count * 1e6)
