"""`python -m evals.reporting`: docs/scoreboard.md from stored results; with `--run` all cases and baselines are lived through first."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from evals.cases import reading
from evals.cases.case import Case
from evals.contestants.table import CONTESTANTS
from evals.provenance import commit
from evals.reporting import scoreboard
from evals.running import pool
from evals.running.trial import Trial
from evals.scoring import results
from evals.scoring.results import Repeated, Results

PAGE = Path("docs/scoreboard.md")
KEPT = Path(".cache/evals")


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m evals.reporting", description="docs/scoreboard.md, and the results that it is made of."
    )
    parser.add_argument("--run", action="store_true", help="live through every case, and its quick half as every baseline, first")
    parser.add_argument("--seeds", type=int, default=0, help="of each case; 0: all")
    parser.add_argument("--jobs", type=int, default=2, help="trials at the same time")
    parser.add_argument("--suite", default="", help="live through this one alone, and put it into the stored results")
    parser.add_argument("--repeat", type=int, default=0, help="live through the quick suite so many times: is it the same each time?")
    parser.add_argument("--quick", action="store_true", help="only the quick suite")
    chosen = parser.parse_args(arguments)
    if chosen.suite:
        newer = ran(quick=chosen.quick, seeds=chosen.seeds, jobs=chosen.jobs, suites=(chosen.suite,))
        results.write(results.read(results.STORED).renewed(chosen.suite, newer), results.STORED)
    elif chosen.run:
        results.write(ran(quick=chosen.quick, seeds=chosen.seeds, jobs=chosen.jobs), results.STORED)
    if chosen.repeat:
        results.write(results.read(results.STORED)._replace(repeated=again(chosen.repeat, jobs=chosen.jobs)), results.STORED)
    PAGE.write_text(scoreboard.text(results.read(results.STORED)), encoding="utf-8")
    return 0


def ran(*, quick: bool, seeds: int, jobs: int, suites: Sequence[str] = ()) -> Results:
    """The product on all of them, the baselines on those of the quick suite that something must be mended or saved in, and on every seed of
    those with schedules."""
    before, every = commit(), reading.read()
    own = reading.chosen(every, quick=quick, seeds=seeds, suites=suites)
    shared = [case for case in reading.chosen(every, quick=True, seeds=1, suites=suites) if is_shared(case)]
    shared += [case for case in own if case.schedules]
    others = [name for name in CONTESTANTS if name != "day2ops"]
    wanted = [*pool.tasks(own, ["day2ops"]), *pool.tasks(shared, others)]
    trials = pool.run(wanted, jobs=jobs, kept=KEPT, told=told)
    return Results(datetime.now(UTC).date().isoformat(), before, pool.code(), trials)


def again(times: int, *, jobs: int) -> Repeated:
    """The quick suite as the product, so many times, without what was kept."""
    before, wanted = commit(), pool.tasks(reading.chosen(reading.read(), quick=True), ["day2ops"])
    rounds = [pool.run(wanted, jobs=jobs, told=told) for _ in range(times)]
    return results.repeated(rounds, datetime.now(UTC).date().isoformat(), before)


def is_shared(case: Case) -> bool:
    """Whether it says something of who neither tells what he found nor can be asked for an action."""
    return case.acts != "never" and (case.expect.well or bool(case.expect.gives_back) or case.expect.silent)


def told(trial: Trial, cached: bool) -> None:
    state = "passed" if trial.passed else f"fell short: {'; '.join(trial.misses)[:200]}"
    sys.stderr.write(f"{trial.name} {trial.contestant}{' (kept)' if cached else ''} {state}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
