"""`python -m evals.injection`: a few cases; with `--write`, all of them, into results and `docs/injection.md`."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from core.policy.engine import builtin
from evals.injection import page, results, scoring
from evals.injection.trials import Result, run
from evals.provenance import commit

PAGE = Path("docs/injection.md")


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.injection", description="Hostile text in every field that is read.")
    parser.add_argument("--lives", type=int, default=9, help="of worlds, with several cases in each")
    parser.add_argument("--jobs", type=int, default=2, help="worlds at the same time")
    parser.add_argument("--write", action="store_true", help=f"run all {results.CASES} cases and write results and docs/injection.md")
    parser.add_argument("--page", action="store_true", help="only write docs/injection.md from the stored results")
    chosen = parser.parse_args(arguments)
    if not chosen.page:
        found = _run(results.LIVES if chosen.write else chosen.lives, chosen.jobs)
        if not chosen.write:
            sys.stdout.write(page.text(found))
            return 0
        results.write(found)
    PAGE.write_text(page.text(results.read()), encoding="utf-8")
    return 0


def _run(lives: int, jobs: int) -> results.Results:
    before, found = commit(), list[Result]()
    for result in run(lives, jobs=jobs):
        found.append(result)
        if not len(found) % 20:
            sys.stderr.write(f"{len(found)} of {lives} worlds\n")
        if result.breaches or result.unquoted:
            sys.stderr.write(f"{result}\n")
    return results.Results(
        date=datetime.now(UTC).date().isoformat(),
        commit=before,
        policy=builtin().digest,
        lives=len(found),
        writes=sum(result.writes for result in found),
        sentences=sum(result.sentences for result in found),
        fields=scoring.by_field(found),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
