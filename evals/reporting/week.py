"""Autonomous operation in rows: of cases with schedules, who kept what, and what the time cost. For scoreboard and HTML report."""

from collections.abc import Iterator, Sequence

from core.domain.money import HOURS_PER_MONTH, MICRO
from evals.routing.scoring import wilson
from evals.running.trial import Trial
from evals.scoring import figures

HEADS = (
    "contestant",
    "passed",
    "service minutes within their objective",
    "bystanders' minutes lost",
    "policy breaches",
    "writes",
    "people asked",
    "paid, USD",
    "of the static start",
)
Row = tuple[str, ...]


def of(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Those of cases with schedules."""
    return tuple(trial for trial in trials if trial.service_minutes)


def rows(trials: Sequence[Trial]) -> Iterator[Row]:
    """One for each contestant, summed over cases and seeds. Breaches are counted of who has schedules to break."""
    for name, group in figures.by_contestant(of(trials)):
        minutes = sum(trial.service_minutes or 0 for trial in group)
        kept = minutes - sum(trial.missed_minutes or 0 for trial in group)
        passed = sum(trial.passed for trial in group)
        low, high = wilson(passed, len(group))
        breaches = [len(trial.breaches) for trial in group if trial.breaches is not None]
        paid, static = sum(trial.spent or 0 for trial in group), sum(map(standing, group))
        yield (
            name,
            f"{passed} of {len(group)} ({low:.0%} to {high:.0%})",
            f"{kept / minutes:.2%} of {minutes:,}",
            str(sum(trial.lost_minutes or 0 for trial in group)),
            f"{sum(breaches)} in {sum(trial.governed or 0 for trial in group)} writes" if breaches else "no data",
            str(sum(trial.writes for trial in group)),
            str(sum(action.asked for trial in group for action in trial.actions)) if breaches else "no data",
            f"{paid / MICRO:.2f}",
            f"{paid / static:.1%}" if static else "no data",
        )


def standing(trial: Trial) -> float:
    """Micro-USD that the trial's time would have cost had everything stayed as it was at its start."""
    return (trial.cost_before or 0) * trial.virtual / 3600 / HOURS_PER_MONTH
