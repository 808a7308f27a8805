"""`python -m evals.assessing`: the assessor on labelled trajectories of the development seeds; with `--write`, of the held-out ones."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from evals.assessing import assessors, corpus, page, results, scoring
from evals.assessing.corpus import Base, Labelled
from evals.assessing.readers import READERS
from evals.assessing.results import Results
from evals.assessing.scoring import Assessor
from evals.provenance import commit

PAGE = Path("docs/assessing.md")


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.assessing", description="The assessor of finished runs against planted errors.")
    parser.add_argument("--simulate", action="store_true", help="live through the good runs anew and keep them")
    parser.add_argument("--write", action="store_true", help="score the held-out seeds into results and docs/assessing.md")
    parser.add_argument("--page", action="store_true", help="only write docs/assessing.md from the stored results")
    chosen = parser.parse_args(arguments)
    if chosen.simulate:
        corpus.keep(tuple(simulated()))
    if not chosen.page:
        found = run(corpus.HELD_OUT if chosen.write else corpus.DEVELOPMENT)
        if not chosen.write:
            sys.stdout.write(page.text(found))
            return 0
        results.write(found)
    PAGE.write_text(page.text(results.read()), encoding="utf-8")
    return 0


def simulated() -> Sequence[Base]:
    from evals.assessing import runs  # a simulator and all roles: only who simulates pays for them

    found = []
    for seeds, tables in ((corpus.DEVELOPMENT, corpus.FAULTS), (corpus.HELD_OUT, corpus.HELD_OUT_FAULTS)):
        for seed, faults in zip(seeds, tables, strict=True):
            for name, run in runs.good(seed, faults):
                found.append(Base(seed, name, run))
                sys.stderr.write(f"{seed} {name}\n")
    return found


def run(seeds: Sequence[int]) -> Results:
    cases = tuple(corpus.labelled(corpus.bases(), seeds))
    return Results(
        date=datetime.now(UTC).date().isoformat(),
        commit=commit(),
        seeds=tuple(seeds),
        rows=scoring.said(cases, assessors.by_code),
        models=_counted(cases, {name: assessors.with_model(reader) for name, reader in READERS.items()}),
        unchecked=_counted(cases, {name: assessors.unchecked(reader) for name, reader in READERS.items()}),
        others=_counted(cases, assessors.DEGENERATE),
    )


def _counted(cases: Sequence[Labelled], known: Mapping[str, Assessor]) -> dict[str, tuple[tuple[int, int], ...]]:
    scored = {name: scoring.score(scoring.said(cases, assessor)) for name, assessor in known.items()}
    return {name: tuple((share.found, share.total) for share in score) for name, score in scored.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
