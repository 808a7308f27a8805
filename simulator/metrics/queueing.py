"""How much longer an answer takes because others wait before it, and who is never answered. Asked by the load model.

`queue` takes a pod as an M/M/c queue: requests come at random and wait for one of c servers. The mean wait is that of Sakasegawa (1977),

    wait / service = rho ** (sqrt(2 * (c + 1)) - 1) / (c * (1 - rho))

which has the two things that matter: nothing is waited for at low utilisation, and there is no bound as utilisation nears one. Callers give
up before that, and above one the queue sheds what nobody can get to. `knee` is gentler: see `LatencyModel`.
"""

from typing import NamedTuple

import numpy as np

from simulator.metrics.noise import Floats

FULL = 1 - 1e-9
"""From here on a queue has no steady state."""


class Waited(NamedTuple):
    """How many times as long answers take as without a queue, and the share of requests that is refused."""

    times: Floats
    refused: Floats


def queue(load: Floats, servers: int) -> Waited:
    """At utilisation `load` of so many servers."""
    rho = np.clip(load, 0.0, FULL)
    waited = rho ** (np.sqrt(2 * (servers + 1)) - 1) / (servers * (1 - rho))
    return Waited(np.asarray(np.where(load < FULL, 1 + waited, np.inf)), _over(load))


def knee(load: Floats) -> Waited:
    """Nothing below 70 %, a gentle rise up to full, then a queue that grows with what is too much, of which half is refused."""
    times = 1 + 0.6 * np.clip((load - 0.7) / 0.3, 0, 1) ** 2 + 12 * np.maximum(0, load - 1)
    return Waited(np.asarray(times), 0.5 * _over(load))


def _over(load: Floats) -> Floats:
    """The share of requests that are more than can be served."""
    return np.asarray(np.where(load > 1, 1 - 1 / np.maximum(load, 1), 0.0))
