"""Evaluations: figures, cases, what differs between two runs."""

from collections.abc import Sequence

from evals.cases.case import Case
from evals.reporting import words
from evals.scoring import figures
from evals.scoring.comparing import Comparison
from evals.scoring.figures import Figure
from evals.scoring.results import Results
from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column

COLUMNS = (
    Column("SCORE", "score"),
    Column("VALUE", "shown"),
    Column("95 % INTERVAL", "interval"),
    Column("OF", "of"),
    Column("GOAL", "goal"),
    Column("CONTESTANT", "contestant", wide=True),
)
CASE_COLUMNS = (
    Column("CASE", "case"),
    Column("SUITE", "suite"),
    Column("SEEDS", "seeds"),
    Column("QUICK", "quick"),
    Column("ABOUT", "about", wide=True),
)
CHANGE_COLUMNS = (
    Column("TRIAL", "trial"),
    Column("SUITE", "suite"),
    Column("CONTESTANT", "contestant"),
    Column("NOW", "now"),
    Column("WHY", "why"),
)


def document(results: Results) -> Json:
    """One item a figure and contestant; `missed` are the trials of the product that fell short."""
    rows = [_item(figure, contestant) for contestant, trials in figures.by_contestant(results.trials) for figure in figures.figures(trials)]
    missed = [
        {"trial": trial.name, "contestant": trial.contestant, "misses": list(trial.misses)}
        for trial in results.trials
        if not trial.passed and trial.contestant == "day2ops"
    ]
    metadata = {
        "date": results.date,
        "commit": results.commit,
        "trials": len(results.trials),
        "cases": len({trial.case for trial in results.trials}),
        "passed": sum(trial.passed for trial in results.trials),
    }
    return envelope("EvalReport", items=rows, metadata=metadata, missed=missed)


def _item(figure: Figure, contestant: str) -> Json:
    """`value`, `low` and `high` are null where nothing is known."""
    return {
        "score": figure.name,
        "contestant": contestant,
        "unit": figure.unit,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "right": float(figure.right),
        "total": float(figure.total),
        "met": figure.met,
        "shown": words.value(figure),
        "interval": words.interval(figure),
        "of": words.of(figure),
        "goal": words.goal(figure).replace("*", ""),
    }


def view(screen: Screen, found: Json) -> None:
    """Each contestant's figures, then what fell short."""
    names = list(dict.fromkeys(item["contestant"] for item in found["items"]))
    for name in names:
        screen.line(name, "bold")
        for item in found["items"]:
            if item["contestant"] == name:
                screen.line(f"  {item['score']:<28}{item['shown']:>12}  {item['interval']:<34}{item['of']:<18}{item['goal']}".rstrip())
    for row in found["missed"]:
        screen.wrapped(f"{screen.glyph('fail')} {row['trial']}: {'; '.join(row['misses'])}", hang=2)
    counts = found["metadata"]
    screen.line(f"{counts['passed']} of {counts['trials']} trials of {counts['cases']} cases passed")


def cases(found: Sequence[Case]) -> Json:
    items = [{"case": case.id, "suite": case.suite, "seeds": list(case.seeds), "quick": case.quick, "about": case.about} for case in found]
    return envelope("EvalCaseList", items=items)


def comparison(found: Comparison) -> Json:
    """One item for each trial that ended otherwise; `tests` are McNemar's, `lost` the cases that passed and do not any more."""
    items = [
        {
            "trial": f"{change.name}",
            "suite": change.suite,
            "contestant": change.contestant,
            "now": "passed" if change.better else "fell short",
            "why": "; ".join(change.why),
        }
        for change in found.changes
    ]
    tests = [
        {"name": test.name, "pairs": test.pairs, "worse": test.worse, "better": test.better, "probability": round(test.probability, 6)}
        for test in found.tests
    ]
    return envelope("EvalComparison", items=items, tests=tests, lost=list(found.lost), unpaired=found.unpaired, worse=found.is_worse)


def comparison_view(screen: Screen, found: Json) -> None:
    for item in found["items"]:
        glyph = screen.glyph("ok" if item["now"] == "passed" else "fail")
        screen.wrapped(f"{glyph} {item['trial']} ({item['contestant']}) {item['now']}: {item['why']}", hang=2)
    for test in found["tests"]:
        if test["worse"] or test["better"] or test["name"] == "all":
            screen.line(
                f"{test['name']:<14}{test['pairs']:>5} pairs  {test['worse']:>3} worse  {test['better']:>3} better  "
                f"p = {test['probability']:.3g} (McNemar, exact, one-sided)"
            )
    if found["unpaired"]:
        screen.line(f"{found['unpaired']} trials are in one of the runs only", "dim")
    for case in found["lost"]:
        screen.line(f"{screen.glyph('fail')} {case} passed on every seed and passes on none")
    screen.line("worse than before" if found["worse"] else "no worse than before")
