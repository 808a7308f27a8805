"""`python -m evals.faults`: every fault of the library on simulated clusters. `--write` makes docs/faults.md."""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from evals.faults import page, results
from evals.faults.results import SEEDS, Results
from evals.faults.trials import Row, quiet, tried
from evals.provenance import commit
from simulator.faults.table import FAULTS

PAGE = Path("docs/faults.md")


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.faults", description="Planted faults: found, explained, mended, nobody harmed.")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="of the grounds")
    parser.add_argument("--only", nargs="+", default=[], help="faults whose id contains one of these")
    parser.add_argument("--jobs", type=int, default=2, help="trials at the same time")
    parser.add_argument("--write", action="store_true", help="every fault on every ground, into results and docs/faults.md")
    parser.add_argument("--page", action="store_true", help="only write docs/faults.md from the stored results")
    chosen = parser.parse_args(arguments)
    if not chosen.page:
        found = run(chosen.seeds, [] if chosen.write else chosen.only, chosen.jobs)
        if not chosen.write:
            sys.stdout.write(page.text(found))
            return 0
        results.write(found)
    PAGE.write_text(page.text(results.read()), encoding="utf-8")
    return 0


def run(seeds: Sequence[int], only: Sequence[str], jobs: int) -> Results:
    """Each seed in a pool of its own: a worker lives through the ground once."""
    ids = [fault.id for fault in FAULTS if not only or any(part in fault.id for part in only)]
    rows: list[Row] = []
    told: list[str] = []
    before = commit()
    for seed in seeds:
        with ProcessPoolExecutor(jobs) as pool:
            for row in pool.map(_one, [seed] * len(ids), ids):
                rows.append(row)
                sys.stderr.write(f"{row.seed} {row.fault}: {row.first}{'' if row.right else ' (wrong)'} {' '.join(row.ended)}\n")
            told += pool.submit(quiet, seed).result()
    return Results(datetime.now(UTC).date().isoformat(), before, tuple(seeds), tuple(told), tuple(rows))


def _one(seed: int, name: str) -> Row:
    return next(tried(seed, [name]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
