"""`python -m evals.judging`: the judge on worlds of the development seeds; with `--write`, on the held-out ones, into results and page."""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from core.policy.engine import builtin
from evals.judging import page, results
from evals.judging.results import DEVELOPMENT, HELD_OUT, Results
from evals.judging.trials import Row, tried
from evals.provenance import commit

PAGE = Path("docs/judge.md")


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.judging", description="The judge against what actions do in simulated worlds.")
    parser.add_argument("--worlds", type=int, default=6, help="how many of the development seeds")
    parser.add_argument("--jobs", type=int, default=2, help="worlds at the same time")
    parser.add_argument("--write", action="store_true", help="run the held-out seeds and write results and docs/judge.md")
    parser.add_argument("--page", action="store_true", help="only write docs/judge.md from the stored results")
    chosen = parser.parse_args(arguments)
    if not chosen.page:
        seeds = HELD_OUT if chosen.write else DEVELOPMENT[: chosen.worlds]
        found = _run(seeds, chosen.jobs)
        if not chosen.write:
            sys.stdout.write(page.text(found))
            return 0
        results.write(found)
    PAGE.write_text(page.text(results.read()), encoding="utf-8")
    return 0


def _run(seeds: range, jobs: int) -> Results:
    rows: list[Row] = []
    before = commit()
    with ProcessPoolExecutor(jobs) as pool:
        for seed, found in zip(seeds, pool.map(_world, seeds), strict=True):
            rows += found
            sys.stderr.write(f"world {seed}: {len(rows)} actions\n")
    return Results(
        date=datetime.now(UTC).date().isoformat(),
        commit=before,
        policy=builtin().digest,
        seeds=(seeds.start, seeds.stop),
        rows=tuple(rows),
    )


def _world(seed: int) -> list[Row]:
    return list(tried(seed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
