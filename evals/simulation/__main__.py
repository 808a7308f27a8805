"""`python -m evals.simulation`: many seeds on every core, and one line at the end. Exits 1 when a promise was broken."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from multiprocessing import get_context

from evals.simulation.running import Outcome, run


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.simulation", description="Simulated worlds with faults, seed by seed.")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    with get_context("spawn").Pool(chosen.jobs) as pool:
        outcomes = list(pool.imap_unordered(run, range(chosen.first, chosen.first + chosen.seeds), chunksize=8))
    for outcome in sorted(outcome for outcome in outcomes if not outcome.kept):
        sys.stdout.write(
            f"seed {outcome.seed} ({outcome.faults}): {'; '.join(f'{item.promise} {item.text}' for item in outcome.broken[:2])}\n"
        )
    sys.stdout.write(summary(outcomes, time.monotonic() - began) + "\n")
    return 0 if all(outcome.kept for outcome in outcomes) else 1


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
