"""`python -m evals.assessing`: the assessor on labelled trajectories of the development seeds; with `--write`, of the held-out ones."""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from core.assessing import opinions
from core.assessing.opinions import Opinion
from core.domain.request import RunBudget
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
    parser.add_argument("--ask", type=int, default=0, metavar="N", help="ask the model of the settings about N runs; nothing is written")
    chosen = parser.parse_args(arguments)
    if chosen.ask:
        return ask(chosen.ask)
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


def ask(most: int) -> int:
    """The held-out runs, evenly spread, with and without the model of the settings. Returns 1 where it may not be used."""
    every = tuple(corpus.labelled(corpus.bases(), corpus.HELD_OUT))
    cases = every[:: max(1, len(every) // most)][:most]
    said = asyncio.run(_asked(cases))
    alone = scoring.score(scoring.said(cases, assessors.by_code))
    known = {id(case): opinion for case, opinion in zip(cases, said, strict=True)}
    joined = scoring.score(scoring.said(cases, lambda case: assessors.heard(case, known[id(case)])))
    aside = sum(bool(opinions.heard(case.run, assessors.by_code(case), known[id(case)]).aside) for case in cases)
    for without, share in zip(alone, joined, strict=True):
        sys.stdout.write(f"{share.name}: {share.found} of {share.total}, without the model {without.found}\n")
    used = scoring.useful(joined, alone)
    sys.stdout.write(f"answers left aside: {aside} of {len(cases)}; may be used: {'yes' if used else 'no'}\n")
    return 0 if used else 1


async def _asked(cases: Sequence[Labelled]) -> Sequence[Opinion]:
    from runtime import settings
    from runtime.roles import modelling

    found = settings.load({}).settings
    budget = RunBudget(tokens=len(cases) * 8000, model_calls=len(cases), seconds=len(cases) * 60, micro_usd=10**9)
    async with modelling.available(found, budget) as (model, without):
        if model is None:
            raise SystemExit(f"no model is asked: {without}")
        return await assessors.asked(cases, model)


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
