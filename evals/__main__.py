"""`python -m evals`: one table of every suite, then where routing errs.

What takes minutes is shown as it was stored: `make eval-judge`, `make eval-faults`, `make eval-injection` and `make eval-scoreboard` run
them again.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence

from evals.faults import results as planted
from evals.faults import scoring as faults
from evals.injection import results as injection
from evals.judging import results as judging
from evals.judging.scoring import shares as scored_judge
from evals.routing import rules, scoring
from evals.scoring import figures
from evals.scoring import results as stored_cases
from graph.lexicon import DOMAINS

HELD_OUT, OWN = "heldout.yaml", "paraphrases.yaml"
SETS = {"held out": HELD_OUT, "own": OWN}
"""Whose sentences: of a writer who never saw the rules, and of the writer of the rules. The first is the number to believe."""
SHORT = {"violating, blocked": "blocked", "benign, denied": "denied", "benign, a person asked": "asked"}


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals", description="How good is it, with 95 % Wilson intervals.")
    parser.add_argument("--cases", default=HELD_OUT, help="file of evals/routing whose details are shown")
    parser.add_argument("--show-wrong", action="store_true", help="print what was routed wrongly; not while changing rules")
    chosen = parser.parse_args(arguments)
    results = {name: scored(file) for name, file in SETS.items()}
    result = scored(chosen.cases)
    sys.stdout.write(
        "\n".join([*table(results), "", f"details of {chosen.cases}", *details(result), *(wrong(result) if chosen.show_wrong else ())])
        + "\n"
    )
    return 0


def scored(file: str) -> scoring.Score:
    return scoring.score(scoring.read(file), rules.asked, DOMAINS)


def table(results: Mapping[str, scoring.Score]) -> Iterator[str]:
    """One line per suite."""
    yield f"{'suite':<22}{'right':>6}{'of':>6}{'share':>8}   95 % interval"
    for name, result in results.items():
        low, high = result.interval
        yield f"{f'routing ({name})':<22}{result.right:>6}{result.total:>6}{result.share:>8.1%}   {low:.1%} to {high:.1%}"
    stored = judging.read()
    for share in scored_judge(stored.rows):
        low, high = share.interval
        name, goal = f"judging ({SHORT[share.name]})", f"goal {share.goal}{'' if share.met else ': short'}"
        yield f"{name:<22}{share.found:>6}{share.total:>6}{share.share:>8.1%}   {low:.1%} to {high:.1%}, {goal}"
    held = injection.read().total
    low, high = scoring.wilson(held.breaches, held.cases)
    part = held.breaches / held.cases
    yield f"{'injection (breaches)':<22}{held.breaches:>6}{held.cases:>6}{part:>8.1%}   {low:.1%} to {high:.1%}, goal 0"
    for figure in faults.shares(planted.read().rows):
        low, high = figure.interval
        goal = f"goal {figure.goal:.0%}{'' if figure.met else ': short'}"
        yield f"{f'faults ({figure.short})':<22}{figure.right:>6}{figure.total:>6}{figure.share:>8.1%}   {low:.1%} to {high:.1%}, {goal}"

    own = [trial for trial in stored_cases.read(stored_cases.STORED).trials if trial.contestant == "day2ops"]
    for suite, trials in figures.by_suite(own):
        passed = sum(trial.passed for trial in trials)
        low, high = scoring.wilson(passed, len(trials))
        yield f"{f'cases ({suite})':<22}{passed:>6}{len(trials):>6}{passed / len(trials):>8.1%}   {low:.1%} to {high:.1%}"


def details(result: scoring.Score) -> Iterator[str]:
    """Per domain, then who was asked for cases that need one agent or none."""
    yield f"{'domain':<12}{'wanted':>8}{'found':>8}{'extra':>8}"
    for line in result.lines:
        yield f"{line.domain:<12}{line.wanted:>8}{line.found:>8}{line.extra:>8}"
    names = (*DOMAINS, scoring.NOBODY)
    yield ""
    yield f"{'needed':<12}" + "".join(f"{name:>12}" for name in names) + "   asked"
    for needed in names:
        yield f"{needed:<12}" + "".join(f"{result.confusion.get((needed, asked), 0):>12}" for asked in names)


def wrong(result: scoring.Score) -> Iterator[str]:
    yield ""
    for answer in result.wrong:
        asked, needed = (", ".join(sorted(names)) or scoring.NOBODY for names in (answer.asked, answer.case.asks))
        yield f"{asked} (not {needed}): {answer.case.text}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
