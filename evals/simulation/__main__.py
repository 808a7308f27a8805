"""`python -m evals.simulation`: many seeds on every core, and one line at the end. Exits 1 when a promise was broken.

Behind `make sim`. A seed that broke one is told with the command that lives through it again.
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Sequence
from multiprocessing import get_context

from evals.simulation.running import Outcome, run, settled


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.simulation", description="Simulated worlds with faults, seed by seed.")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    with get_context("spawn").Pool(chosen.jobs, settled) as pool:
        outcomes = list(pool.imap_unordered(run, range(chosen.first, chosen.first + chosen.seeds), chunksize=8))
        pool.close()
        pool.join()
    for outcome in sorted(outcome for outcome in outcomes if not outcome.kept):
        sys.stdout.write(told(outcome))
    sys.stdout.write(summary(outcomes, time.monotonic() - began) + f"; {_cpu() / len(outcomes):.2f} CPU-seconds a world\n")
    return 0 if all(outcome.kept for outcome in outcomes) else 1


def told(outcome: Outcome) -> str:
    """What a world broke, and the command that lives through it again."""
    broken = "; ".join(f"{item.promise} {item.text}" for item in outcome.broken[:2])
    return f"seed {outcome.seed} ({outcome.faults}): {broken}\n  again, step by step: day2 sim --seed {outcome.seed} --steps\n"


def _cpu() -> float:
    """CPU-seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """How much was lived through: worlds, virtual hours, writes, how actions ended."""
    ends: dict[str, int] = {}
    for outcome in outcomes:
        for state, count in outcome.ends.items():
            ends[state] = ends.get(state, 0) + count
    hours = sum(outcome.seconds for outcome in outcomes) / 3600
    told = ", ".join(f"{count} {state}" for state, count in sorted(ends.items(), key=lambda item: -item[1]))
    broken = sum(not outcome.kept for outcome in outcomes)
    writes = sum(outcome.effects for outcome in outcomes)
    return f"{len(outcomes)} worlds in {seconds:.0f} s: {hours:.0f} virtual hours, {writes} writes, {told}; {broken} broke a promise"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
