"""Listing: 10,000 pods (82 MB) from a local HTTP server into objects, our reader against the official client's list.

Each side runs in a process of its own; only its listing counts, not its imports. Both must give the same fields of the same pods.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

PODS = 10_000
GOAL_RATIO = 15
GOAL_MIB = 150
OUR_ROUNDS = 3


class Cost(NamedTuple):
    """What one listing took."""

    cpu: float
    wall: float
    peak_mib: float
    count: int
    digest: str


def run(count: int = PODS) -> list[str]:
    """Two lines: CPU and memory. About 40 seconds, nearly all of it the other side's."""
    with served(count) as (url, size):
        our = [cost("ours", url) for _ in range(OUR_ROUNDS)]
        their = cost("theirs", url)
    if {(item.count, item.digest) for item in our} != {(their.count, their.digest)} or their.count != count:
        raise AssertionError(f"the two sides do not return the same pods: {our[0]} and {their}")
    cpu, peak = statistics.median(item.cpu for item in our), max(item.peak_mib for item in our)
    what = f"{count:,} pods, {size / 1e6:.0f} MB"
    return [
        line(f"LIST_DECODE ({what}, CPU-seconds)", cpu, their.cpu, f">= {GOAL_RATIO} times", their.cpu >= GOAL_RATIO * cpu),
        line(f"LIST_DECODE_RESIDENT ({what}, MiB at the peak)", peak, their.peak_mib, f"<= {GOAL_MIB}", peak <= GOAL_MIB),
    ]


def line(name: str, ours: float, theirs: float, goal: str, met: bool) -> str:
    return f"{name}: ours {ours:.3g}, theirs {theirs:.4g}, ratio {theirs / ours:.1f}, goal {goal}: {'met' if met else 'short'}"


def cost(side: str, url: str) -> Cost:
    """Raises CalledProcessError when the side fails."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.list_client", side, url], check=True, capture_output=True, text=True)
    return Cost(**json.loads(done.stdout))


@contextmanager
def served(count: int) -> Iterator[tuple[str, int]]:
    """The URL of a server of so many pods, and the size of their JSON in bytes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.list_server", str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port, size = process.stdout.readline().split()
        yield f"http://127.0.0.1:{port}", int(size)
    finally:
        process.communicate()
