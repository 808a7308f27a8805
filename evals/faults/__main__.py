"""`python -m evals.faults`: every fault of the library on simulated clusters. `--write` makes docs/faults.md."""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from evals.faults.trials import Row, quiet, tried
from simulator.faults.table import FAULTS


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.faults", description="Planted faults: found, explained, mended, nobody harmed.")
    parser.add_argument("--seeds", default="1", help="seeds, by commas")
    parser.add_argument("--only", default="", help="ids of faults, by commas; parts of ids count")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args(arguments)
    ids = [fault.id for fault in FAULTS if not chosen.only or any(part in fault.id for part in chosen.only.split(","))]
    for seed in map(int, chosen.seeds.split(",")):
        with ProcessPoolExecutor(chosen.jobs) as pool:
            for row in pool.map(_one, [seed] * len(ids), ids):
                sys.stdout.write(f"{row}\n")
                sys.stdout.flush()
        sys.stdout.write(f"quiet {quiet(seed)}\n")
    return 0


def _one(seed: int, name: str) -> Row:
    return next(tried(seed, [name]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
